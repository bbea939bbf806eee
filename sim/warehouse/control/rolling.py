# SPDX-License-Identifier: Apache-2.0
"""Control over a rolling horizon: plan a window, commit to its first steps, execute by precedence.

Every few ticks all robots of a world are planned together from where they will be once they have
done what they are committed to. The first steps of the plan become commitments, which are never
revoked, and are executed by precedence. Between plans nothing but precedence decides, so delays
need no new plan. With a coordinator, the plan gives the routes and the coordinator the passing
orders.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.interface import Budget, Coordinator
from sim.distances import neighbour_table
from sim.errors import InputError, require
from sim.layout import Layout
from sim.warehouse.chance import Keys
from sim.warehouse.control.guides import Guides
from sim.warehouse.control.interface import View
from sim.warehouse.control.oriented import OrientedFields, Steps
from sim.warehouse.control.passing import Window, decide_passing
from sim.warehouse.control.precedence import Executor, load, stage
from sim.warehouse.control.window import WindowSettings, plan_window, room_for
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.rules import Following, Rules
from sim.warehouse.world import inner, outer

Snapshot = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class RollingOptions:
    """How far is planned, and how often."""

    every_ticks: int = 5
    """A new plan every so many ticks, 1 to 1000."""

    after_ticks: int = 0
    """A plan takes effect so many ticks later, 0 or ``every_ticks``: the time to think."""

    commit_steps: int | None = None
    """Steps of a plan that become commitments, 1 to ``window.steps``; a step is one action. By
    default as many as there is time for until the next plan."""

    window: WindowSettings = field(default_factory=WindowSettings)

    coordinator_steps: int = 200
    """Steps of the coordinator in each window, 1 to 1000000."""

    def commitment(self, action_ticks: int) -> int:
        """Steps of a plan that become commitments, rounded up: what is held up is made up for."""
        if self.commit_steps is not None:
            return self.commit_steps
        return min(-(-self.every_ticks // action_ticks), self.window.steps)

    def __post_init__(self) -> None:
        require("every_ticks", self.every_ticks, 1 <= self.every_ticks <= 1000, "1 to 1000")
        late = self.after_ticks in (0, self.every_ticks)
        require("after_ticks", self.after_ticks, late, f"0, or every_ticks, {self.every_ticks}")
        commit, most = self.commit_steps, self.window.steps
        require("commit_steps", commit, commit is None or 1 <= commit <= most, f"1 to {most}")
        steps = self.coordinator_steps
        require("coordinator_steps", steps, 1 <= steps <= 1_000_000, "1 to 1000000")


class RollingController:
    """Drives W worlds; a ``Controller``.

    Args:
        layout, rules: of the worlds.
        options: how.
        fleet: where the robots start, at rest.
        keys: ``[W]`` chance of each world.
        fields: steps to goals, may be shared. If those to all goals ahead do not fit, plans end at
            the next one; if these do not fit either, robots of this world have boxes (``Guides``)
            from then on.
        coordinator: decides passing orders; None: those of the plan.
        apart: ``[cells, 4]`` bool, moves in which a robot follows nobody; None: nowhere.
    """

    def __init__(
        self,
        layout: Layout,
        rules: Rules,
        options: RollingOptions,
        fleet: Fleet,
        keys: Keys,
        fields: OrientedFields,
        coordinator: Coordinator | None = None,
        apart: NDArray[np.bool_] | None = None,
    ) -> None:
        self._rules, self._options, self._keys = rules, options, keys
        together = rules.following is Following.TOGETHER
        self._rounding = rules.ticks_per_action // 2
        self._settings = replace(options.window, straight_only=not together)
        self._neighbours, self._fields = neighbour_table(layout), fields
        self._coordinator = coordinator
        worlds, robots = fleet.cell.shape
        self._executors = [
            Executor(self._neighbours, rules, stage(cell, heading, layout.free.size), apart)
            for cell, heading in zip(fleet.cell, fleet.heading, strict=True)
        ]
        steps = options.window.steps
        self._pending = np.zeros((worlds, robots, steps), dtype=np.int8)
        # With a coordinator instead: robots and cells of entries, -1 beyond the last.
        self._entries = np.full((worlds, 2, robots * steps if coordinator else 0), -1, np.int32)
        self._room = room_for(self._settings, layout.width, len(self._neighbours), fields.headings)
        self._guides: list[Guides | None] = [None] * worlds
        self.improved = np.zeros(worlds, dtype=np.int64)
        self.windows = np.zeros(worlds, dtype=np.int64)

    @property
    def is_coordinated(self) -> bool:
        """Whether a coordinator decides passing orders."""
        return self._coordinator is not None

    def act(self, view: View) -> Int8s:
        """``[W, N]`` what each robot is told in this tick."""
        actions = np.zeros(view.fleet.cell.shape, dtype=np.int8)
        for world, executor in enumerate(self._executors):
            executor.notice(view.fleet, world)
            if view.tick % self._options.every_ticks == 0:
                self._plan(world, executor, view)
            actions[world] = executor.commands(view.fleet, world)
        return actions

    def _plan(self, world: int, executor: Executor, view: View) -> None:
        """Commit to what was planned earlier or is planned now."""
        steps = self._options.commitment(self._rules.ticks_per_action)
        if self._options.after_ticks:
            self._commit(world, executor, steps)
        plan = self._window(world, executor, view)
        self.windows[world] += 1
        if self._coordinator is None:
            self._pending[world] = plan.actions
        else:
            self._coordinate(world, executor, view, plan.cells)
        if not self._options.after_ticks:
            self._commit(world, executor, steps)

    def _commit(self, world: int, executor: Executor, steps: int) -> None:
        """Commit to what is planned and not yet in effect."""
        if self._coordinator is None:
            executor.commit(self._pending[world], steps)
            self._pending[world] = np.roll(self._pending[world], -steps, axis=1)
            self._pending[world, :, -steps:] = 0
            return
        robots, cells = self._entries[world]
        known = robots >= 0
        executor.commit_entries(robots[known], cells[known])

    def _window(self, world: int, executor: Executor, view: View) -> Any:
        goals = executor.goals_left(view.goals[world])
        rows, fields = self._distances(world, executor.staged.cell, goals)
        goals = goals[:, : rows.shape[1]]
        spare = executor.finish_ticks(view.fleet, world) - self._options.after_ticks
        late = np.maximum(0, spare + self._rounding) // self._rules.ticks_per_action
        return plan_window(
            self._neighbours,
            fields,
            executor.staged.cell,
            executor.staged.heading,
            rows,
            goals,
            tails(fields, rows, goals),
            np.ones(len(goals), dtype=np.int32),
            self._settings,
            self._keys[world],
            view.tick,
            late=late.astype(np.int32),
            earlier=self._pending[world],
            room=self._room,
        )

    def _distances(self, world: int, cell: Int32s, goals: Int32s) -> tuple[Int32s, Steps]:
        """``[N, K]`` rows of the goals, K is 1 if more do not fit; and what they are rows of."""
        if self._guides[world] is None:
            for ahead in (goals, goals[:, :1]):
                if self._fields.fits(ahead):
                    return self._fields.rows(ahead), self._fields.steps
        guides = self._guide(world, len(cell))
        rows = guides.rows(cell, goals[:, 0])[:, None]
        return rows, Steps(guides.data, guides.place, self._fields.layout.width)

    def _guide(self, world: int, robots: int) -> Guides:
        """The boxes of a world, from the first call on."""
        guides = self._guides[world]
        if guides is None:
            fields, worlds = self._fields, len(self._guides)
            fields.forget()
            guides = self._guides[world] = Guides(
                fields.layout, robots, fields.headings, self._settings.steps + 1,
                fields.capacity_mib / worlds,
            )  # fmt: skip
        return guides

    def _coordinate(self, world: int, executor: Executor, view: View, cells: Int32s) -> None:
        assert self._coordinator is not None
        staged, options = executor.staged, self._options
        action_ticks = self._rules.ticks_per_action
        late = np.maximum(0, executor.finish_ticks(view.fleet, world) - options.after_ticks)
        window = Window(cells, staged.heading.astype(np.int32), late.astype(np.int32))
        rng = np.random.default_rng([int(self._keys[world]), view.tick])
        passing = decide_passing(
            window, len(self._neighbours), self._rules, self._coordinator,
            Budget(steps=options.coordinator_steps), rng,
        )  # fmt: skip
        self.improved[world] += passing.improved
        horizon = options.commitment(action_ticks) * action_ticks
        soon = passing.time_ticks <= horizon
        self._entries[world] = -1
        self._entries[world, :, : soon.sum()] = passing.robot[soon], passing.cell[soon]

    def snapshot(self) -> Snapshot:
        """What every robot is committed to, and what is planned and not yet in effect."""
        parts: Snapshot = {"pending": self._pending.copy(), "entries": self._entries.copy(),
                 "improved": self.improved.copy(), "windows": self.windows.copy()}  # fmt: skip
        for world, executor in enumerate(self._executors):
            arrays = {name: array.copy() for name, array in executor.staged._asdict().items()}
            parts |= outer(arrays, f"staged-{world}")
        for world, guides in enumerate(self._guides):
            if guides is not None:
                parts |= outer(guides.snapshot(), f"guides-{world}")
        return parts

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: it is of other worlds or another controller.
        """
        for name, own in (("pending", self._pending), ("entries", self._entries),
                          ("improved", self.improved), ("windows", self.windows)):  # fmt: skip
            given = snapshot.get(name)
            if given is None or given.shape != own.shape:
                raise InputError(f"snapshot: {name} is none of a controller of such worlds")
            own[:] = given
        for world, executor in enumerate(self._executors):
            executor.staged = load(executor.staged, inner(snapshot, f"staged-{world}"))
            self._guides[world], guides = None, inner(snapshot, f"guides-{world}")
            if guides:
                self._guide(world, len(executor.staged.cell)).restore(guides)


def tails(fields: Steps, rows: Int32s, goals: Int32s) -> Int32s:
    """``[N, K]`` steps from each goal through all later ones, turns at goals not counted."""
    left = np.zeros(goals.shape, dtype=np.int32)
    for place in range(goals.shape[1] - 2, -1, -1):
        there = rows[:, place + 1] >= 0
        legs = fields.data[rows[there, place + 1], fields.place[goals[there, place]]].min(axis=1)
        left[there, place] = left[there, place + 1] + legs
    return left
