# SPDX-License-Identifier: Apache-2.0
"""The mixed-integer program of a coordination graph, in PuLP.

Variables, in seconds. ``delay``: how far a robot is behind its nominal time from a head on (an
event at which it may have to wait). ``order``: one binary for every open conflict. ``slot`` and
``apart``: a density region of bound D is kept exactly when its visits can be put into D slots such
that the visits of one slot exclude each other (Dilworth), so each visit takes a slot, and a pair
in one slot must be apart. That form is exact and stays small; a row for every D + 1 visits does
not, and the count form of coordination.md 1.3 would cut off solutions and void the bound.

There are no rows against circles: with a positive headway, finite times are the proof.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pulp

from sim.coordinators.alternatives import default_following, typed_conflicts
from sim.coordinators.milp_reduction import Reduced
from sim.graph import FREE, CoordinationGraph
from sim.schedule import Assignment, Objective, Schedule, evaluate
from sim.times import assignment_from_times

Variable = Any
Terms = dict[Variable, float]


@dataclass(frozen=True, eq=False)
class Model:
    """A program whose variables carry the incumbent as start values.

    Args:
        problem: minimises the sum of delays, or the makespan, in seconds.
        delay: ``[H]`` by head.
        order: by open conflict.
        slot: by entry of ``region_visits``, one binary for each slot; empty where nothing binds.
        apart: by open region conflict.
    """

    problem: Any
    delay: list[Variable]
    order: dict[int, Variable]
    slot: list[list[Variable]]
    apart: dict[int, Variable]


def build_model(
    graph: CoordinationGraph,
    reduced: Reduced,
    objective: Objective,
    schedule: Schedule,
) -> Model:
    """The program of the open part of a problem, started at a feasible schedule."""
    opened = np.unique(reduced.arcs.conflict)
    free = opened[reduced.order[opened] == FREE]
    typed = opened[typed_conflicts(graph)[opened]]
    start = assignment_from_times(graph, schedule.time_ms).order.tolist()
    problem = pulp.LpProblem("coordination", pulp.LpMinimize)
    model = Model(
        problem=problem,
        delay=_delay_variables(problem, graph, reduced, schedule),
        order={int(c): _binary(problem, f"order_{c}", start[c]) for c in free},
        slot=_slot_variables(problem, graph, schedule) if len(typed) else [],
        apart={int(c): _variable(problem, f"apart_{c}", 1.0, 0.0) for c in typed},
    )
    _add_chains(model, graph, reduced)
    _add_arcs(model, reduced)
    _add_slots(model, graph)
    _set_objective(model, graph, objective, reduced, schedule)
    return model


def _variable(problem: Any, name: str, upper: float, start: float) -> Variable:
    variable = problem.add_variable(name, 0.0, upper)
    variable.setInitialValue(min(max(start, 0.0), upper))
    return variable


def _binary(problem: Any, name: str, start: int) -> Variable:
    variable = problem.add_variable(name, 0, 1, pulp.LpInteger)
    variable.setInitialValue(start)
    return variable


def _at_least(model: Model, terms: Terms, bound: float) -> None:
    expression = pulp.LpAffineExpression(terms)
    model.problem.addConstraint(pulp.LpConstraint(expression, pulp.LpConstraintGE, rhs=bound))


def _delay_variables(
    problem: Any, graph: CoordinationGraph, reduced: Reduced, schedule: Schedule
) -> list[Variable]:
    start_s = (schedule.time_ms - graph.nominal_ms)[reduced.heads] / 1000.0
    return [
        _variable(problem, f"delay_{event}", limit, start)
        for event, limit, start in zip(
            reduced.heads.tolist(), reduced.limit_s.tolist(), start_s.tolist(), strict=True
        )
    ]


def _add_chains(model: Model, graph: CoordinationGraph, reduced: Reduced) -> None:
    """Along a path delays do not shrink."""
    robot = graph.event_robot[reduced.heads]
    for head in np.flatnonzero(robot[1:] == robot[:-1]).tolist():
        _at_least(model, {model.delay[head + 1]: 1.0, model.delay[head]: -1.0}, 0.0)


def _add_arcs(model: Model, reduced: Reduced) -> None:
    """The second is behind by the gap more than the first, where the arc is active."""
    columns = (*reduced.arcs[:2], reduced.head_before, reduced.head_after, reduced.gap_s)
    for conflict, side, before, after, gap_s in zip(*(c.tolist() for c in columns), strict=True):
        terms: Terms = {model.delay[after]: 1.0}
        if before >= 0:
            terms[model.delay[before]] = -1.0
        most_s = reduced.limit_s[before] if before >= 0 else 0.0
        _add_relaxed(model, terms, conflict, side, gap_s, gap_s + most_s)


def _add_relaxed(
    model: Model, terms: Terms, conflict: int, side: int, gap_s: float, big: float
) -> None:
    """``terms >= gap_s``, taken back by ``big`` under the other order and where not apart."""
    bound = gap_s
    order, apart = model.order.get(conflict), model.apart.get(conflict)
    if order is not None:
        terms[order] = -big if side else big
        bound -= big * side
    if apart is not None:
        terms[apart] = -big
        bound -= big
    _at_least(model, terms, bound)


def _slot_variables(
    problem: Any, graph: CoordinationGraph, schedule: Schedule
) -> list[list[Variable]]:
    """By visit, a binary for each slot; started by giving each visit the slot longest free."""
    enter_ms = schedule.time_ms[graph.interval_enter[graph.region_visits]]
    leave_ms = schedule.time_ms[graph.interval_exit[graph.region_visits]]
    variables: list[list[Variable]] = [[] for _ in enter_ms]
    for region, bound in enumerate(graph.region_bound.tolist()):
        first, end = graph.region_ptr[region : region + 2].tolist()
        free_ms = np.full(bound, np.iinfo(np.int64).min)
        for visit in (first + np.argsort(enter_ms[first:end], kind="stable")).tolist():
            slot = int(free_ms.argmin())
            free_ms[slot] = leave_ms[visit]
            variables[visit] = [
                _binary(problem, f"slot_{visit}_{s}", int(s == slot)) for s in range(bound)
            ]
    return variables


def _add_slots(model: Model, graph: CoordinationGraph) -> None:
    """Every visit has a slot, and two visits in one slot are apart."""
    for choices in model.slot:
        _at_least(model, dict.fromkeys(choices, 1.0), 1.0)
    place = {
        (region, int(graph.region_visits[visit])): visit
        for region in range(graph.num_regions)
        for visit in range(*graph.region_ptr[region : region + 2].tolist())
    }
    for conflict, apart in model.apart.items():
        region = int(graph.conflict_region[conflict])
        pair = [place[region, int(x[conflict])] for x in (graph.conflict_u, graph.conflict_v)]
        together = list(zip(*(model.slot[visit] for visit in pair), strict=True))
        apart.setInitialValue(float(any(a.varValue and b.varValue for a, b in together)))
        for a, b in together:
            _at_least(model, {apart: 1.0, a: -1.0, b: -1.0}, -1.0)


def _set_objective(
    model: Model,
    graph: CoordinationGraph,
    objective: Objective,
    reduced: Reduced,
    schedule: Schedule,
) -> None:
    robots = np.flatnonzero(reduced.head_last >= 0).tolist()
    last = {robot: model.delay[reduced.head_last[robot]] for robot in robots}
    if objective is not Objective.MAKESPAN:
        model.problem.setObjective(pulp.LpAffineExpression(dict.fromkeys(last.values(), 1.0)))
        return
    makespan_s = float(schedule.finish_ms.max()) / 1000.0
    makespan = _variable(model.problem, "makespan", makespan_s, makespan_s)
    makespan.lowBound = float(graph.free_ms.max()) / 1000.0
    for robot, delay in last.items():
        _at_least(model, {makespan: 1.0, delay: -1.0}, float(graph.free_ms[robot]) / 1000.0)
    model.problem.setObjective(pulp.LpAffineExpression({makespan: 1.0}))


def read_assignment(
    graph: CoordinationGraph, reduced: Reduced, model: Model, fallback: Assignment
) -> Assignment:
    """The assignment of the values now in the variables.

    Types inside regions are then read off its schedule: the fewest exclusions that keep it.

    Raises:
        DeadlockError: solver tolerances let an order slip.
    """
    order, following = fallback.order.copy(), default_following(graph) | typed_conflicts(graph)
    settled = reduced.order != FREE
    order[settled] = reduced.order[settled]
    for conflict, variable in model.order.items():
        order[conflict] = variable.varValue > 0.5
    following[reduced.apart] = False
    for conflict, variable in model.apart.items():
        following[conflict] = variable.varValue < 0.5
    times = evaluate(graph, Assignment(order, following)).time_ms
    return assignment_from_times(graph, times)
