# SPDX-License-Identifier: Apache-2.0
"""What a federation is held against, as trials: every site alone, one learner of all samples."""

import numpy as np

from cluster.federation_options import Federate
from cluster.trials import Result, Shared, Trial
from federated.options import settled
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.task import Score, Task


def regime_trials(options: Federate) -> list[Trial]:
    """What the federation is held against; ``task`` is a shared value."""
    if not options.regimes:
        return []
    arguments = {"task": Shared("task"), "options": options}
    return [
        Trial(f"regime-local-r{options.rounds:04d}", local, arguments),
        Trial(f"regime-centralised-r{options.rounds:04d}", centralised, arguments),
    ]


def local(rng: np.random.Generator, task: Task, options: Federate) -> Result:
    """Every site alone, judged at home and at all sites."""
    del rng
    arrays = train_alone(task, settled(options.fit, options.task), options.rounds)
    home = task.evaluate(arrays, range(task.count))
    return Result({"local": _plain(home), "local_elsewhere": _plain(elsewhere(task, arrays))})


def centralised(rng: np.random.Generator, task: Task, options: Federate) -> Result:
    """One model of everybody's samples, judged at all sites."""
    del rng
    arrays = train_pooled(task, settled(options.fit, options.task), options.rounds)
    return Result({"centralised": _plain(task.evaluate([arrays] * task.count, range(task.count)))})


def _plain(scores: list[Score]) -> list[list[float | None]]:
    return [[score.samples, score.loss, score.accuracy] for score in scores]
