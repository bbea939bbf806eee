# SPDX-License-Identifier: Apache-2.0
"""Pace of the evaluator, of first come first served, and of building an instance; one core.

Run from the repository root: ``python -m benchmarks.evaluation``.
"""

import itertools

import numpy as np

from benchmarks.setting import cpu_s, warehouse_graph
from sim.certificate import certify
from sim.coordinators.dispatch import BY_ARRIVAL
from sim.coordinators.insertion import insert_in_order
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import CoordinationGraph
from sim.kernels.dispatch import dispatch_events
from sim.schedule import Assignment, evaluate_batch, evaluate_reference


def main() -> None:
    print("evaluation of assignments, one core, batch of 64 different assignments")
    print(
        f"{'robots':>7}{'events':>8}{'conflicts':>10}{'fast [us]':>11}{'networkx [ms]':>15}", end=""
    )
    print(f"{'ratio':>8}{'certify [ms]':>14}{'insertion [ms]':>16}{'build [ms]':>12}")
    for num_robots in (10, 50, 100, 250):
        measure(num_robots)
    print("first come first served, with and without the check that keeps it from deadlock")
    print(f"{'floor':>10}{'robots':>7}{'cells/robot':>12}{'events':>8}{'careful [ms]':>14}", end="")
    print(f"{'plain [ms]':>12}")
    for floor, num_robots, cells in itertools.product(FloorKind, (50, 100, 250), (20, 80)):
        measure_dispatch(floor, num_robots, cells)


def measure(num_robots: int) -> None:
    graph = warehouse_graph(num_robots, seed=0)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(num_robots).astype(np.int32) for _ in range(64)]
    assignments = [insert_in_order(graph, order) for order in orders]
    order = np.stack([assignment.order for assignment in assignments])
    following = np.stack([assignment.following for assignment in assignments])
    require_same(graph, assignments[0], order, following)
    fast_s = cpu_s(lambda: evaluate_batch(graph, order, following), 9) / len(order)
    slow_s = cpu_s(lambda: evaluate_reference(graph, assignments[0]), 3)
    certify_s = cpu_s(lambda: certify(graph, assignments[0]), 9)
    insert_s = cpu_s(lambda: insert_in_order(graph, orders[0]), 9)
    build_s = cpu_s(lambda: warehouse_graph(num_robots, seed=0), 3)
    print(f"{num_robots:7}{graph.num_events:8}{graph.num_conflicts:10}{fast_s * 1e6:11.1f}", end="")
    print(f"{slow_s * 1e3:15.1f}{slow_s / fast_s:8.0f}{certify_s * 1e3:14.2f}", end="")
    print(f"{insert_s * 1e3:16.2f}{build_s * 1e3:12.1f}")


def measure_dispatch(floor: FloorKind, num_robots: int, cells_per_robot: int) -> None:
    size = FloorOptions(cells_per_robot=(cells_per_robot, cells_per_robot))
    options = FamilyOptions(robots=(num_robots, num_robots), goals=(1, 1), floor=size)
    rng = np.random.default_rng(1000 + num_robots)
    arrays = draw_instance(floor, options, rng).graph.arrays
    careful_s, plain_s = (
        cpu_s(lambda careful=careful: dispatch_events(arrays, BY_ARRIVAL, careful), 9)
        for careful in (True, False)
    )
    print(f"{floor:>10}{num_robots:7}{cells_per_robot:12}{len(arrays.robot):8}", end="")
    print(f"{careful_s * 1e3:14.2f}{plain_s * 1e3:12.2f}")


def require_same(
    graph: CoordinationGraph, assignment: Assignment, order: np.ndarray, following: np.ndarray
) -> None:
    fast = evaluate_batch(graph, order[:1], following[:1])[0]
    if not (fast == evaluate_reference(graph, assignment).finish_ms).all():
        raise AssertionError("the evaluators disagree; their pace means nothing")


if __name__ == "__main__":
    main()
