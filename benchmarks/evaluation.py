# SPDX-License-Identifier: Apache-2.0
"""Pace of the evaluator against networkx, and the time to build an instance; one core.

Run from the repository root: ``python -m benchmarks.evaluation``.
"""

import numpy as np

from benchmarks.setting import cpu_s, warehouse_graph
from sim.certificate import certify
from sim.coordinators.insertion import insert_in_order
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, evaluate_batch, evaluate_reference


def main() -> None:
    print("evaluation of assignments, one core, batch of 64 different assignments")
    print(
        f"{'robots':>7}{'events':>8}{'conflicts':>10}{'fast [us]':>11}{'networkx [ms]':>15}", end=""
    )
    print(f"{'ratio':>8}{'certify [ms]':>14}{'insertion [ms]':>16}{'build [ms]':>12}")
    for num_robots in (10, 50, 100, 250):
        measure(num_robots)


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


def require_same(
    graph: CoordinationGraph, assignment: Assignment, order: np.ndarray, following: np.ndarray
) -> None:
    fast = evaluate_batch(graph, order[:1], following[:1])[0]
    if not (fast == evaluate_reference(graph, assignment).finish_ms).all():
        raise AssertionError("the evaluators disagree; their pace means nothing")


if __name__ == "__main__":
    main()
