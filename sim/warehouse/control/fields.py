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
        data: ``[R, places]`` uint16, moves from each place to the goal of each row.
        place: ``[cells]`` the place of each cell: a number among the free cells, or in a box.
    """

    data: NDArray[np.uint16]
    place: Int32s


@kernel
def distance(fields: FieldArrays, row: int, cell: int) -> int:
    """Moves from ``cell`` to the goal of ``row``; ``UNREACHABLE`` if there is no way."""
    return int(fields.data[row, fields.place[cell]])


@kernel
def distances(fields: FieldArrays, rows: Int32s, cells: Int32s) -> Int32s:
    """``[W, N]`` moves from ``cells`` to the goals of ``rows``; 0 where the row is -1."""
    moves = np.zeros_like(cells)
    for world in range(cells.shape[0]):
        for robot in range(cells.shape[1]):
            if rows[world, robot] >= 0:
                moves[world, robot] = distance(fields, rows[world, robot], cells[world, robot])
    return moves


def free_places(layout: Layout) -> Int32s:
    """``[cells]``: number of each cell among the free ones; obstacles have the one after them."""
    index = np.full(layout.free.size, len(layout.free_cells), dtype=np.int32)
    index[layout.free_cells] = np.arange(len(layout.free_cells))
    return index


class Fields:
    """Exact distances to goals, each computed once; the goals longest out of use are forgotten.

    Numbers of rows depend on what was asked before, distances do not.

    Args:
        layout: the floor; its longest way has less than ``UNREACHABLE`` moves.
        capacity_mib: memory for distances, enough for one goal.

    Raises:
        InputError: not a single goal fits.
    """

    def __init__(self, layout: Layout, capacity_mib: float = 1024) -> None:
        self.layout, self.neighbours = layout, neighbour_table(layout)
        self._row_mib = 2 * (len(layout.free_cells) + 1) / MIB
        self.room = min(int(capacity_mib / self._row_mib), len(layout.free_cells))
        """Goals that there is room for."""
        require(
            "capacity_mib", capacity_mib, self.room >= 1, f"at least {self._row_mib:.3f}, one goal"
        )
        self._queue = np.empty(len(layout.free_cells), dtype=np.int32)
        self.forget()

    def forget(self) -> None:
        """Give all memory back that distances took."""
        cells = self.layout.free.size
        # The pages of rows not yet in use take no memory.
        data = np.empty((self.room, len(self._queue) + 1), dtype=np.uint16)
        self.arrays = FieldArrays(data, free_places(self.layout))
        self._goal_of = np.full(self.room, -1, dtype=np.int64)
        self._row_of = np.full(cells, -1, dtype=np.int32)
        self._used = np.zeros(self.room, dtype=np.int64)
        self._clock, self._filled = 0, 0

    def fits(self, goals: Int32s) -> bool:
        """Whether there is room for so many different goals at once; -1 is none."""
        return goals.size <= self.room or len(np.unique(goals[goals != -1])) <= self.room

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
            data, index = self.arrays
            _fill(self.neighbours, int(goal), index, data[row], self._queue)

    def _vacant(self, count: int, wanted: int) -> NDArray[np.int64]:
        """Rows that were never used, then those whose goals are longest out of use."""
        room = self.room
        if wanted > room:
            raise InputError(
                f"{wanted} goals at once need {wanted * self._row_mib:.0f} MiB of distances; "
                f"capacity_mib allows {room} goals"
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
def _fill(
    neighbours: Neighbours, goal: int, index: Int32s, out: NDArray[np.uint16], queue: Int32s
) -> None:
    """Breadth-first search from the goal."""
    out[:] = UNREACHABLE
    out[index[goal]] = 0
    queue[0] = goal
    head, tail = 0, 1
    while head < tail:
        cell = queue[head]
        head += 1
        moves = out[index[cell]] + 1
        if moves == UNREACHABLE:  # longer ways cannot be told
            break
        for direction in range(4):
            neighbour = neighbours[cell, direction]
            if neighbour >= 0 and out[index[neighbour]] == UNREACHABLE:
                out[index[neighbour]] = moves
                queue[tail] = neighbour
                tail += 1
