# SPDX-License-Identifier: Apache-2.0
"""Hourly counts of pedestrians: 19 of 21 sensors, each a site with six weeks of its own.

Recurrent models, quantum and classical, against the same hour of last week. Mean squared error on
the tests of all sensors, after the same passes in every regime, over three seeds. It is in squares
of what the counts of a site deviate by.
"""

import torch

from benchmarks.federated.setting import Figure, in_process, rounds_of
from benchmarks.federated.tables import table
from benchmarks.setting import interval
from federated.options import Data, FitOptions, Model, TaskName
from federated.partition import Partition
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.task import Arrays, weighted
from federated.tasks import TaskOptions, make_task
from sim.errors import InputError

SENSORS, ROUNDS, SEEDS = 19, 20, 3
"""The first 19 of the 21."""
MODELS = (Model.QFWP, Model.FWP, Model.LSTM)
"""Not the QLSTM, whose run was given up after several minutes."""
FIT = FitOptions(local_epochs=1, batch=64, learning_rate=0.01, optimizer="adam")
REGIMES = ("trivial", "local", "local_elsewhere", "federated", "centralised")


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    rows = []
    try:
        for model in MODELS:
            found = [errors(model, seed) for seed in range(SEEDS)]
            rows.append([str(model), *(interval([one[name] for one in found]) for name in REGIMES)])
            print("  ".join(rows[-1]), flush=True)
    except InputError as missing:
        print(f"left out: {missing}")
        return []
    print(table(("model", *REGIMES), rows))
    return []


def errors(model: Model, seed: int) -> dict[str, float]:
    """Mean squared error of every regime over the tests of all sites.

    Raises:
        InputError: the package with the counts is missing.
    """
    name = TaskName(model, Data.PEDESTRIANS)
    task = make_task(TaskOptions(name, SENSORS, Partition.parse("natural"), seed))
    everybody = range(task.count)
    alone = train_alone(task, FIT, ROUNDS)
    *_, last = rounds_of(in_process(task, FIT), task.initial(), ROUNDS, task.count, seed=seed)
    pooled = train_pooled(task, FIT, ROUNDS)

    def everywhere(arrays: Arrays) -> float:
        return weighted(task.evaluate([arrays] * task.count, everybody)).loss

    return {
        "trivial": weighted(task.trivial(everybody)).loss,
        "local": weighted(task.evaluate(alone, everybody)).loss,
        "local_elsewhere": weighted(elsewhere(task, alone)).loss,
        "federated": everywhere(last.progress.arrays),
        "centralised": everywhere(pooled),
    }
