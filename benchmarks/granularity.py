# SPDX-License-Identifier: Apache-2.0
"""What should be one decision? Merged intervals against one decision per shared stretch.

Run from the repository root: ``python -m benchmarks.granularity``.
"""

import numpy as np

from benchmarks.setting import interval, warehouse, warehouse_graph
from sim.conflicts import Granularity
from sim.coordinators.interface import Budget
from sim.coordinators.portfolio import CoordinatorName, coordinate
from sim.generate import generate_random
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Objective

SEEDS = range(5)


def main() -> None:
    warehouse()
    print("mean delay over free travel [s] by granularity, 95 % intervals over 5 instances")
    print(
        f"{'floor':>16}{'robots':>7}{'granularity':>13}{'intervals':>10}{'share of route':>15}",
        end="",
    )
    print(f"{'fcfs':>18}{'tree search 2 s':>18}{'cma 2 s':>18}")
    for floor, num_robots in (
        ("open 40 x 40", 10),
        ("open 40 x 40", 30),
        ("warehouse", 10),
        ("warehouse", 30),
        ("warehouse", 100),
    ):
        for granularity in Granularity:
            measure(floor, num_robots, granularity)


def measure(floor: str, num_robots: int, granularity: Granularity) -> None:
    delays: dict[CoordinatorName, list[float]] = {
        name: []
        for name in (CoordinatorName.FCFS, CoordinatorName.TREE_SEARCH, CoordinatorName.CMA)
    }
    intervals, share = [], []
    for seed in SEEDS:
        graph = make(floor, num_robots, seed, granularity)
        intervals.append(graph.num_intervals)
        length = graph.interval_exit - graph.interval_enter
        share.append(float(length.mean()) / (graph.num_events / num_robots) if len(length) else 0.0)
        for name, found in delays.items():
            rng = np.random.default_rng(0)
            decision = coordinate(name, graph, Budget(2.0), Objective.MEAN_DELAY, rng)
            found.append(decision.own_cost_s)
    print(f"{floor:>16}{num_robots:7}{granularity:>13}{np.mean(intervals):10.0f}", end="")
    print(f"{np.mean(share):15.2f}", end="")
    print("".join(f"{interval(found):>18}" for found in delays.values()), flush=True)


def make(floor: str, num_robots: int, seed: int, granularity: Granularity) -> CoordinationGraph:
    options = InstanceOptions(granularity=granularity)
    if floor == "warehouse":
        return warehouse_graph(num_robots, seed, options)
    rng = np.random.default_rng([num_robots, seed])
    return make_instance(generate_random(40, 40, 0.1, rng), num_robots, options, rng).graph


if __name__ == "__main__":
    main()
