# SPDX-License-Identifier: Apache-2.0
"""A training on Ray that outlives its parts."""

import logging
from collections.abc import Iterator

from agents.learning.training import Trained
from cluster.training.answers import fetch
from cluster.training.asynchronous import asynchronous
from cluster.training.crew import PATIENCE_S, Crew
from cluster.training.failures import Lost, Part, Remedy, on_lost
from cluster.training.remote_learner import RemoteLearner
from cluster.training.standing import Standing
from cluster.training.synchronous import synchronous
from cluster.training_options import Mode, Train
from sim.errors import InputError

log = logging.getLogger(__name__)


class Training:
    """A learner and actors on a running Ray; they end when it is closed.

    Args:
        options: of the command.
        standing: where it begins.

    Attributes:
        standing: the last checkpoint.
    """

    def __init__(self, options: Train, standing: Standing) -> None:
        self._options, self._setup = options, options.setup
        self.standing = standing
        self._losses = 0
        self._crew = Crew(self._setup, options.actors)
        self._learner = RemoteLearner(self._setup)

    def muster(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until the processes have begun, which takes seconds; see :meth:`Crew.muster`."""
        learner = self._learner.open()
        self._crew.muster(patience_s)
        try:
            fetch(learner, Part.LEARNER)
        except Lost:
            self._learner.close()  # it gets another process where it begins

    def updates(self) -> Iterator[tuple[Trained, Standing | None]]:
        """Updates until the training is done, with a checkpoint where one is due.

        When a part is lost that only the last checkpoint can replace, the updates since then come
        again.

        Raises:
            InputError: an environment, a host or the learner fails every time.
        """
        while True:
            try:
                self._return()
                yield from self._checkpointed()
                return
            except Lost as lost:
                self._learner.close()
                self._losses += 1
                decision = on_lost(lost.part, self._losses, lost.cause)
                if decision.remedy is Remedy.GIVE_UP:
                    raise InputError(decision.reason) from lost
                log.warning("%s; goes on from update %d", decision.reason, self.standing.updates)

    def close(self) -> None:
        """End the processes."""
        self._crew.close()
        self._learner.close()

    def _return(self) -> None:
        """Go to the last checkpoint."""
        self._learner.begin(self.standing.learner)
        self._crew.rewind(self.standing.positions)
        self._crew.act_by(self._learner.weights, self._learner.updates)

    def _checkpointed(self) -> Iterator[tuple[Trained, Standing | None]]:
        for trained in self._run():
            metrics = trained.metrics
            last = metrics.steps >= self._setup.steps or not metrics.finite
            if not last and metrics.update % self._options.interval_updates:
                yield trained, None
                continue
            # The learner does nothing else meanwhile: the update just made is the last in it.
            self.standing = Standing(self._learner.checkpoint(), self._crew.positions)
            self._losses = 0
            yield trained, self.standing

    def _run(self) -> Iterator[Trained]:
        if self._options.mode is Mode.SYNC:
            return synchronous(self._crew, self._learner, self._setup)
        return asynchronous(self._crew, self._learner, self._setup, self._options.rollouts)
