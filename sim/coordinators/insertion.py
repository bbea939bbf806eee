# SPDX-License-Identifier: Apache-2.0
"""Rank with gap insertion: robots in turn take the earliest gaps on their fixed routes."""

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.coordinators.robot_order import robot_order
from sim.errors import InputError
from sim.graph import CoordinationGraph, Int32s
from sim.kernels.insertion import insert_all
from sim.schedule import Assignment, Objective, cost_of_finish_s, evaluate
from sim.times import assignment_from_times

NOISE = 0.3
"""Scale of the Gumbel noise on ranks, in units of their standard deviation."""


def insert_in_order(graph: CoordinationGraph, robots: Int32s) -> Assignment:
    """Insert the robots in the given order; feasible for any order of robots with bays.

    Raises:
        InputError: intervals are merged, or the order is impossible with parking on the floor.
    """
    return assignment_from_times(graph, insertion_times_ms(graph, robots))


def insertion_times_ms(graph: CoordinationGraph, robots: Int32s) -> Int32s:
    """``[E]`` times of :func:`insert_in_order`."""
    time_ms, _ = _insert(graph, robots[None])
    return time_ms


def insertion_costs_s(
    graph: CoordinationGraph, orders: Int32s, objective: Objective
) -> NDArray[np.float64]:
    """``[K]`` costs of inserting the robots in K orders ``[K, N]``; no assignment is made.

    Nobody inserted later holds up anybody inserted earlier, so the times of the insertion are
    already the earliest ones that :func:`sim.schedule.evaluate` would find.

    Raises:
        InputError: as :func:`insert_in_order`.
    """
    _, finish_ms = _insert(graph, orders)
    return cost_of_finish_s(finish_ms, graph.free_ms, objective)


def _insert(graph: CoordinationGraph, orders: Int32s) -> tuple[Int32s, Int32s]:
    """Times ``[E]`` of the last order, and when robots finish ``[K, N]`` in each."""
    require_cells(graph, "insertion")
    time_ms = np.empty(graph.num_events, dtype=np.int32)
    finish_ms = np.empty(orders.shape, dtype=np.int32)
    if not insert_all(graph.arrays, orders.astype(np.int32), time_ms, finish_ms):
        raise InputError("a parked robot stands in the way; order robots with robot_order")
    return time_ms, finish_ms


def require_cells(graph: CoordinationGraph, coordinator: str) -> None:
    """Gaps are found cell by cell, which merged intervals do not allow.

    Raises:
        InputError: the granularity is ``merged``.
    """
    if graph.merged:
        raise InputError(f"{coordinator} needs granularity overlaps; this graph is merged")


def rank_insertion(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """The best of many insertion orders; a step is one order.

    The first goes by free travel time, shortest first; the others are Plackett-Luce samples
    around it (Gumbel noise on the rank), which degrade gracefully where uniform shuffles do not.
    """
    del incumbent
    clock = Clock(budget)
    best = _try(graph, graph.free_ms, objective)
    scale = NOISE * max(float(graph.free_ms.std()), 1.0)
    steps = 1
    while clock.allows(steps) and graph.num_conflicts:
        noisy = graph.free_ms + scale * rng.gumbel(size=graph.num_robots)
        best = min(best, _try(graph, noisy, objective), key=lambda found: found[1])
        steps += 1
    ran_out = budget.steps is None and graph.num_conflicts > 0
    status = Status.DEADLINE if ran_out else Status.FEASIBLE
    return Outcome(best[0], status, bound_s=None, steps=steps)


def _try(
    graph: CoordinationGraph, rank: NDArray[np.floating | np.integer], objective: Objective
) -> tuple[Assignment, float]:
    assignment = insert_in_order(graph, robot_order(graph, rank))
    return assignment, evaluate(graph, assignment).cost_s(objective)
