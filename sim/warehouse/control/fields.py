# SPDX-License-Identifier: Apache-2.0
"""How far every cell is from the goals that are in use, computed when first asked for, and kept."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours, neighbour_table, require_free
from sim.errors import InputError, require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.fleet import Int32s

UNREACHABLE = 65535
"""Stands for the distance from a cell that cannot reach the goal."""

MIB = 1 << 20


class FieldArrays(NamedTuple):
    """Distances as kernels read them, by ``distance``.

    Args:
        data: ``[R, cells]`` uint16, moves from each cell to the goal of each row.
    """

    data: NDArray[np.uint16]


@kernel
def distance(fields: FieldArrays, row: int, cell: int) -> int:
    """Moves from ``cell`` to the goal of ``row``; ``UNREACHABLE`` if there is no way."""
    return int(fields.data[row, cell])


class Fields:
    """Exact distances to goals, each computed once; the goals longest out of use are forgotten.

    Numbers of rows depend on what was asked before, distances do not.

    Args:
        layout: the floor; its longest way has less than ``UNREACHABLE`` moves.
        capacity_mib: memory for distances, at least 1, and enough for one goal.

    Raises:
        InputError: not a single goal fits.
    """

    def __init__(self, layout: Layout, capacity_mib: int = 1024) -> None:
        require("capacity_mib", capacity_mib, capacity_mib >= 1, "1 or more")
        self.layout, self.neighbours = layout, neighbour_table(layout)
        cells = layout.free.size
        room = min(capacity_mib * MIB // (2 * cells), len(layout.free_cells))
        require(
            "capacity_mib", capacity_mib, room >= 1, f"at least {2 * cells / MIB:.0f}, one goal"
        )
        # The pages of rows not yet in use take no memory.
        self.arrays = FieldArrays(np.empty((room, cells), dtype=np.uint16))
        self._goal_of = np.full(room, -1, dtype=np.int64)
        self._row_of = np.full(cells, -1, dtype=np.int32)
        self._used = np.zeros(room, dtype=np.int64)
        self._queue = np.empty(cells, dtype=np.int32)
        self._clock, self._filled = 0, 0

    def rows(self, goals: Int32s) -> Int32s:
        """The row of each goal, -1 for -1; valid until the next call.

        Args:
            goals: int32 cells of any shape.

        Raises:
            InputError: a goal is no free cell, or there are more than the memory holds.
        """
        self._clock += 1
        found = _look_up(goals.ravel(), self._row_of, self._used, self._clock)
        if found.missing:
            self._compute(goals)
            found = _look_up(goals.ravel(), self._row_of, self._used, self._clock)
        return found.rows.reshape(goals.shape)

    def _compute(self, goals: Int32s) -> None:
        wanted = np.unique(goals[goals != -1])
        outside = (wanted < 0) | (wanted >= len(self._row_of))
        for goal in wanted[outside | ~self.layout.free.ravel()[np.where(outside, 0, wanted)]]:
            require_free(self.layout, int(goal), "goal")
        new = wanted[self._row_of[wanted] < 0]
        for goal, row in zip(new, self._vacant(len(new), len(wanted)), strict=True):
            if self._goal_of[row] >= 0:
                self._row_of[self._goal_of[row]] = -1
            self._goal_of[row], self._row_of[goal] = goal, row
            self._used[row] = self._clock
            _fill(self.neighbours, int(goal), self.arrays.data[row], self._queue)

    def _vacant(self, count: int, wanted: int) -> NDArray[np.int64]:
        """Rows that were never used, then those whose goals are longest out of use."""
        room = len(self._used)
        if wanted > room:
            raise InputError(
                f"{wanted} goals at once need {2 * wanted * len(self._row_of) / MIB:.0f} MiB of "
                f"distances; capacity_mib allows {room} goals"
            )
        fresh = np.arange(self._filled, min(self._filled + count, room))
        self._filled += len(fresh)
        self._used[fresh] = self._clock
        oldest = np.argsort(self._used, kind="stable")[: count - len(fresh)]
        return np.concatenate([fresh, oldest])


class _Found(NamedTuple):
    rows: Int32s
    missing: bool


@kernel
def _look_up(goals: Int32s, row_of: Int32s, used: NDArray[np.int64], clock: int) -> _Found:
    rows = np.full(len(goals), -1, dtype=np.int32)
    missing = False
    for index in range(len(goals)):
        goal = goals[index]
        row = row_of[goal] if 0 <= goal < len(row_of) else np.int32(-1)
        rows[index] = row
        if row >= 0:
            used[row] = clock
        elif goal != -1:
            missing = True
    return _Found(rows, missing)


@kernel
def _fill(neighbours: Neighbours, goal: int, out: NDArray[np.uint16], queue: Int32s) -> None:
    """Breadth-first search from the goal."""
    out[:] = UNREACHABLE
    out[goal] = 0
    queue[0] = goal
    head, tail = 0, 1
    while head < tail:
        cell = queue[head]
        head += 1
        if out[cell] == UNREACHABLE - 1:  # longer ways cannot be told
            break
        for direction in range(4):
            neighbour = neighbours[cell, direction]
            if neighbour >= 0 and out[neighbour] == UNREACHABLE:
                out[neighbour] = out[cell] + 1
                queue[tail] = neighbour
                tail += 1
