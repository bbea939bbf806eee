# SPDX-License-Identifier: Apache-2.0
"""Cost of the coordinators: against proven optima where they exist, against MILP where not.

Run from the repository root: ``python -m benchmarks.coordinators``. 30 minutes, of which
MILP takes most; ``--seeds`` and ``--milp-s`` shorten it.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.setting import RANDOM, interval, warehouse_graph
from sim.coordinators.interface import Budget, Status
from sim.coordinators.portfolio import COORDINATORS, CoordinatorName, coordinate
from sim.generate import generate_random
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.layout import Layout
from sim.readers import read_map
from sim.schedule import Objective, evaluate

SMALL = (5, 10, 15, 20)
LARGE = (50, 100, 250)


@dataclass(frozen=True)
class Found:
    """Cost before any floor, and whether it is proven optimal."""

    cost_s: float
    optimal: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="instances per large fleet")
    parser.add_argument("--milp-s", type=float, default=60.0)
    parser.add_argument("--part", choices=("optimum", "milp", "both"), default="both")
    arguments = parser.parse_args()
    warm_up()
    if arguments.part != "milp":
        against_optimum(num_seeds=2 * arguments.seeds)
    if arguments.part != "optimum":
        against_milp(arguments.seeds, arguments.milp_s)


def warm_up() -> None:
    graph = warehouse_graph(5, seed=0)
    for name in CoordinatorName:
        run(name, graph, Budget(steps=2))


def run(name: CoordinatorName, graph: CoordinationGraph, budget: Budget) -> Found:
    """The coordinator alone, without the floor of first come first served."""
    rng = np.random.default_rng(0)
    outcome = COORDINATORS[name](graph, budget, Objective.MEAN_TRAVEL, rng)
    cost_s = evaluate(graph, outcome.assignment).cost_s()
    return Found(cost_s, outcome.status is Status.OPTIMAL)


def dense_floor() -> Layout:
    if RANDOM.exists():
        return read_map(RANDOM)
    return generate_random(32, 32, 0.2, np.random.default_rng(0))


def against_optimum(num_seeds: int) -> None:
    print("optimality ratio (proven optimum / cost); MILP up to 20 s, the others 1 s")
    print("random-32-32-20, mean travel time, 95 % intervals over instances where MILP closed")
    others = [name for name in CoordinatorName if name is not CoordinatorName.MILP]
    print(f"{'robots':>7}{'proven':>8}  " + "".join(f"{name:>17}" for name in others))
    for num_robots in SMALL:
        ratios: dict[CoordinatorName, list[float]] = {name: [] for name in others}
        for seed in range(num_seeds):
            rng = np.random.default_rng([num_robots, seed])
            graph = make_instance(dense_floor(), num_robots, InstanceOptions(), rng).graph
            best = run(CoordinatorName.MILP, graph, Budget(20.0))
            if best.optimal:
                for name in others:
                    ratios[name].append(best.cost_s / run(name, graph, Budget(1.0)).cost_s)
        count = len(ratios[CoordinatorName.FCFS])
        cells = "".join(f"{interval(ratios[name]):>17}" for name in others) if count else ""
        print(f"{num_robots:7}{count:5}/{num_seeds:<2}  {cells}", flush=True)


def against_milp(num_seeds: int, milp_s: float) -> None:
    print(f"\nmean travel time [s], warehouse 63 x 161; local search 5 s, MILP {milp_s:g} s")
    print(f"{'robots':>7}{'seeds':>6}{'fcfs':>17}{'insertion 5 s':>17}{'milp':>17}", end="")
    print(f"{'local search':>17}{'milp / local':>17}{'bound / local':>17}{'proven':>8}")
    for num_robots in LARGE:
        rows = []
        for seed in range(num_seeds):
            graph = warehouse_graph(num_robots, seed)
            fcfs = run(CoordinatorName.FCFS, graph, Budget(1.0)).cost_s
            insertion = run(CoordinatorName.INSERTION, graph, Budget(5.0)).cost_s
            local = run(CoordinatorName.LOCAL_SEARCH, graph, Budget(5.0)).cost_s
            rng = np.random.default_rng(0)
            milp = coordinate(
                CoordinatorName.MILP, graph, Budget(milp_s), Objective.MEAN_TRAVEL, rng
            )
            bound = (milp.bound_s or 0.0) / local
            proven = milp.status is Status.OPTIMAL
            rows.append(
                (fcfs, insertion, milp.own_cost_s, local, milp.own_cost_s / local, bound, proven)
            )
        columns = list(zip(*rows, strict=True))
        cells = "".join(f"{interval(column):>17}" for column in columns[:6])
        print(f"{num_robots:7}{num_seeds:6}{cells}{sum(columns[6]):8}", flush=True)


if __name__ == "__main__":
    main()
