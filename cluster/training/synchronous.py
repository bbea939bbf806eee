# SPDX-License-Identifier: Apache-2.0
"""Everybody waits for everybody: the same bits as :func:`agents.learning.training.train_here`."""

from collections.abc import Iterator

from agents.learning.options import Setup
from agents.learning.training import Trained
from cluster.training.answers import Reference
from cluster.training.crew import Crew
from cluster.training.remote_learner import RemoteLearner


def synchronous(crew: Crew, learner: RemoteLearner, setup: Setup) -> Iterator[Trained]:
    """Updates until the steps are done, or a parameter is no number any more.

    While the caller looks at an update the groups act already for the next one.
    """
    groups = range(setup.act.groups)
    crew.ask(groups)
    while True:
        learner.start(gather(crew, len(groups)))
        trained = learner.finish()
        crew.act_by(learner.weights, learner.updates)
        done = trained.metrics.steps >= setup.steps or not trained.metrics.finite
        if not done:
            crew.ask(groups)
        yield trained
        if done:
            return


def gather(crew: Crew, groups: int) -> list[Reference]:
    """One rollout of each group, in the order of the groups whoever is first."""
    found: dict[int, Reference] = {}
    while len(found) < groups:
        found |= {one.group: one.rollout for one in crew.wait()}
    return [found[group] for group in sorted(found)]
