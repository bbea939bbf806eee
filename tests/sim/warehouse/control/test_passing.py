# SPDX-License-Identifier: Apache-2.0
"""Passing orders of windows: certified, never worse than the plan's, and nonsense is not used."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.fcfs import first_come_first_served
from sim.coordinators.insertion import rank_insertion
from sim.coordinators.interface import Budget, Coordinator, Outcome, Status
from sim.coordinators.local_search import local_search
from sim.distances import neighbour_table
from sim.graph import CoordinationGraph
from sim.layout import Layout
from sim.schedule import Assignment, Objective, evaluate
from sim.times import assignment_from_times
from sim.warehouse.chance import world_keys
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.passing import Passing, Window, decide_passing
from sim.warehouse.control.precedence import Executor, stage
from sim.warehouse.control.rolling import tails
from sim.warehouse.control.window import WindowSettings, plan_window
from sim.warehouse.fleet import Fleet, fleet_at, random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.rules import GRID, Following, Gait, Rules, league
from tests.sim.warehouse.control.driving import biconnected_floor

RULES = [GRID, league(3), Rules(Gait.SLIDING, 2, Following.NEVER)]


@dataclass(frozen=True)
class Case:
    """A window on a random floor, with robots that are late."""

    layout: Layout
    rules: Rules
    fleet: Fleet
    window: Window

    def passing(self, coordinator: Coordinator) -> Passing:
        cells, rng = self.layout.free.size, np.random.default_rng(0)
        return decide_passing(self.window, cells, self.rules, coordinator, Budget(steps=60), rng)


def case(rules: Rules, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    layout = biconnected_floor(7, rng)
    fleet = fleet_at(random_starts(layout, 14, 1, rng))
    fleet.heading[:] = rng.integers(0, 4, fleet.heading.shape)
    goals = rng.choice(layout.free_cells, (14, 2)).astype(np.int32)
    fields = OrientedFields(layout, rules.gait, 1)
    rows = fields.rows(goals)
    steps = fields.steps
    how = WindowSettings(iterations=50, straight_only=rules.following is not Following.TOGETHER)
    plan = plan_window(
        neighbour_table(layout), steps, fleet.cell[0], fleet.heading[0], rows, goals,
        tails(steps, rows, goals), np.ones(14, dtype=np.int32), how, world_keys(0, [0])[0], 0,
    )  # fmt: skip
    late = rng.integers(0, 12, 14) * (rng.random(14) < 0.4)
    headings = fleet.heading[0].astype(np.int32)
    return Case(layout, rules, fleet, Window(plan.cells, headings, late.astype(np.int32)))


@dataclass
class Spy:
    """Answers as another coordinator does, and remembers what it was asked."""

    behind: Coordinator
    graphs: list[CoordinationGraph] = field(default_factory=list)
    incumbents: list[Assignment] = field(default_factory=list)

    def __call__(self, graph: Any, *rest: Any, incumbent: Any = None) -> Outcome:
        self.graphs.append(graph)
        self.incumbents.append(incumbent)
        return self.behind(graph, *rest, incumbent=incumbent)


def answer(assignment: Assignment) -> Outcome:
    return Outcome(assignment, Status.FEASIBLE, None, 1)


def content(*_: Any, incumbent: Any = None) -> Outcome:
    """A coordinator to whom the plan is good enough."""
    return answer(incumbent)


def assignment_of(graph: CoordinationGraph, passing: Passing) -> Assignment:
    """Who passes first everywhere, by the places in the list of entries."""
    place = np.full(graph.num_events, 2**30, dtype=np.int32)
    nexts = graph.offsets[:-1].copy()
    place[nexts] = -1
    for index, (robot, cell) in enumerate(zip(passing.robot, passing.cell, strict=True)):
        nexts[robot] += 1
        assert graph.cell[nexts[robot]] == cell
        place[nexts[robot]] = index
    return assignment_from_times(graph, place)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("coordinator", [rank_insertion, local_search])
def test_orders_are_certified_and_never_worse_than_the_plan(
    rules: Rules, coordinator: Coordinator
) -> None:
    improved = 0
    for seed in range(8):
        at, spy = case(rules, seed), Spy(coordinator)
        passing = at.passing(spy)
        (graph,), (incumbent,) = spy.graphs, spy.incumbents
        chosen = assignment_of(graph, passing)
        assert certify(graph, incumbent).valid
        assert certify(graph, chosen).valid
        costs = [
            evaluate(graph, replace(one, following=graph.following_allowed)).cost_s(
                Objective.MEAN_TRAVEL
            )
            for one in (chosen, incumbent)
        ]
        assert costs[0] < costs[1] if passing.improved else costs[0] == costs[1]
        improved += passing.improved
    assert improved > 0


def turned(*_: Any, incumbent: Any = None) -> Outcome:
    """All orders the other way round, those that are forced included."""
    return answer(replace(incumbent, order=(1 - incumbent.order).astype(np.int8)))


def short(*_: Any, incumbent: Any = None) -> Outcome:
    return answer(Assignment(incumbent.order[:-1], incumbent.following[:-1]))


def out_of_range(*_: Any, incumbent: Any = None) -> Outcome:
    return answer(replace(incumbent, order=np.full_like(incumbent.order, 7)))


def too_close(*_: Any, incumbent: Any = None) -> Outcome:
    """Everybody follows, those who drive towards each other included."""
    return answer(replace(incumbent, following=np.ones_like(incumbent.following)))


@pytest.mark.parametrize("nonsense", [turned, short, out_of_range, too_close])
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_what_is_not_certified_is_not_used(rules: Rules, nonsense: Coordinator) -> None:
    for seed in range(4):
        at = case(rules, seed)
        passing, plain = at.passing(nonsense), at.passing(content)
        assert not passing.improved
        assert all((a == b).all() for a, b in zip(passing[:3], plain[:3], strict=True))


def test_what_is_worse_is_not_used() -> None:
    worse = 0
    for seed in range(8):
        at, spy = case(GRID, seed), Spy(first_come_first_served)
        passing = at.passing(spy)
        if not passing.improved:
            worse += 1
            plain = at.passing(content)
            assert (passing.robot == plain.robot).all()
    assert worse > 0


def test_nobody_in_anybodys_way_needs_no_coordinator() -> None:
    def never(*_: object, **__: object) -> Outcome:
        raise AssertionError

    layout = Layout("hall", np.ones((3, 4), dtype=np.bool_))
    cells = np.array([[0, 1, 1], [8, 8, 9]], dtype=np.int32)
    window = Window(cells, np.ones(2, dtype=np.int32), np.array([0, 5], dtype=np.int32))
    passing = decide_passing(window, 12, GRID, never, Budget(steps=1), np.random.default_rng(0))
    assert passing.robot.tolist() == [0, 1]
    assert passing.cell.tolist() == [1, 9]
    assert passing.time_ticks.tolist() == [1, 6]
    assert layout.free.size == 12


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("coordinator", [rank_insertion, content])
def test_without_new_delays_nobody_is_later_than_the_orders_say(
    rules: Rules, coordinator: Coordinator
) -> None:
    """Followers are earlier where they need not wait until the one before has gone."""
    for seed in range(6):
        at = case(rules, seed)
        passing = at.passing(coordinator)
        fleet, neighbours = at.fleet, neighbour_table(at.layout)
        fleet.delay_ticks[0] = at.window.late_ticks
        staged = stage(fleet.cell[0], fleet.heading[0], at.layout.free.size)
        executor, motion = Executor(neighbours, rules, staged), Motion(neighbours, rules)
        executor.commit_entries(passing.robot, passing.cell)
        entered: dict[int, list[int]] = {robot: [] for robot in range(14)}
        for tick in range(int(passing.time_ticks.max())):
            executor.notice(fleet, 0)
            before = fleet.cell[0].copy()
            motion.step(fleet, executor.commands(fleet, 0)[None])
            fleet.delay_ticks[:] = np.maximum(fleet.delay_ticks - 1, 0)
            for robot in np.flatnonzero(fleet.cell[0] != before).tolist():
                entered[robot].append(tick + 1)
        for robot, ticks in entered.items():
            due = passing.time_ticks[passing.robot == robot].tolist()
            assert len(ticks) == len(due)
            assert all(tick <= last for tick, last in zip(ticks, due, strict=True))
