# SPDX-License-Identifier: Apache-2.0
"""Where exact searches start: a feasible assignment, and the bound that ignores all conflicts."""

import numpy as np

from sim.coordinators.insertion import NOISE, insert_in_order
from sim.coordinators.interface import Clock
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.coordinators.robot_order import robot_order
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, cost_of_finish_s, evaluate

STARTS = 32
"""Assignments tried, while they take less than a tenth of the time left."""


def feasible_start(
    graph: CoordinationGraph,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    incumbent: Assignment | None = None,
) -> Assignment:
    """The cheapest of several: without noise first, then the incumbent, then Plackett-Luce
    samples around the first."""
    best = _decode(graph, np.zeros(graph.num_robots))
    cost_s = evaluate(graph, best).cost_s(objective)
    if incumbent and evaluate(graph, incumbent).cost_s(objective) < cost_s:
        best, cost_s = incumbent, evaluate(graph, incumbent).cost_s(objective)
    until_s = 0.9 * clock.remaining_s
    scale_ms = NOISE * max(float(graph.free_ms.std()), 1.0)
    for _ in range(STARTS - 1):
        if clock.remaining_s < until_s:
            break
        other = _decode(graph, scale_ms * rng.gumbel(size=graph.num_robots))
        other_s = evaluate(graph, other).cost_s(objective)
        best, cost_s = (other, other_s) if other_s < cost_s else (best, cost_s)
    return best


def _decode(
    graph: CoordinationGraph, late_ms: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Assignment:
    """Insertion by free travel time, or on merged graphs nominal arrival, plus noise by robot."""
    if not graph.merged:
        return insert_in_order(graph, robot_order(graph, graph.free_ms + late_ms))
    enter = graph.interval_enter
    return assignment_from_node_ranks(
        graph, graph.nominal_ms[enter] + late_ms[graph.event_robot[enter]]
    )


def no_conflict_bound_s(graph: CoordinationGraph, objective: Objective) -> float:
    """What it would cost if nobody met anybody."""
    return float(cost_of_finish_s(graph.free_ms, graph.free_ms, objective))
