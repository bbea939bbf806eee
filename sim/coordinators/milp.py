# SPDX-License-Identifier: Apache-2.0
"""The oracle: a mixed-integer program, started from a short tree search.

Steps are branch-and-bound nodes. The bound is always valid and OPTIMAL always proven. Where the
program is too large to be built before the deadline, the start comes back with its own bound.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.coordinators.incumbent import no_conflict_bound_s
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.coordinators.milp_reduction import delay_limits_s, reduce_problem
from sim.coordinators.tree_search import tree_search
from sim.graph import CoordinationGraph
from sim.schedule import (
    Assignment,
    DeadlockError,
    Objective,
    evaluate,
)

if TYPE_CHECKING:
    from sim.coordinators.milp_solvers import SolverName

START_SHARE = 0.1
"""Share of the deadline for the start."""

START_NODES = 2
"""Under a step budget: nodes of the tree search that finds the start, for each conflict."""

BUILD_S_PER_ARC = 1e-4
"""Cautious time to build and copy what one arc adds to the program."""

TOLERANCE_S = 1e-9
"""Costs are means of whole milliseconds, so this only absorbs rounding."""


def milp(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
    solver: "SolverName" = "auto",
) -> Outcome:
    """Branch and bound over passing orders.

    Args:
        incumbent: a feasible assignment; a short tree search starts from it, the MILP from that.
        solver: ``highs``, ``cbc``, or ``auto`` for the first of them that is installed.
    """
    clock = Clock(budget)
    short = _short(graph, budget)
    start = tree_search(graph, short, objective, rng, incumbent=incumbent)
    found, nodes = start.assignment, 0
    bound_s = start.bound_s or no_conflict_bound_s(graph, objective)
    cost_s = evaluate(graph, found).cost_s(objective)
    if cost_s > no_conflict_bound_s(graph, objective):
        found, proven_s, nodes = _search(graph, clock, objective, found, solver)
        cost_s, bound_s = evaluate(graph, found).cost_s(objective), max(bound_s, proven_s)
    status = Status.FEASIBLE if budget.steps is not None else Status.DEADLINE
    if bound_s >= cost_s - TOLERANCE_S:
        status, bound_s = Status.OPTIMAL, cost_s
    return Outcome(found, status, bound_s, nodes)


def _short(graph: CoordinationGraph, budget: Budget) -> Budget:
    """The budget of the tree search that finds the start."""
    if budget.steps is not None:
        return Budget(steps=1 + START_NODES * graph.num_conflicts)
    return Budget(deadline_s=START_SHARE * budget.deadline_s)


def _search(
    graph: CoordinationGraph,
    clock: Clock,
    objective: Objective,
    start: Assignment,
    solver: "SolverName",
) -> tuple[Assignment, float, int]:
    """Assignment, proven bound (minus infinity for none) and nodes."""
    schedule = evaluate(graph, start)
    reduced = reduce_problem(graph, delay_limits_s(graph, objective, schedule))
    if BUILD_S_PER_ARC * len(reduced.gap_s) > clock.remaining_s / 2:
        return start, -math.inf, 0
    # Imported here: PuLP loads its solvers, and highspy cannot share a process with OR-tools.
    from sim.coordinators.milp_model import build_model, read_assignment
    from sim.coordinators.milp_solvers import solve

    model = build_model(graph, reduced, objective, schedule)
    value_s, nodes = solve(model.problem, solver, clock)
    try:
        found = read_assignment(graph, reduced, model, start)
    except DeadlockError:
        found = start
    cheaper = evaluate(graph, found).cost_s(objective) < schedule.cost_s(objective)
    return found if cheaper else start, _bound_s(graph, objective, value_s), nodes


def _bound_s(graph: CoordinationGraph, objective: Objective, value_s: float) -> float:
    """The bound on the cost from that on the program's value; costs are whole milliseconds."""
    if not math.isfinite(value_s):
        return -math.inf
    whole_s = math.ceil(value_s * 1000 - 0.1) / 1000
    if objective is Objective.MAKESPAN:
        return whole_s
    return no_conflict_bound_s(graph, objective) + whole_s / graph.num_robots
