# SPDX-License-Identifier: Apache-2.0
"""Fixed priority: one robot goes before another everywhere. Safe, simple and slow."""

import numpy as np

from sim.coordinators.alternatives import default_following
from sim.coordinators.interface import Budget, Outcome, Status
from sim.coordinators.robot_order import robot_order
from sim.graph import FREE, CoordinationGraph, Int32s
from sim.schedule import Assignment, Objective


def fixed_priority(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Robots with the shorter free travel time go first."""
    del budget, objective, rng, incumbent
    order = robot_order(graph, graph.free_ms)
    return Outcome(strict_order(graph, order), Status.FEASIBLE, bound_s=None, steps=1)


def strict_order(graph: CoordinationGraph, robots: Int32s) -> Assignment:
    """Every conflict goes to the robot that comes earlier in ``robots``.

    All edges between robots point down the list, so there is no circle. Merged intervals can
    force an order against the list, but only away from a start or towards a goal.
    """
    place = np.argsort(robots)
    owner = place[graph.event_robot[graph.interval_enter]]
    by_list = owner[graph.conflict_u] > owner[graph.conflict_v]
    order = np.where(graph.forced == FREE, by_list, graph.forced).astype(np.int8)
    return Assignment(order, default_following(graph))
