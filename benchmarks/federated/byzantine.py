# SPDX-License-Identifier: Apache-2.0
"""Two of ten clients lie: what becomes of the model under each strategy.

VQCs, digits 0 to 3, five seeds. Liars train as the others do and spoil what they send. Accuracy of
the last model on the tests of all sites, against plain FedAvg of the same seed without liars: where
sites are alike, which is what robust strategies are made for, and where they are not.
"""

import gc
from collections.abc import Callable, Sequence

import numpy as np
import torch
from flwr.app import Context, Message

from benchmarks.federated.setting import Figure, in_process, rounds_of
from benchmarks.federated.tables import points, table
from benchmarks.setting import interval
from federated.client import task_answers
from federated.grid import Answers
from federated.options import FitOptions, TaskName
from federated.partition import Partition
from federated.records import ARRAYS, to_arrays, to_record
from federated.strategy_options import StrategyName, StrategyOptions
from federated.task import Arrays, Task, weighted
from federated.tasks import TaskOptions, make_task

CLIENTS, ROUNDS, SEEDS = 10, 20, 5
LIARS = (2, 7)
PARTITIONS = ("iid", "dirichlet:0.3")
FIT = FitOptions(local_epochs=2)
TARGET = 2.0
BULYAN_EXPECTS = 1
"""Liars that Bulyan can be told of when ten are asked: it needs four for each, and three more."""
STRATEGIES = (
    StrategyName.FEDAVG,
    StrategyName.FEDMEDIAN,
    StrategyName.TRIMMED,
    StrategyName.KRUM,
    StrategyName.MULTIKRUM,
    StrategyName.BULYAN,
)
Lie = Callable[[Arrays, Arrays, np.random.Generator], Arrays]
"""The model that came, what was learnt, and a generator in; what is sent out."""
LIES: dict[str, Lie] = {
    "noise": lambda _, learnt, rng: {n: rng.normal(0, 3, v.shape) for n, v in learnt.items()},
    "flipped": lambda came, learnt, _: {n: came[n] - (v - came[n]) for n, v in learnt.items()},
    "flipped x 10": lambda came, learnt, _: {
        n: came[n] - 10 * (v - came[n]) for n, v in learnt.items()
    },
    "NaN": lambda _, learnt, __: {n: v * np.nan for n, v in learnt.items()},
    "shapes": lambda _, learnt, __: {n: v[:-1] for n, v in learnt.items()},
    "keys": lambda _, learnt, __: {f"my.{n}": v for n, v in learnt.items()},
}
FINITE = ("noise", "flipped x 10")
"""Lies that an average has to suffer from."""


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    gc.freeze()  # Flower's Bulyan collects garbage for every reply, and all that is imported is not
    return [figure for partition in PARTITIONS for figure in _with(partition)]


def _with(partition: str) -> list[Figure]:
    tasks = [_task(partition, seed) for seed in range(SEEDS)]
    found = {
        (strategy, lie): [_accuracy(task, strategy, lie, seed) for seed, task in enumerate(tasks)]
        for strategy in STRATEGIES
        for lie in (None, *LIES)
    }
    clean = found[StrategyName.FEDAVG, None]
    rows = [
        [str(strategy), *(_cell(found[strategy, lie], clean) for lie in (None, *LIES))]
        for strategy in STRATEGIES
    ]
    print(f"{partition}: accuracy [%], and points below FedAvg without liars")
    print(table(("strategy", "nobody lies", *LIES), rows), flush=True)
    return [
        *(_lost(partition, name, found, clean) for name in STRATEGIES[1:]),
        *(_suffers(partition, lie, found, clean) for lie in FINITE),
    ]


def _cell(accuracies: Sequence[float], clean: Sequence[float]) -> str:
    lost = points(clean, accuracies)
    return f"{100 * np.mean(accuracies):.1f} ({interval(lost, digits=1)})"


def _lost(
    partition: str,
    name: StrategyName,
    found: dict[tuple[StrategyName, str | None], list[float]],
    clean: list[float],
) -> Figure:
    """By the lie that is worst for the strategy."""
    lost = {lie: float(np.mean(points(clean, found[name, lie]))) for lie in LIES}
    worst = max(lost, key=lambda lie: lost[lie])
    title = f"{partition}, {name}: lost to the worst lie, {worst}"
    target = TARGET if partition == "iid" else None
    return Figure(title, (lost[worst],), "points", target, at_most=True)


def _suffers(
    partition: str,
    lie: str,
    found: dict[tuple[StrategyName, str | None], list[float]],
    clean: list[float],
) -> Figure:
    lost = float(np.mean(points(clean, found[StrategyName.FEDAVG, lie])))
    return Figure(f"{partition}, plain FedAvg: lost to {lie}", (lost,), "points")


def _task(partition: str, seed: int) -> Task:
    name = TaskName.parse("vqc-digits")
    return make_task(TaskOptions(name, CLIENTS, Partition.parse(partition), seed))


def _accuracy(task: Task, strategy: StrategyName, lie: str | None, seed: int) -> float:
    """Of the last model; the run has to end, whatever is sent."""
    expected = BULYAN_EXPECTS if strategy is StrategyName.BULYAN else len(LIARS)
    grid = in_process(task, FIT, lying(task_answers(lambda: task, FIT), lie, seed))
    *_, last = rounds_of(
        grid,
        task.initial(),
        ROUNDS,
        CLIENTS,
        name=strategy,
        server=StrategyOptions(malicious=expected),
        seed=seed,
    )
    arrays = last.progress.arrays
    accuracy = weighted(task.evaluate([arrays] * CLIENTS, range(CLIENTS))).accuracy
    if last.progress.round != ROUNDS or accuracy is None:
        raise AssertionError(f"{strategy} under {lie} did not end")
    return accuracy


def lying(answers: Answers, lie: str | None, seed: int) -> Answers:
    """The same, but some sites spoil their replies."""
    if lie is None:
        return answers
    spoil = LIES[lie]
    rng = np.random.default_rng(seed)

    def spoilt(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        replies = answers(messages, contexts)
        for message, reply, context in zip(messages, replies, contexts, strict=True):
            if context.node_config["partition-id"] in LIARS:
                came = to_arrays(message.content.array_records[ARRAYS])
                learnt = to_arrays(reply.content.array_records[ARRAYS])
                reply.content[ARRAYS] = to_record(spoil(came, learnt, rng))
        return replies

    return spoilt
