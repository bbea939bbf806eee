# SPDX-License-Identifier: Apache-2.0
"""The learner of a training on Ray, as the driver sees it: references in, references out."""

from collections.abc import Sequence
from typing import Any

import ray

from agents.learning.options import Setup
from agents.learning.rollout import Arrays
from agents.learning.training import Trained
from cluster.training.answers import Reference, fetch, is_there
from cluster.training.failures import Part
from cluster.training.hosts import LearnerHost


class RemoteLearner:
    """A learner in a process of its own. Needs a running Ray; ends when it is closed.

    Where it is lost, methods raise :class:`~cluster.training.failures.Lost`; then it has to be
    closed before it can begin again.

    Args:
        setup: of the training.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._host: Any = None
        self._running: Reference | None = None
        self.weights: Reference = None
        """A reference to the newest parameters."""
        self.updates = 0
        """How many made them."""

    def open(self) -> Reference:
        """Ask for a fresh process; what is there when it has begun."""
        # It asks for no core of its own: it works while actors wait, or shares theirs.
        remote: Any = ray.remote(LearnerHost).options(num_cpus=0, max_restarts=0)
        self._host = remote.remote(self._setup)
        return self._host.begun.remote()

    def begin(self, checkpoint: Arrays | None) -> None:
        """Stand at a checkpoint or at the beginning, in a fresh process if there is none."""
        if self._host is None:
            self.open()
        self._running = None
        updates, self.weights = self._host.begin.options(num_returns=2).remote(checkpoint)
        self.updates = fetch(updates, Part.LEARNER)

    def start(self, rollouts: Sequence[Reference]) -> None:
        """Begin to learn from rollouts."""
        update = self._host.update.options(num_returns=2)
        self._running, self._next = update.remote(*rollouts)

    @property
    def running(self) -> Reference | None:
        """Of the update that was begun and not finished."""
        return self._running

    @property
    def is_done(self) -> bool:
        """Whether the update that was begun has been answered."""
        return self._running is not None and is_there(self._running)

    def finish(self) -> Trained:
        """Wait for the update that was begun; from here on its weights are the newest."""
        trained: Trained = fetch(self._running, Part.LEARNER)
        self._running = None
        self.weights, self.updates = self._next, trained.metrics.update
        return trained

    def checkpoint(self) -> Arrays:
        """Everything that the learner has to remember."""
        arrays: Arrays = fetch(self._host.checkpoint.remote(), Part.LEARNER)
        return arrays

    def close(self) -> None:
        """End the process."""
        if self._host is not None:
            ray.kill(self._host)
        self._host = self._running = None
