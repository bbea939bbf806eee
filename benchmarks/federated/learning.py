# SPDX-License-Identifier: Apache-2.0
"""What sites gain by learning together, and what it costs them not to pool their samples.

Ten clients, labels shared out by Dirichlet shares of 0.3, five seeds, each of another partition and
other initial values; a circuit and its classical twins of as many parameters. Accuracy on the tests
of all sites after the same rounds, epochs and batches in every regime.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.federated.setting import Figure, in_process, rounds_of
from benchmarks.federated.tables import paired, per_cent, points, table
from federated.options import Data, FitOptions, Model, ModelOptions, TaskName
from federated.partition import Partition
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.task import Arrays, Score, Task, weighted
from federated.tasks import TaskOptions, make_task

CLIENTS, ROUNDS, SEEDS = 10, 50, 5
PARTITION = "dirichlet:0.3"
FIT = FitOptions(local_epochs=2, batch=16, learning_rate=0.05, optimizer="adam")
QUESTIONS = {
    (3, 8): (Model.VQC, Model.PARITY, Model.MLP, Model.LOGISTIC),
    (0, 1, 2, 3): (Model.VQC, Model.MLP, Model.LOGISTIC),
}
"""Digits to tell apart, and who tries; the parity has one output."""
TARGET = 3.0
REGIMES = ("trivial", "local", "local_elsewhere", "federated", "centralised")


@dataclass(frozen=True)
class Outcome:
    """Accuracies of the regimes in one seed, and the size of the model."""

    parameters: int
    accuracy: dict[str, float]


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    figures, rows = [], []
    for digits, models in QUESTIONS.items():
        for model in models:
            found = [outcome(model, digits, seed) for seed in range(SEEDS)]
            rows.append(_row(model, digits, found))
            print("  ".join(rows[-1]), flush=True)
            price = points(*(_of(found, name) for name in ("centralised", "federated")))
            title = f"{model}, digits {_named(digits)}: centralised - federated"
            target = TARGET if model is Model.VQC else None
            figures.append(Figure(title, (float(np.mean(price)),), "points", target, at_most=True))
    head = ("digits", "model", "parameters", *REGIMES, "centralised - federated")
    print(table(head, rows))
    return figures


def outcome(model: Model, digits: tuple[int, ...], seed: int) -> Outcome:
    """All regimes of one seed."""
    name = TaskName(model, Data.DIGITS)
    partition = Partition.parse(PARTITION)
    task = make_task(TaskOptions(name, CLIENTS, partition, seed, ModelOptions(digits=digits)))
    parameters = sum(value.size for value in task.initial().values())
    return Outcome(parameters, regimes(task, FIT, ROUNDS, seed))


def regimes(task: Task, fit: FitOptions, rounds: int, seed: int) -> dict[str, float]:
    """Accuracy of every regime over the tests of all sites."""
    everybody = range(task.count)
    alone = train_alone(task, fit, rounds)
    *_, last = rounds_of(in_process(task, fit), task.initial(), rounds, task.count, seed=seed)
    pooled = train_pooled(task, fit, rounds)
    away = [_accuracy([score]) for score in elsewhere(task, alone)]

    def everywhere(arrays: Arrays) -> float:
        return _accuracy(task.evaluate([arrays] * task.count, everybody))

    return {
        "trivial": _accuracy(task.trivial(everybody)),
        "local": _accuracy(task.evaluate(alone, everybody)),
        "local_elsewhere": float(np.mean(away)),
        "federated": everywhere(last.progress.arrays),
        "centralised": everywhere(pooled),
    }


def _accuracy(scores: Sequence[Score]) -> float:
    found = weighted(scores).accuracy
    if found is None:
        raise AssertionError("a task of this table classifies")
    return found


def _row(model: Model, digits: tuple[int, ...], found: list[Outcome]) -> list[str]:
    cells = [per_cent(_of(found, name)) for name in REGIMES]
    price = paired(_of(found, "centralised"), _of(found, "federated"))
    return [_named(digits), str(model), str(found[0].parameters), *cells, price]


def _of(found: list[Outcome], regime: str) -> list[float]:
    return [one.accuracy[regime] for one in found]


def _named(digits: tuple[int, ...]) -> str:
    return " ".join(map(str, digits))
