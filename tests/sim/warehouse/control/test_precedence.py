# SPDX-License-Identifier: Apache-2.0
"""Execution by precedence: compiled against plain Python; all is done in turn, none refused."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest

from sim.distances import neighbour_table
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.pibt_rollout import pibt_rollout
from sim.warehouse.control.precedence import CAPACITY, Executor, load, stage
from sim.warehouse.control.precedence_reference import ExecutorReference
from sim.warehouse.control.rolling import tails
from sim.warehouse.control.window import WindowSettings, plan_window
from sim.warehouse.fleet import Fleet, Int32s, fleet_at, random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.motion_reference import Robot
from sim.warehouse.rules import FORWARD, Following, Gait, Rules
from tests.sim.warehouse.control.driving import ALL_RULES, biconnected_floor

KEY = world_keys(3, [0])[0]
PLAN_STEPS = 6


def robots_of(fleet: Fleet) -> list[Robot]:
    return [Robot(*map(int, values)) for values in zip(*(a[0] for a in fleet), strict=True)]


@dataclass
class Floor:
    """One world that executes random plans, by the kernel and by its twin."""

    layout: Layout
    rules: Rules
    fleet: Fleet
    rng: np.random.Generator
    entered: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    worked: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    told: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.neighbours = neighbour_table(self.layout)
        cell, heading = self.fleet.cell[0], self.fleet.heading[0]
        staged = stage(cell, heading, self.layout.free.size)
        self.executor = Executor(self.neighbours, self.rules, staged)
        self.twin = ExecutorReference(self.neighbours, self.rules, robots_of(self.fleet))
        self.motion = Motion(self.neighbours, self.rules)
        self.fields = Fields(self.layout, 1)
        self.oriented = OrientedFields(self.layout, self.rules.gait, 1)

    def look(self) -> None:
        """Note what is finished, and that all that is not is as it was promised."""
        self.executor.notice(self.fleet, 0)
        self.twin.notice(robots_of(self.fleet))
        for robot, own in enumerate(self.twin.lists):
            assert self.worked[robot] + list(own) == self.told[robot]
        assert self.executor.staged.length.tolist() == [len(own) for own in self.twin.lists]

    def commit_rollout(self, tick: int) -> None:
        """Entries into cells as PIBT plans them, those in front first."""
        robots = self.fleet.cell.shape[1]
        goals = self.rng.choice(self.layout.free_cells, (robots, 2)).astype(np.int32)
        cells = pibt_rollout(
            self.neighbours, self.fields.arrays, self.executor.staged.cell, self.fields.rows(goals),
            self.rng.permutation(robots) / robots, np.zeros(0, dtype=np.bool_), KEY, tick,
            PLAN_STEPS, False,
        )  # fmt: skip
        entries = [pair for step in range(PLAN_STEPS) for pair in entries_of(cells, step)]
        pairs = np.array(entries, dtype=np.int32).reshape(-1, 2)
        self._promise(lambda: self.executor.commit_entries(pairs[:, 0].copy(), pairs[:, 1].copy()),
                      lambda: self.twin.commit_entries(*pairs.T.tolist()))  # fmt: skip

    def commit_window(self, tick: int) -> None:
        """Actions as windows have them."""
        staged = self.executor.staged
        goals = self.rng.choice(self.layout.free_cells, (len(staged.cell), 2)).astype(np.int32)
        rows = self.oriented.rows(goals)
        straight = self.rules.following is not Following.TOGETHER
        how = WindowSettings(steps=PLAN_STEPS, iterations=20, straight_only=straight)
        plan = plan_window(
            self.neighbours, self.oriented.steps, staged.cell, staged.heading, rows, goals,
            tails(self.oriented.steps, rows, goals), np.ones(len(goals), dtype=np.int32), how, KEY,
            tick,
        ).actions  # fmt: skip
        self._promise(lambda: self.executor.commit(plan, PLAN_STEPS),
                      lambda: self.twin.commit(plan.tolist(), PLAN_STEPS))  # fmt: skip

    def _promise(self, ours, theirs) -> None:  # type: ignore[no-untyped-def]
        before = [len(own) for own in self.twin.lists]
        queued = {cell: len(queue) for cell, queue in self.twin.queues.items()}
        ours()
        theirs()
        for robot, own in enumerate(self.twin.lists):
            self.told[robot] += list(own)[before[robot] :]
        for cell, queue in self.twin.queues.items():
            self.promised[cell] += list(queue)[queued.get(cell, 0) :]
        staged = self.executor.staged
        ends = list(zip(staged.cell.tolist(), staged.heading.tolist(), strict=True))
        assert ends == self.twin.ends

    def tick(self, delays: float) -> None:
        """Both say the same; nobody is refused but under rules that need the others to move."""
        actions = self.executor.commands(self.fleet, 0)
        assert actions.tolist() == self.twin.commands(robots_of(self.fleet))
        left = self.fleet.delay_ticks
        left[:] = np.maximum(left - 1, 0)
        struck = (self.rng.random(left.shape) < delays) & (left == 0)
        left[struck] = self.rng.integers(1, 12, struck.sum())
        before = robots_of(self.fleet)
        moved = self.motion.step(self.fleet, actions[None])
        if self.rules.following is not Following.TOGETHER:
            assert not moved.refused.any()
        for robot, (old, new) in enumerate(zip(before, robots_of(self.fleet), strict=True)):
            if old.cell != new.cell:
                self.entered[new.cell].append(robot)
            if moved.executed[0, robot] != 0 and new.progress == 0:
                self.worked[robot].append(int(moved.executed[0, robot]))

    @property
    def is_done(self) -> bool:
        return not self.executor.staged.length.any()


def entries_of(cells: Int32s, step: int) -> list[tuple[int, int]]:
    """Who enters which cell in a step, those in front first."""
    moving = {r: int(c) for r, c in enumerate(cells[step + 1]) if c != cells[step, r]}
    stood = {int(cells[step, robot]): robot for robot in moving}
    entries: list[tuple[int, int]] = []
    while moving:
        robot = next(r for r, cell in moving.items() if stood.get(cell) not in moving)
        entries.append((robot, moving.pop(robot)))
    return entries


def floor(rules: Rules, seed: int, share: float) -> Floor:
    rng = np.random.default_rng(seed)
    layout = biconnected_floor(7, rng)
    robots = max(2, round(share * len(layout.free_cells)))
    return Floor(layout, rules, fleet_at(random_starts(layout, robots, 1, rng)), rng)


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("planner", ["rollout", "window"])
def test_everything_is_done_in_turn_whatever_the_delays(
    rules: Rules, share: float, planner: str
) -> None:
    at = floor(rules, int(10 * share), share)
    commit = at.commit_rollout if planner == "rollout" else at.commit_window
    for tick in range(120):
        at.look()
        if tick % 9 == 0:
            commit(tick)
        at.tick(delays=0.08)
    ticks_left = rules.ticks_per_action * sum(map(len, at.twin.lists)) + 100
    for _ in range(ticks_left):
        at.look()
        if at.is_done:
            break
        at.tick(delays=0.0)
    assert at.is_done
    assert sum(map(len, at.worked.values())) > 10
    assert at.entered == {cell: robots for cell, robots in at.promised.items() if robots}


@pytest.mark.parametrize("gait", Gait)
@pytest.mark.parametrize("planner", ["rollout", "window"])
def test_what_does_not_fit_is_left_out_by_both(gait: Gait, planner: str) -> None:
    """Robots that stand still while plan after plan is made for them."""
    at = floor(Rules(gait, 2, Following.NEVER), 4, 0.3)
    commit = at.commit_rollout if planner == "rollout" else at.commit_window
    for tick in range(60):
        commit(tick)
    lengths = at.executor.staged.length
    assert lengths.max() >= CAPACITY - 2
    assert lengths.tolist() == [len(own) for own in at.twin.lists]
    for _ in range(20_000):
        at.look()
        if at.is_done:
            break
        at.tick(delays=0.02)
    assert at.entered == {cell: robots for cell, robots in at.promised.items() if robots}


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
def test_goals_on_the_way_are_not_left(rules: Rules) -> None:
    at = floor(rules, 5, 0.4)
    some_done = False
    for tick in range(60):
        at.look()
        if tick % 9 == 0:
            at.commit_window(tick)
        # Cells of the way itself, sometimes, so that there is something to meet.
        goals = at.rng.choice(at.layout.free_cells, (len(at.twin.lists), 3)).astype(np.int32)
        there = at.rng.random(len(goals)) < 0.5
        goals[there, 0] = at.executor.staged.cell[there]
        goals[at.rng.random(len(goals)) < 0.2, 1:] = -1
        left = at.executor.goals_left(goals)
        assert left.tolist() == at.twin.goals_left(goals.tolist())
        some_done |= bool((left != goals).any())
        at.tick(delays=0.1)
    assert some_done


def test_a_robot_never_enters_before_its_turn() -> None:
    """Two cross; the one that is to come second is nearer and waits for ever."""
    layout = Layout("cross", np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_))
    fleet = fleet_at(np.array([[1, 3]], dtype=np.int32))
    rules = Rules(Gait.SLIDING, 1, Following.TOGETHER)
    staged = stage(fleet.cell[0], fleet.heading[0], 9)
    executor = Executor(neighbour_table(layout), rules, staged)
    executor.commit_entries(np.array([0, 0, 1], np.int32), np.array([4, 7, 4], np.int32))
    fleet.delay_ticks[0, 0] = 1000
    for _ in range(20):
        executor.notice(fleet, 0)
        assert executor.commands(fleet, 0).tolist() == [3, 0]


def test_snapshots_of_other_worlds_are_refused() -> None:
    cells = np.array([0, 3], dtype=np.int32)
    staged = stage(cells, np.ones(2, dtype=np.int8), 9)
    arrays = dict(staged._asdict())
    assert all(map(np.array_equal, load(staged, arrays), staged))
    with pytest.raises(InputError, match=r"issued has the shape \(8,\); allowed: \(9,\)"):
        load(staged, arrays | {"issued": np.zeros(8, dtype=np.int32)})
    with pytest.raises(InputError, match="snapshot: length"):
        load(staged, {name: array for name, array in arrays.items() if name != "length"})
    with pytest.raises(InputError, match="snapshot: actions"):
        load(staged, arrays | {"actions": arrays["actions"].astype(np.float64)})


def test_forward_is_the_only_action_that_enters_a_cell_for_those_who_turn() -> None:
    layout = Layout("hall", np.ones((3, 3), dtype=np.bool_))
    staged = stage(np.array([4], np.int32), np.array([1], np.int8), 9)
    executor = Executor(neighbour_table(layout), ALL_RULES[4], staged)
    executor.commit_entries(np.array([0, 0], np.int32), np.array([3, 0], np.int32))
    assert staged.actions[0, :5].tolist() == [2, 2, FORWARD, 2, FORWARD]
    assert staged.numbers[0, :5].tolist() == [-1, -1, 0, -1, 0]
