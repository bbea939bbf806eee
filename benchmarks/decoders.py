# SPDX-License-Identifier: Apache-2.0
"""Which decoder? What each makes of perfect knowledge, of slightly wrong knowledge, and of none.

Run from the repository root: ``python -m benchmarks.decoders``. About five minutes. Perfect
knowledge are orders and ranks read off the best schedule that local search finds; so the first
figure is the ceiling of whatever could be learnt, the last one its floor.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from agents.coordination.decode import Floats, decode_events, decode_nodes, decode_robots
from agents.coordination.targets import CERTAIN
from benchmarks.setting import cpu_s, interval
from sim.coordinators.dive import FORESIGHT, IMPULSE, make_diver
from sim.coordinators.dive_search import Advice, no_advice, schedule_of
from sim.coordinators.interface import Budget
from sim.coordinators.local_search import local_search
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, Schedule, evaluate

SIZES = {25: 4, 50: 4, 100: 2, 250: 1}
"""Robots, and instances for each kind of floor and density."""
CELLS_PER_ROBOT = (20, 40)
WRONG = 0.1
"""Share of the orders that are wrong, where something is."""

Decode: TypeAlias = Callable[[], Assignment]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robots", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--search-s", type=float, default=8.0, help="for the best known schedule")
    arguments = parser.parse_args()
    print("optimality ratio (best known / cost), 95 % intervals; CPU milliseconds of one decoding")
    for robots in arguments.robots:
        found: dict[str, list[tuple[float, float]]] = {}
        for graph in instances(robots):
            for name, ratio, ms in measure(graph, Budget(arguments.search_s)):
                found.setdefault(name, []).append((ratio, ms))
        for name, rows in found.items():
            ratios, times_ms = zip(*rows, strict=True)
            print(f"{robots:4} {name:34}{interval(ratios):>16}{np.mean(times_ms):9.1f}", flush=True)


def instances(robots: int) -> Iterator[CoordinationGraph]:
    for kind in FloorKind:
        for cells in CELLS_PER_ROBOT:
            floor = FloorOptions(cells_per_robot=(cells, cells))
            options = FamilyOptions(robots=(robots, robots), goals=(1, 1), floor=floor)
            for seed in range(SIZES[robots]):
                rng = np.random.default_rng([robots, cells, seed])
                yield draw_instance(kind, options, rng).graph


def measure(graph: CoordinationGraph, budget: Budget) -> Iterator[tuple[str, float, float]]:
    """Name, ratio and milliseconds of every decoder."""
    objective, rng = Objective.MEAN_TRAVEL, np.random.default_rng(0)
    start = schedule_of(make_diver(graph), no_advice(graph))
    best = local_search(graph, budget, objective, rng, incumbent=start).assignment
    schedule = evaluate(graph, best)
    for name, decode in decoders(graph, best, schedule).items():
        ratio = schedule.cost_s() / evaluate(graph, decode()).cost_s()
        yield name, ratio, 1000 * cpu_s(decode, repeats=3)


def decoders(graph: CoordinationGraph, best: Assignment, schedule: Schedule) -> dict[str, Decode]:
    """What is decoded, by decoder and by what it is told."""
    diver = make_diver(graph)
    entered_ms = schedule.time_ms[graph.interval_enter].astype(np.float64)
    delay_ms = (schedule.finish_ms - schedule.free_ms).astype(np.float64)
    told = np.where(best.order > 0, CERTAIN, -CERTAIN)
    wrong = np.random.default_rng(1).random(len(told)) < WRONG
    odds = np.log((1.0 - WRONG) / WRONG)  # what an honest model would say of such orders
    doubtful = np.where(wrong, -odds, odds) * np.sign(told)
    nothing = np.zeros(len(told))

    def dive(logit: Floats, weight: Floats) -> Decode:
        return lambda: schedule_of(diver, Advice(logit, weight))

    return {
        "intervals, told everything": lambda: decode_nodes(graph, entered_ms),
        "events, told everything": lambda: decode_events(graph, entered_ms),
        "robots, told everything": lambda: decode_robots(graph, delay_ms),
        "robots, told nothing": lambda: decode_robots(graph, graph.free_ms),
        "conflicts, told everything": dive(told, FORESIGHT),
        "conflicts, a tenth of it wrong": dive(doubtful, FORESIGHT),
        "conflicts, told nothing": dive(nothing, FORESIGHT),
        "conflicts, told nothing, without foresight": dive(nothing, IMPULSE),
    }


if __name__ == "__main__":
    main()
