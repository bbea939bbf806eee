# SPDX-License-Identifier: Apache-2.0
"""A controller that plans one cell ahead: priority inheritance with backtracking in every tick."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.chance import Keys, bits
from sim.warehouse.control.fields import FieldArrays, Fields
from sim.warehouse.control.guides import Guides
from sim.warehouse.control.interface import NO_GOAL, View
from sim.warehouse.control.pibt_actions import actions_for, commitments
from sim.warehouse.control.pibt_kernel import plan_worlds
from sim.warehouse.control.pibt_state import Floats, Robots
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.rules import Following, Gait, Rules
from sim.warehouse.world import inner, outer

RANKS = 62
"""The role of the numbers that rank robots of equal patience."""

REACH = 8
"""Boxes are moved on before a robot is so near their edge or their waypoint, in cells."""

Int64s = NDArray[np.int64]


class PibtController:
    """Drives robots by PIBT, whatever the rules; who reached a goal longest ago goes first.

    Cells are planned anew in every tick, and robots turn and wait until they may enter the one
    planned. A robot without a goal stays where it is in nobody's way.

    Once there are more goals at once than fit into the memory, it uses boxes around the robots
    (``Guides``) from then on.

    Args:
        layout: the floor.
        rules: of all worlds.
        keys: ``[W]`` of the worlds, for ties.
        capacity_mib: memory for distances.
        reach: how far ahead distances are read, in cells, from 1.

    Raises:
        InputError: not even one goal fits into the memory.
    """

    def __init__(
        self,
        layout: Layout,
        rules: Rules,
        keys: Keys,
        capacity_mib: float = 1024,
        reach: int = REACH,
    ) -> None:
        self.rules, self.keys = rules, keys
        self.fields = Fields(layout, capacity_mib)
        self._capacity_mib, self._reach = capacity_mib, reach
        self._guides: Guides | None = None
        self._begin(0)

    def act(self, view: View, wanted: Int32s | None = None) -> Int8s:
        """``[W, N]``: an action for each robot.

        Args:
            view: of all worlds.
            wanted: ``[W, N]`` the cell that each robot is to enter, or its own to wait, where
                possible; -1: no wish.

        Raises:
            InputError: as many worlds as keys are needed; a goal is no free cell, or neither the
                distances to all goals at once nor boxes fit into the memory.
        """
        fleet, (worlds, count) = view.fleet, view.fleet.cell.shape
        self.prepare(worlds, count)
        goals = np.ascontiguousarray(view.goals[:, :, 0])
        rows, distances = self.distances(fleet.cell, view.goals[:, :, :1])
        turning, following = self.rules.gait is Gait.TURNING, self.rules.following
        closed = np.zeros((worlds, 0), np.bool_) if view.closed is None else view.closed
        robots = self._robots(view, np.ascontiguousarray(rows[:, :, 0]), wanted)
        commitments(self.fields.neighbours, turning, fleet, robots)
        _grow_patient(fleet.cell, goals, self._aim, self._elapsed, self._rank, robots.priority)
        together = following is Following.TOGETHER
        planned = plan_worlds(
            self.fields.neighbours, distances, robots, closed, self.keys, view.tick, together,
            self._order,
        )  # fmt: skip
        self._kept = planned
        return actions_for(
            self.fields.neighbours, turning, following is Following.STRAIGHT, together, fleet,
            closed, planned,
        )  # fmt: skip

    def distances(self, cell: Int32s, goals: Int32s) -> tuple[Int32s, FieldArrays]:
        """Rows of the robots' goals, and distances to them that can be read around the robots.

        Args:
            cell: ``[W, N]`` where robots are.
            goals: ``[W, N, K]``, -1: none.

        Returns:
            ``[W, N, K]``, less where they do not fit: K is 1 then.

        Raises:
            InputError: as of ``act``.
        """
        if self._guides is None:
            if self.fields.fits(goals):
                return self.fields.rows(goals), self.fields.arrays
            if self.fields.fits(goals[:, :, 0]):
                return self.fields.rows(goals[:, :, :1]), self.fields.arrays
            self._guides = self._guide(cell.size)
        rows = self._guides.rows(cell.ravel(), goals[:, :, 0].ravel())
        arrays = FieldArrays(self._guides.data[:, :, 0], self._guides.place)
        return rows.reshape(*cell.shape, 1), arrays

    def _guide(self, robots: int) -> Guides:
        self.fields.forget()
        return Guides(self.fields.layout, robots, 1, self._reach, self._capacity_mib)

    def prepare(self, worlds: int, robots: int) -> None:
        """Start anew if there are other robots than before.

        Raises:
            InputError: other worlds than keys.
        """
        require("worlds", worlds, worlds == len(self.keys), f"{len(self.keys)}, one per key")
        if robots != self._elapsed.shape[1]:
            self._begin(robots)

    @property
    def priority(self) -> Floats:
        """``[W, N]`` ticks since each robot was at its goal, plus a distinct fraction of 1."""
        return self._elapsed + self._rank

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What it remembers, ``[W, N]``: ticks since the last goal, the goal, the cell planned.

        With boxes also where they are.
        """
        own = {
            "elapsed": self._elapsed.copy(),
            "aim": self._aim.copy(),
            "kept": self._kept.copy(),
        }
        return own if self._guides is None else own | outer(self._guides.snapshot(), "guides")

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller with as many worlds.
        """
        guides = inner(snapshot, "guides")
        snapshot = {name: a for name, a in snapshot.items() if not name.startswith("guides/")}
        kinds = {name: (array.ndim, array.dtype.name) for name, array in snapshot.items()}
        wanted = {"elapsed": (2, "int64"), "aim": (2, "int32"), "kept": (2, "int32")}
        shapes = {array.shape for array in snapshot.values()}
        if kinds != wanted or len(shapes) != 1 or len(snapshot["aim"]) != len(self.keys):
            raise InputError(
                f"snapshot of PIBT has {kinds} with shapes {shapes}; allowed: {wanted} of "
                f"{len(self.keys)} worlds"
            )
        self._begin(snapshot["aim"].shape[1])
        self._elapsed, self._aim, self._kept = (snapshot[name].copy() for name in wanted)
        if guides:
            self._guides = self._guide(self._aim.size)
            self._guides.restore(guides)

    def _begin(self, count: int) -> None:
        shape = len(self.keys), count
        self._guides = None
        self._elapsed = np.zeros(shape, dtype=np.int64)
        self._aim, self._kept = (np.full(shape, NO_GOAL, dtype=np.int32) for _ in range(2))
        self._nothing = np.full(shape, -1, dtype=np.int32)
        self._rank: Floats = _ranks(self.keys, count)
        self._order: Int32s = np.tile(np.arange(count, dtype=np.int32), (shape[0], 1))

    def _robots(self, view: View, rows: Int32s, wanted: Int32s | None) -> Robots:
        cell = view.fleet.cell
        return Robots(
            cell=cell,
            entering=np.empty_like(cell),
            fixed=np.empty(cell.shape, dtype=np.int8),
            row=rows,
            priority=np.empty(cell.shape),
            facing=np.empty(cell.shape, dtype=np.int8),
            kept=self._kept,
            wanted=self._nothing if wanted is None else wanted,
        )


def _ranks(keys: Keys, count: int) -> Floats:
    """``[W, N]`` distinct fractions in [0, 1), in an order by chance."""
    chance = np.array([[bits(key, 0, robot, RANKS) for robot in range(count)] for key in keys])
    places: Int64s = np.argsort(np.argsort(chance.reshape(len(keys), count)))
    return places / max(count, 1)


@kernel
def _grow_patient(
    cell: Int32s, goals: Int32s, aim: Int32s, elapsed: Int64s, rank: Floats, priority: Floats
) -> None:
    """Count ticks since each robot was at its goal; who has no goal comes last."""
    num_worlds, num_robots = cell.shape
    for world in range(num_worlds):
        for robot in range(num_robots):
            goal = goals[world, robot]
            there = cell[world, robot] == goal or cell[world, robot] == aim[world, robot]
            patience = 0 if there or goal < 0 else elapsed[world, robot] + 1
            elapsed[world, robot], aim[world, robot] = patience, goal
            base = -1 if goal < 0 else patience
            priority[world, robot] = base + rank[world, robot]
