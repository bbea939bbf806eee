# SPDX-License-Identifier: Apache-2.0
"""Distances around each robot, where those from everywhere to all goals take too much memory.

Each robot has a shortest way to its goal, by A*, and a box of cells around it. A waypoint is the
last cell of the way before it leaves the box; steps to the waypoint that stay within the box are
exact, and those beyond are counted by the way. Boxes are moved on before a robot gets so near
their edge or their waypoint that a plan could look beyond.

Places of a box wrap around: cell (row, column) is at ``row % side, column % side`` wherever the
box is, so that kernels read boxes as they read whole floors.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours, neighbour_table
from sim.errors import InputError, require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.control.fields import MIB, UNREACHABLE
from sim.warehouse.control.route import (
    Landmarks,
    Moves,
    Scratch,
    find_route,
    landmarks_of,
    scratch_for,
)
from sim.warehouse.fleet import Int32s

SIDE = 64
"""Cells along a box, if they fit."""

KEPT_MOVES = 4096
"""Moves of a way that are kept; a new way is searched when they are used up."""

FAR = 30_000
"""Longer ways from a waypoint on count as this long; only differences matter there."""


class Guided(NamedTuple):
    """The ways of R robots.

    Args:
        goal: ``[R]`` of the way; -1 none.
        top, left: ``[R]`` first row and column of the box, which may lie outside of the floor.
        waypoint: ``[R]`` cell.
        at, length: ``[R]`` moves up to the waypoint, and those that are kept.
        beyond: ``[R]`` moves from the waypoint to the goal.
        moves: ``[R, KEPT_MOVES]`` directions.
    """

    goal: Int32s
    top: Int32s
    left: Int32s
    waypoint: Int32s
    at: Int32s
    length: Int32s
    beyond: Int32s
    moves: Moves


class Guides:
    """Boxes of some robots.

    What a box shows depends on where it was put, so a snapshot holds the ways and the places of
    boxes; distances are computed again from them.

    Args:
        layout: the floor.
        robots: R.
        headings: planes of a box: 4 where turns count as steps, else 1.
        reach: how many cells from its robot, or from its neighbours' cells, anybody looks.
        capacity_mib: memory for boxes.

    Raises:
        InputError: boxes in which one can look so far do not fit.
    """

    def __init__(
        self, layout: Layout, robots: int, headings: int, reach: int, capacity_mib: float
    ) -> None:
        least = 2 * reach + 4
        most = int((capacity_mib * MIB / (2 * headings * max(1, robots))) ** 0.5)
        require(
            "capacity_mib", capacity_mib, most >= least,
            f"at least {2 * headings * robots * least**2 / MIB:.3f}, for {robots} boxes",
        )  # fmt: skip
        self._side, self._reach = max(least, min(SIDE, most)), reach
        self._neighbours, self._width = neighbour_table(layout), layout.width
        row, column = np.divmod(np.arange(layout.free.size), layout.width)
        self.place: Int32s = (
            row % self._side * self._side + column % self._side
        ).astype(np.int32)  # fmt: skip
        """``[cells]`` the place of each cell in a box that holds it."""
        self.data = np.empty((robots, self._side**2, headings), dtype=np.uint16)
        """``[R, side * side, headings]`` steps to each robot's goal from the places of its box."""
        self._guided = _unguided(robots)
        self._landmarks = landmarks_of(self._neighbours, int(layout.free_cells[0]))
        self._scratch = scratch_for(layout.free.size)
        self._queue = np.empty(self._side**2 * headings, dtype=np.int32)

    def rows(self, cell: Int32s, goals: Int32s) -> Int32s:
        """The row of each robot, -1 for those without a goal; valid until the next call.

        Args:
            cell: ``[R]`` where robots are, or where what is planned for them begins.
            goals: ``[R]`` free cells, -1: none.
        """
        _update(
            self._neighbours, self._landmarks, self._width, self._side, self._reach,
            np.ascontiguousarray(cell), np.ascontiguousarray(goals), self._guided, self.place,
            self.data, self._scratch, self._queue,
        )  # fmt: skip
        return np.where(goals >= 0, np.arange(len(goals)), -1).astype(np.int32)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where ways and boxes are."""
        return {name: array.copy() for name, array in self._guided._asdict().items()}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: it is of other robots.
        """
        for name, own in self._guided._asdict().items():
            given = snapshot.get(name)
            if given is None or given.shape != own.shape or given.dtype != own.dtype:
                raise InputError(f"snapshot: {name} is of other robots than {len(self.data)}")
            own[:] = given
        for robot in np.flatnonzero(self._guided.goal >= 0):
            _fill(
                self._neighbours, self._width, self._side, int(robot), self._guided, self.place,
                self.data, self._queue,
            )  # fmt: skip


