# SPDX-License-Identifier: Apache-2.0
"""A controller that plans one cell ahead: priority inheritance with backtracking in every tick."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.chance import Keys, bits
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import NO_GOAL, View
from sim.warehouse.control.pibt_actions import actions_for, commitments
from sim.warehouse.control.pibt_kernel import plan_worlds
from sim.warehouse.control.pibt_state import Floats, Robots
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.rules import Following, Gait, Rules

RANKS = 62
"""The role of the numbers that rank robots of equal patience."""

Int64s = NDArray[np.int64]


class PibtController:
    """Drives robots by PIBT, whatever the rules; who reached a goal longest ago goes first.

    Cells are planned anew in every tick, and robots turn and wait until they may enter the one
    planned. A robot without a goal stays where it is in nobody's way.

    Args:
        layout: the floor.
        rules: of all worlds.
        keys: ``[W]`` of the worlds, for ties.
        capacity_mib: memory for distances, at least 1.

    Raises:
        InputError: not even one goal fits into the memory.
    """

    def __init__(self, layout: Layout, rules: Rules, keys: Keys, capacity_mib: int = 1024) -> None:
        self.rules, self.keys = rules, keys
        self.fields = Fields(layout, capacity_mib)
        self._begin(0)

    def act(self, view: View, wanted: Int32s | None = None) -> Int8s:
        """``[W, N]``: an action for each robot.

        Args:
            view: of all worlds.
            wanted: ``[W, N]`` the cell that each robot is to enter, or its own to wait, where
                possible; -1: no wish.

        Raises:
            InputError: as many worlds as keys are needed; a goal is no free cell, or there are
                more goals at once than the memory holds.
        """
        fleet, (worlds, count) = view.fleet, view.fleet.cell.shape
        self.prepare(worlds, count)
        goals = np.ascontiguousarray(view.goals[:, :, 0])
        rows = self.fields.rows(goals)
        turning, following = self.rules.gait is Gait.TURNING, self.rules.following
        closed = np.zeros((worlds, 0), np.bool_) if view.closed is None else view.closed
        robots = self._robots(view, rows, wanted)
        commitments(self.fields.neighbours, turning, fleet, robots)
        _grow_patient(fleet.cell, goals, self._aim, self._elapsed, self._rank, robots.priority)
        together = following is Following.TOGETHER
        planned = plan_worlds(
            self.fields.neighbours, self.fields.arrays, robots, closed, self.keys, view.tick,
            together, self._order,
        )  # fmt: skip
        self._kept = planned
        return actions_for(
            self.fields.neighbours, turning, following is Following.STRAIGHT, together, fleet,
            closed, planned,
        )  # fmt: skip

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
        """What it remembers, ``[W, N]``: ticks since the last goal, the goal, the cell planned."""
        return {
            "elapsed": self._elapsed.copy(),
            "aim": self._aim.copy(),
            "kept": self._kept.copy(),
        }

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller with as many worlds.
        """
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

    def _begin(self, count: int) -> None:
        shape = len(self.keys), count
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
