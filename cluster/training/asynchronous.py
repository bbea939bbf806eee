# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for anybody, up to a bound: what has to wait grows stale."""

from collections import deque
from collections.abc import Iterator

from agents.learning.options import Setup
from agents.learning.training import Trained
from cluster.training.answers import Reference
from cluster.training.crew import Crew
from cluster.training.remote_learner import RemoteLearner


def asynchronous(
    crew: Crew, learner: RemoteLearner, setup: Setup, rollouts: int
) -> Iterator[Trained]:
    """Updates until the steps are done, or a parameter is no number any more.

    A group goes on as soon as it has answered, with the newest parameters, unless as many rollouts
    wait as the learner takes at once: then it is the learner that is slow, and to act on would
    only make them older. So at most ``rollouts`` and one for each group exist.

    Args:
        rollouts: of an update.
    """
    idle, ready = deque(range(setup.act.groups)), deque[Reference]()
    while True:
        while idle and len(ready) < rollouts:
            crew.ask([idle.popleft()])
        if learner.running is None and len(ready) >= rollouts:
            learner.start([ready.popleft() for _ in range(rollouts)])
            continue
        for one in crew.wait(learner.running):
            ready.append(one.rollout)
            idle.append(one.group)
        if learner.is_done:
            trained = learner.finish()
            crew.act_by(learner.weights, learner.updates)
            yield trained
            if trained.metrics.steps >= setup.steps or not trained.metrics.finite:
                return
