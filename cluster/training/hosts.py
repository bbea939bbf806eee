# SPDX-License-Identifier: Apache-2.0
"""The processes of a training on Ray: thin shells around an actor's groups, and the learner.

An answer depends on the question alone: where a group stands travels with it, so any host can be
asked, and asked again. A host that stands there already does not look at it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ray
import torch

from agents.learning.actor import Actor
from agents.learning.learner import Learner
from agents.learning.options import ActOptions, Setup
from agents.learning.rollout import Arrays, Rollout
from agents.learning.training import Trained, learn


class ActorHost:
    """Acts for any group that it is asked for.

    Args:
        setup: of the training.
    """

    def __init__(self, setup: Setup) -> None:
        torch.set_num_threads(1)  # hosts do not compete, and sums have one order
        self._setup = setup
        self._actors: dict[int, Actor] = {}

    def begun(self) -> bool:
        """Whether it is there, which takes seconds of importing."""
        warm_up(self._setup)
        return True

    def collect(
        self, group: int, index: int, position: Sequence[Any], weights: Arrays, version: int
    ) -> tuple[int, Rollout, Arrays]:
        """A rollout.

        Args:
            group: whose.
            index: which one.
            position: a reference to where the group stands before it; none at the beginning. In a
                sequence, so that Ray does not fetch it where nobody looks at it.
            weights, version: see :meth:`agents.learning.actor.Actor.collect`.

        Returns:
            The index, the rollout, and where the group stands then.
        """
        actor = self._actors.get(group)
        if actor is None or actor.index != index:
            actor = self._actors[group] = Actor(self._setup, group)
            if position:
                actor.restore(ray.get(position[0]))
        rollout = actor.collect(weights, version)
        return index, rollout, actor.position


class LearnerHost:
    """Learns.

    Args:
        setup: of the training.
    """

    def __init__(self, setup: Setup) -> None:
        torch.set_num_threads(1)
        self._setup = setup
        self._learner: Learner | None = None

    def begun(self) -> bool:
        """Whether it is there, which takes seconds of importing."""
        warm_up(self._setup)
        return True

    def begin(self, checkpoint: Arrays | None) -> tuple[int, Arrays]:
        """Stand at a checkpoint, or at the beginning; returns the updates so far and weights."""
        self._learner = Learner(self._setup)
        if checkpoint is not None:
            self._learner.restore(checkpoint)
        return self._learner.updates, self._learner.weights()

    def update(self, *rollouts: Rollout) -> tuple[Trained, Arrays]:
        """Learn from rollouts; returns what that did, and the weights."""
        learner = self._begun()
        return learn(learner, rollouts), learner.weights()

    def checkpoint(self) -> Arrays:
        """Everything that the learner has to remember."""
        return self._begun().checkpoint()

    def _begun(self) -> Learner:
        assert self._learner is not None, "begin comes first"
        return self._learner


def warm_up(setup: Setup) -> None:
    """A little of everything, so that nothing is loaded or compiled while time is measured.

    Raises:
        InputError: the environment fails.
    """
    learn_once = replace(setup.learn, minibatches=1, epochs=1)
    # All lanes of a group: the robots of a warehouse act together.
    small = replace(setup, act=ActOptions(1, setup.act.lanes, 2), learn=learn_once)
    learner, actor = Learner(small), Actor(small, 0)
    learner.update([actor.collect(learner.weights(), 0)])
