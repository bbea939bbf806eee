# SPDX-License-Identifier: Apache-2.0
"""What the measurements have in common: the task of 1,000 clients, its rounds, and figures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from flwr.serverapp import Grid

from cluster.federation_options import Federate
from cluster.federation_sites import BLOCKS, LARGEST_BLOCK, host_answers, site_grid, task_maker
from cluster.runtime import ray_runtime
from federated.client import task_answers
from federated.flower import identity
from federated.grid import Answers, LocalSites, SiteGrid
from federated.options import FitOptions, ModelOptions
from federated.rounds import Progress, Round, run_rounds
from federated.strategies import make_strategy
from federated.strategy_options import StrategyName, StrategyOptions
from federated.task import Arrays, Task

ALL_DIGITS = ModelOptions(digits=tuple(range(10)))
"""1,617 samples are not public, so that 1,000 clients have one or two each."""
WORKERS = 2


@dataclass(frozen=True)
class Figure:
    """Something measured, and what was asked for.

    Args:
        title: what it is.
        values: one for each repeat; the median counts.
        unit: of the values.
        target: what was asked for, if anything.
        at_most: the target is the most, not the least.
    """

    title: str
    values: tuple[float, ...]
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def value(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def met(self) -> bool | None:
        """Whether it is what was asked for; None where nothing was."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        text = f"{self.title:58}{self.value:10.3g} {self.unit}"
        if len(self.values) > 1:
            text += f"  ({min(self.values):.3g} to {max(self.values):.3g})"
        if self.target is None:
            return text
        bound = f"{'at most' if self.at_most else 'at least'} {self.target:g}"
        return f"{text:92}{bound:16}{'pass' if self.met else 'MISS'}"


def vqc_clients(clients: int) -> Federate:
    """VQCs of 4 qubits for the ten digits, one local epoch, as ``federate`` would run them."""
    return Federate(
        task="vqc-digits",
        clients=clients,
        partition="iid",
        strategy=StrategyName.FEDAVG,
        workers=WORKERS,
        model=ALL_DIGITS,
        fit=FitOptions(local_epochs=1),
    )


def compared(
    title: str, slow: Sequence[np.ndarray], fast: Sequence[np.ndarray], target: float | None
) -> list[Figure]:
    """Seconds of theirs and ours and how many times longer theirs are; one array per repeat."""
    theirs_s, ours_s = (tuple(float(np.median(one)) for one in many) for many in (slow, fast))
    ratios = tuple(their / our for their, our in zip(theirs_s, ours_s, strict=True))
    return [
        Figure(f"{title}: flwr run", theirs_s, "s"),
        Figure(f"{title}: ours", ours_s, "s"),
        Figure(f"{title}: times faster", ratios, "x", target),
    ]


def block_of(clients: int) -> int:
    """How many neighbours ``federate`` asks in one call."""
    return min(-(-clients // BLOCKS), LARGEST_BLOCK)


@contextmanager
def hosted(options: Federate) -> Iterator[tuple[Task, Grid]]:
    """The task and the sites of ``federate``, on a Ray of its own unless one is there."""
    make = task_maker(options)
    with ray_runtime(None, options.workers), site_grid(options, make, options.clients) as grid:
        yield make(), grid


def one_by_one_grid(options: Federate) -> Grid:
    """The same sites in this process, each trained alone."""
    answers = host_answers(task_maker(options), options)
    return SiteGrid(LocalSites(answers, options.clients))


def in_process(task: Task, fit: FitOptions, answers: Answers | None = None) -> Grid:
    """All sites of a task in this process, trained as one batch."""
    answers = answers or task_answers(lambda: task, fit)
    return SiteGrid(LocalSites(answers, task.count, block=task.count))


def rounds_of(
    grid: Grid,
    initial: Arrays,
    rounds: int,
    sites: int,
    evaluate: bool = False,
    name: StrategyName = StrategyName.FEDAVG,
    server: StrategyOptions | None = None,
    seed: int = 0,
) -> Iterator[Round]:
    """The rounds of ``federate`` without a run folder."""
    server = server or StrategyOptions()
    begin, strategy = Progress(0, initial, {}), make_strategy(name, server, sites)
    with identity(run_id=1):
        yield from run_rounds(
            grid,
            strategy,
            begin,
            rounds,
            seed=seed,
            quorum=server.quorum,
            timeout_s=server.timeout_s,
            evaluate=evaluate,
        )


def distance(one: Arrays, other: Arrays) -> float:
    """The largest difference between numbers of two models."""
    if list(one) != list(other):
        raise AssertionError(f"models of {list(one)} and {list(other)} have nothing in common")
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)