def _unguided(robots: int) -> Guided:
    top, left, waypoint, at, length, beyond = np.zeros((6, robots), dtype=np.int32)
    goal = np.full(robots, -1, dtype=np.int32)
    moves = np.zeros((robots, KEPT_MOVES), dtype=np.uint8)
    return Guided(goal, top, left, waypoint, at, length, beyond, moves)


@kernel
def _update(
    neighbours: Neighbours,
    landmarks: Landmarks,
    width: int,
    side: int,
    reach: int,
    cell: Int32s,
    goals: Int32s,
    guided: Guided,
    index: Int32s,
    data: NDArray[np.uint16],
    scratch: Scratch,
    queue: Int32s,
) -> None:
    """Move the boxes of all robots on that need it."""
    for robot in range(len(cell)):
        goal, here = goals[robot], cell[robot]
        if goal < 0:
            guided.goal[robot] = -1
            continue
        kept = goal == guided.goal[robot]
        if kept and _is_inside(guided, width, side, reach + 1, robot, here):
            steps = np.int64(data[robot, index[here]].min())
            near = steps - min(FAR, guided.beyond[robot]) <= reach
            if steps == UNREACHABLE or guided.beyond[robot] == 0 or not near:
                continue
        guided.top[robot] = here // width - side // 2
        guided.left[robot] = here % width - side // 2
        if kept and _is_inside(guided, width, side, 0, robot, guided.waypoint[robot]):
            _advance(neighbours, width, side, robot, guided)
            _fill(neighbours, width, side, robot, guided, index, data, queue)
            steps = np.int64(data[robot, index[here]].min())
            near = steps - min(FAR, guided.beyond[robot]) <= reach
            if steps < UNREACHABLE and (guided.beyond[robot] == 0 or not near):
                continue
        length = find_route(neighbours, landmarks, width, here, goal, scratch, guided.moves[robot])
        guided.goal[robot], guided.waypoint[robot] = goal, here if length >= 0 else goal
        guided.at[robot], guided.length[robot] = 0, min(max(0, length), KEPT_MOVES)
        guided.beyond[robot] = max(0, length)
        if length >= 0:
            _advance(neighbours, width, side, robot, guided)
        _fill(neighbours, width, side, robot, guided, index, data, queue)


@kernel
def _is_inside(guided: Guided, width: int, side: int, margin: int, robot: int, cell: int) -> bool:
    """Whether a cell is in the box of a robot, and at least ``margin`` cells from its edge."""
    row, column = cell // width - guided.top[robot], cell % width - guided.left[robot]
    last = side - 1 - margin
    return bool(margin <= row <= last and margin <= column <= last)


@kernel
def _advance(neighbours: Neighbours, width: int, side: int, robot: int, guided: Guided) -> None:
    """Put the waypoint as far along the way as it stays in the box."""
    cell = guided.waypoint[robot]
    while guided.at[robot] < guided.length[robot]:
        cell = neighbours[cell, guided.moves[robot, guided.at[robot]]]
        if not _is_inside(guided, width, side, 0, robot, cell):
            return
        guided.waypoint[robot] = cell
        guided.at[robot] += 1
        guided.beyond[robot] -= 1


@kernel
def _fill(
    neighbours: Neighbours,
    width: int,
    side: int,
    robot: int,
    guided: Guided,
    index: Int32s,
    data: NDArray[np.uint16],
    queue: Int32s,
) -> None:
    """Breadth-first search within a box, from its waypoint, whatever the heading there."""
    field = data[robot]
    headings = field.shape[1]
    field[:] = UNREACHABLE
    start = guided.waypoint[robot]
    if not _is_inside(guided, width, side, 0, robot, start):
        return  # there is no way to the goal
    tail = 0
    for heading in range(headings):
        field[index[start], heading] = min(FAR, guided.beyond[robot])
        queue[tail] = start * headings + heading
        tail += 1
    head = 0
    while head < tail:
        cell, heading = divmod(queue[head], headings)
        head += 1
        steps = field[index[cell], heading] + 1
        for choice in range(3 if headings == 4 else 4):
            before, turned = cell, heading
            if headings == 1:
                before = neighbours[cell, choice]
            elif choice == 0:
                before = neighbours[cell, heading ^ 2]
            else:
                turned = (heading + 2 * choice - 3) & 3
            if before < 0 or field[index[before], turned] != UNREACHABLE:
                continue  # a cell just beyond the edge has the place of one within it
            if _is_inside(guided, width, side, 0, robot, before):
                field[index[before], turned] = steps
                queue[tail] = before * headings + turned
                tail += 1
