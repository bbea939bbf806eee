# SPDX-License-Identifier: Apache-2.0
"""Budgeted backtracking tree search: both orders of the most constrained conflict, depth first.

Steps are nodes. It starts from a feasible assignment, so it always has an incumbent, which is
optimal once the tree is exhausted. The search itself is :mod:`sim.kernels.branching`.
"""

import time
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.alternatives import alternative_arcs, typed_conflicts
from sim.coordinators.incumbent import feasible_start
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.graph import FREE, CoordinationGraph, Int32s
from sim.kernels.branching import (
    UNBOUNDED,
    Search,
    Tree,
    cost_ms,
    raise_times,
    search,
)
from sim.schedule import Assignment, Objective, evaluate
from sim.times import assignment_from_times

GLANCE_S = 0.02
"""How long the search runs between two glances at the clock."""


def tree_search(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Search until the tree is exhausted or the budget is spent.

    Args:
        incumbent: a feasible assignment to start from, if it is better than what insertion finds.
    """
    clock = Clock(budget)
    start = feasible_start(graph, clock, objective, rng, incumbent)
    tree = search_tree(graph, objective)
    state = _run(tree, root(graph, tree, evaluate(graph, start).time_ms), clock)
    exhausted = state.depth == 0 and not state.fresh
    improved = bool(state.best_time[0] >= 0)
    found = assignment_from_times(graph, state.best_time) if improved else start
    bound_s = cost_in_seconds(graph, objective, lower_bound_ms(tree, state))
    stopped = Status.FEASIBLE if budget.steps is not None else Status.DEADLINE
    return Outcome(found, Status.OPTIMAL if exhausted else stopped, bound_s, state.nodes)


def _run(tree: Tree, state: Search, clock: Clock) -> Search:
    nodes = 1
    while clock.allows(state.nodes) and (state.fresh or state.depth > 0):
        if clock.budget.steps is not None:
            nodes = min(10_000, clock.budget.steps - state.nodes)
        before_s = time.monotonic()
        state = search(tree, state, nodes)
        nodes = 2 * nodes if time.monotonic() - before_s < GLANCE_S / 2 else max(1, nodes // 2)
    return state


def search_tree(graph: CoordinationGraph, objective: Objective) -> Tree:
    """The fixed part of the search, indexed for the kernel."""
    arcs = alternative_arcs(graph)
    key = 2 * arcs.conflict + arcs.side
    by_key = np.argsort(key, kind="stable")
    before = arcs.before[by_key]
    by_region = np.argsort(graph.conflict_region, kind="stable").astype(np.int32)
    region = graph.conflict_region[by_region]
    return Tree(
        offsets=graph.offsets.copy(),
        robot=graph.event_robot.copy(),
        duration_ms=graph.duration_ms.copy(),
        nominal_ms=graph.nominal_ms.copy(),
        headway_ms=graph.headway_ms,
        arc_ptr=_pointers(key[by_key], 2 * graph.num_conflicts),
        key=key[by_key].astype(np.int32),
        before=before,
        after=arcs.after[by_key],
        out_ptr=_pointers(np.sort(before), graph.num_events),
        out_arcs=np.argsort(before, kind="stable").astype(np.int32),
        typed=typed_conflicts(graph),
        interval_enter=graph.interval_enter.copy(),
        interval_exit=graph.interval_exit.copy(),
        conflict_u=graph.conflict_u.copy(),
        conflict_v=graph.conflict_v.copy(),
        region_bound=graph.region_bound.copy(),
        region_ptr=graph.region_ptr.copy(),
        region_visits=graph.region_visits.copy(),
        region_conflict_ptr=_pointers(region, graph.num_regions),
        region_conflicts=by_region,
        makespan=objective is Objective.MAKESPAN,
    )


def _pointers(ascending: NDArray[np.integer], count: int) -> Int32s:
    """CSR pointers of the groups 0 .. count - 1 of sorted group numbers."""
    return np.searchsorted(ascending, np.arange(count + 1)).astype(np.int32)


def root(graph: CoordinationGraph, tree: Tree, incumbent_ms: Int32s) -> Search:
    """The node in which only forced orders are decided.

    Args:
        incumbent_ms: ``[E]`` times of a schedule; only cheaper ones are looked for.
    """
    depths = max(graph.num_conflicts, 1)
    decision, time_ms = graph.forced.copy(), graph.nominal_ms.copy()
    trail = np.empty((1024, 2), dtype=np.int32)
    for conflict in np.flatnonzero(graph.forced != FREE).tolist():
        key = 2 * conflict + int(graph.forced[conflict])
        raise_times(tree, decision, time_ms, key, UNBOUNDED, trail, 0)
    return Search(
        time=time_ms,
        decision=decision,
        best_time=np.full(graph.num_events, -1, dtype=np.int32),
        best_ms=cost_ms(tree, incumbent_ms),
        conflict=np.zeros(depths, dtype=np.int32),
        first=np.zeros(depths, dtype=np.int8),
        tried=np.zeros(depths, dtype=np.int8),
        mark=np.zeros(depths, dtype=np.int64),
        bound_ms=np.full(depths, cost_ms(tree, time_ms), dtype=np.int64),
        trail=trail,
        trailed=0,
        depth=0,
        nodes=0,
        fresh=True,
    )


def lower_bound_ms(tree: Tree, state: Search) -> int:
    """The least that anything not yet searched can cost, or the best cost found."""
    if state.fresh or state.depth > 0:
        present = max(state.depth - 1, 0)
        choices = np.where(tree.typed[state.conflict[:present]], 3, 2)
        waiting = state.bound_ms[:present][state.tried[:present] < choices]
        return int(min(state.best_ms, state.bound_ms[present], waiting.min(initial=UNBOUNDED)))
    return state.best_ms


def cost_in_seconds(graph: CoordinationGraph, objective: Objective, value_ms: int) -> float:
    """The objective from the kernel's sum of finishes, or last finish."""
    match objective:
        case Objective.MAKESPAN:
            return value_ms / 1000
        case Objective.MEAN_TRAVEL:
            return value_ms / 1000 / graph.num_robots
        case Objective.MEAN_DELAY:
            return (value_ms - int(graph.free_ms.sum(dtype=np.int64))) / 1000 / graph.num_robots
        case _:
            assert_never(objective)
