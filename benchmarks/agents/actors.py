# SPDX-License-Identifier: Apache-2.0
"""Steps per second of ``train --mode async`` by one actor on Ray and by two, on the clock.

Actors, learner and driver share the cores, so what two can gain depends on how many there are and
on who else is there. So two things are measured beside it that do not: the CPU time of each part
for a step, and how much of the time actors had something to do, with a core or without. From the
first follows what free cores allow. V-trace, as PPO's learner alone would fill a core. A run counts
from its first updates on, when all actors act.

Ray runs its processes at niceness 15; with neighbours, set RAY_worker_niceness=0.
"""

from contextlib import closing
from typing import NamedTuple

import numpy as np

from agents.learning.options import ActOptions, Algorithm, LearnOptions
from agents.policies.options import CoreName
from benchmarks.agents.processes import ACTOR, DRIVER, LEARNER, used
from benchmarks.agents.qfwp import ENVIRONMENT, STILL
from benchmarks.federated.setting import Figure
from cluster.runtime import ray_runtime
from cluster.training.standing import Standing
from cluster.training.training import Training
from cluster.training_options import Mode, Train
from sim.environments.make import EnvironmentEngine

ENGINES = {
    "original MiniGrid": EnvironmentEngine.GYMNASIUM,
    "compiled MiniGrid": EnvironmentEngine.COMPILED,
}
COUNTS = (1, 2)
WARM_UPDATES, ROUNDS, LEAST_S = 8, 5, 10.0
PATIENCE_S = 600.0
"""All actors have to have begun, or the figures mean something else."""
TARGET = 1.7


class Paced(NamedTuple):
    """How fast a training goes."""

    steps_per_s: float
    us: dict[str, float]
    """CPU microseconds of a step, by kind of process."""
    busy: float | None
    """Share of the time in which actors had something to do."""


def measure(
    engines: tuple[str, ...] = tuple(ENGINES), rounds: int = ROUNDS, least_s: float = LEAST_S
) -> list[Figure]:
    with ray_runtime(None, max(COUNTS)):
        return [figure for name in engines for figure in _measure(name, rounds, least_s)]


def most(us: dict[str, float], actors: int, cores: int) -> float:
    """Steps per second that the CPU times of a step allow on free cores."""
    slowest = max(us[ACTOR] / actors, us[LEARNER], us[DRIVER])
    return 1e6 / max(slowest, sum(us.values()) / cores)


def _measure(name: str, rounds: int, least_s: float) -> list[Figure]:
    found: dict[int, list[Paced]] = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count in COUNTS:
            found[count].append(_paced(options_of(ENGINES[name], count), least_s))
            print(f"{name}, {count} actors: {_in_words(found[count][-1])}", flush=True)
    one, two = (found[count] for count in COUNTS)
    pairs = list(zip(one, two, strict=True))
    ratios = tuple(more.steps_per_s / less.steps_per_s for less, more in pairs)
    target = TARGET if name == next(iter(ENGINES)) else None
    return [
        Figure(f"{name}, one actor", tuple(each.steps_per_s for each in one), "steps/s"),
        Figure(f"{name}, two actors", tuple(each.steps_per_s for each in two), "steps/s"),
        Figure(f"{name}, two actors / one", ratios, "x", target),
        *(_allowed(name, found, cores) for cores in (2, 4)),
    ]


def _allowed(name: str, found: dict[int, list[Paced]], cores: int) -> Figure:
    """The ratio that the CPU times allow, each the median of its rounds."""
    one, two = (most(_medians(found[count]), count, cores) for count in COUNTS)
    return Figure(f"{name}, what CPU times allow on {cores} free cores", (two / one,), "x")


def _medians(rounds: list[Paced]) -> dict[str, float]:
    return {kind: float(np.median([each.us[kind] for each in rounds])) for kind in rounds[0].us}


def options_of(engine: EnvironmentEngine, actors: int) -> Train:
    """A training without end that goes on as it began."""
    return Train(
        env=ENVIRONMENT,
        policy=CoreName.QFWP,
        actors=actors,
        steps=10**9,
        mode=Mode.ASYNC,
        engine=engine,
        act=ActOptions(groups=4, lanes=16, unroll_steps=32),
        learn=LearnOptions(Algorithm.VTRACE, learning_rate=STILL),
    )


def _paced(options: Train, least_s: float) -> Paced:
    with closing(Training(options, Standing())) as training:
        training.muster(PATIENCE_S)
        metrics = (trained.metrics for trained, _ in training.updates())
        for _ in range(WARM_UPDATES):
            first = next(metrics)
        begin, now, last = used(), used(), first
        while last is first or now.clock_s - begin.clock_s < least_s:
            last = next(metrics)
            now = used()
    steps, clock_s = last.steps - first.steps, now.clock_s - begin.clock_s
    us = {kind: 1e6 * (now.cpu_s[kind] - begin.cpu_s[kind]) / steps for kind in now.cpu_s}
    busy = None
    if now.wanted_s is not None and begin.wanted_s is not None:
        busy = (now.wanted_s - begin.wanted_s) / clock_s / options.actors
    return Paced(steps / clock_s, us, busy)


def _in_words(paced: Paced) -> str:
    parts = ", ".join(f"{kind} {us:.0f}" for kind, us in paced.us.items())
    busy = "" if paced.busy is None else f"; actors have work {100 * paced.busy:.0f} % of the time"
    return f"{paced.steps_per_s:.0f} steps/s; CPU us of a step: {parts}{busy}"
