# SPDX-License-Identifier: Apache-2.0
"""The passing orders of one window, decided by a coordinator instead of taken from the plan.

A plan of the next steps says where everybody drives and, by its times, who passes first
everywhere. The times assume that nobody is late. A coordinator sees the same routes, how late
everybody is, and may turn the orders around; the orders of the plan are its incumbent.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.certificate import certify
from sim.conflicts import Motion, build_graph
from sim.coordinators.interface import Budget, Coordinator
from sim.graph import CoordinationGraph
from sim.routes import Routes
from sim.schedule import Assignment, Objective, evaluate
from sim.times import assignment_from_times
from sim.warehouse.control.sequential import sequential_steps
from sim.warehouse.fleet import Int32s
from sim.warehouse.rules import Following, Gait, Rules

TICK_MS = 1000
"""A tick in the clock of coordination graphs."""


class Passing(NamedTuple):
    """Who enters which cell when.

    Args:
        robot, cell: ``[M]`` entries into cells in the order of their times.
        time_ticks: ``[M]`` when the robot is in the cell, from now on, if nobody is delayed.
        improved: whether the coordinator found better orders than those of the plan.
    """

    robot: Int32s
    cell: Int32s
    time_ticks: Int32s
    improved: bool


@dataclass(frozen=True)
class Window:
    """What is planned.

    Args:
        cells: ``[N, S + 1]`` before and after each step.
        headings: ``[N]`` at the start.
        late_ticks: ``[N]`` ticks until each robot can begin.
    """

    cells: Int32s
    headings: Int32s
    late_ticks: Int32s


def decide_passing(
    window: Window,
    num_cells: int,
    rules: Rules,
    coordinator: Coordinator,
    budget: Budget,
    rng: np.random.Generator,
) -> Passing:
    """Let a coordinator decide who passes first.

    Of the plan only that part is looked at in which robots could also drive one after another
    (``sequential_steps``). An answer that is not certified, or worse than the plan, is not used.

    Raises:
        InputError: the coordinator cannot serve such graphs.
    """
    taken = sequential_steps(window.cells, num_cells)
    routes, step = _routes(window.cells, taken)
    graph = build_graph(routes, _motion(routes, window, rules), require_sequence=False)
    incumbent = assignment_from_times(graph, _event_steps(graph, step))
    chosen, improved = incumbent, False
    if graph.num_conflicts:
        outcome = coordinator(graph, budget, Objective.MEAN_TRAVEL, rng, incumbent=incumbent)
        chosen, improved = _better(graph, outcome.assignment, incumbent)
    return _entries(graph, chosen, improved)


def _routes(cells: Int32s, taken: Int32s) -> tuple[Routes, Int32s]:
    """Cells without waits, and the step after which each is reached."""
    kept = np.ones(cells.shape, dtype=bool)
    kept[:, 1:] = cells[:, 1:] != cells[:, :-1]
    kept &= np.arange(cells.shape[1]) <= taken[:, None]
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    step = np.broadcast_to(np.arange(cells.shape[1], dtype=np.int32), cells.shape)
    return Routes(cells[kept], offsets), step[kept]


def _motion(routes: Routes, window: Window, rules: Rules) -> Motion:
    """Durations in ticks; a turn takes place in the cell in which the direction changes."""
    action_ms = rules.ticks_per_action * TICK_MS
    together = rules.following is Following.TOGETHER
    return Motion(
        duration_ms=_durations_ms(routes, window, rules, action_ms),
        # Who is late stands in its first cell meanwhile, which nobody else may use; so it takes
        # longer there, and is not released later.
        release_ms=np.zeros(routes.num_robots, dtype=np.int32),
        headway_ms=1 if together else action_ms,
        parked=np.ones(len(window.cells), dtype=bool),
    )


def _durations_ms(routes: Routes, window: Window, rules: Rules, action_ms: int) -> Int32s:
    parts = []
    for robot in range(routes.num_robots):
        cells = routes.of(robot)
        ms = np.full(len(cells), action_ms, dtype=np.int32)
        if rules.gait is Gait.TURNING and len(cells) > 1:
            headings = directions(cells)
            before = np.concatenate([[window.headings[robot]], headings[:-1]])
            quarter = (headings - before) % 4
            ms[:-1] += action_ms * np.where(quarter == 3, 1, quarter).astype(np.int32)
        ms[0] += window.late_ticks[robot] * TICK_MS
        ms[-1] = 1  # it stays in its last cell; the graph wants a duration
        parts += [ms, np.zeros(1, dtype=np.int32)]
    return np.concatenate(parts)


def directions(cells: Int32s) -> Int32s:
    """``[L - 1]`` of the moves along neighbouring cells; floors are at least two cells wide."""
    step = np.diff(cells)
    return np.select([step == 1, step == -1, step > 0], [1, 3, 2], 0).astype(np.int32)


def _event_steps(graph: CoordinationGraph, step: Int32s) -> Int32s:
    """``[E]`` the step in which each event happens in the plan; the last ones never."""
    steps = np.full(graph.num_events, 2**30, dtype=np.int32)
    steps[graph.cell >= 0] = step
    return steps


def _better(
    graph: CoordinationGraph, answer: Assignment, incumbent: Assignment
) -> tuple[Assignment, bool]:
    if not certify(graph, answer).valid:
        return incumbent, False
    cost_s = evaluate(graph, answer).cost_s(Objective.MEAN_TRAVEL)
    better = cost_s < evaluate(graph, incumbent).cost_s(Objective.MEAN_TRAVEL)
    return (answer, True) if better else (incumbent, False)


def _entries(graph: CoordinationGraph, assignment: Assignment, improved: bool) -> Passing:
    time_ms = evaluate(graph, assignment).time_ms
    enters = graph.cell >= 0
    enters[graph.offsets[:-1]] = False  # where they stand already
    events = np.flatnonzero(enters)
    # Events of one robot, and visits of one cell, have different times.
    events = events[np.argsort(time_ms[events], kind="stable")]
    return Passing(
        robot=graph.event_robot[events],
        cell=graph.cell[events],
        time_ticks=(time_ms[events] + TICK_MS // 2) // TICK_MS,
        improved=improved,
    )
