# SPDX-License-Identifier: Apache-2.0
"""What the official action model allows in one tick, for the checker; it decides nothing itself.

A robot is a square as large as a cell. It drives forward by equal parts of a cell, one in each
tick, and turns on the spot; no two squares may overlap at any time within a tick. Lengths here are
in parts of a cell, so that everything is exact in whole numbers. The league's program calculates
in 32-bit floats with a tolerance of a millionth, which is too narrow from row or column 32 on:
where an action takes 3, 5, 7 or 10 ticks, it refuses for one tick a robot that drives right behind
another one from 31 to 32 (and 63 to 64, 127 to 128 and so on). It also lets a robot that moves a
cell in one tick leave the floor in the east or west and come back on the other side. Neither is a
rule, and this file has none of it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel

Int64s = NDArray[np.int64]

OFF_FLOOR, OVERLAP = 0, 1
_WAIT, _FORWARD, _RIGHT = 0, 1, 2
_FAR = 2  # cells; squares that are further apart cannot meet within a tick
_INSTANTS = 4  # squares meet and part at whole and half ticks, so quarters show all that is between


class Robots(NamedTuple):
    """N robots as the league describes them; ``[N]`` int64 arrays that change in place.

    Args:
        row, column: of the cell; while the robot drives, of the one that it leaves.
        orientation: 0 east, 1 south, 2 west, 3 north.
        counter: ticks that it has worked on its action.
        doing: the action, 0 at rest.
    """

    row: Int64s
    column: Int64s
    orientation: Int64s
    counter: Int64s
    doing: Int64s


@kernel
def _ahead(orientation: int) -> tuple[int, int]:
    """Rows and columns that one cell forward is."""
    if orientation % 2 == 0:
        return 0, 1 - orientation
    return 2 - orientation, 0


@kernel
def _place(robots: Robots, robot: int, parts: int) -> tuple[int, int]:
    """Row and column of a corner, in parts of a cell."""
    driven = robots.counter[robot] if robots.doing[robot] == _FORWARD else 0
    down, right = _ahead(robots.orientation[robot])
    return robots.row[robot] * parts + down * driven, robots.column[robot] * parts + right * driven


@kernel
def _overlap(gap: tuple[int, int], change: tuple[int, int], size: int) -> bool:
    """Whether two squares overlap at some time while the gap between their corners changes."""
    for instant in range(_INSTANTS + 1):
        down = abs(_INSTANTS * gap[0] + instant * change[0])
        right = abs(_INSTANTS * gap[1] + instant * change[1])
        if down < _INSTANTS * size and right < _INSTANTS * size:
            return True
    return False


@kernel
def _note(fault: Int64s, kind: int, robot: int, one: int, two: int) -> None:
    fault[0], fault[1], fault[2], fault[3] = kind, robot, one, two


@kernel
def _begin(
    robots: Robots, actions: NDArray[np.int8], free: NDArray[np.bool_], faults: Int64s
) -> int:
    """Start actions where none is in progress; who would leave the floor is made to wait."""
    found = 0
    height, width = free.shape
    for robot in range(len(actions)):
        if actions[robot] == _WAIT:
            continue
        if robots.counter[robot] == 0:
            robots.doing[robot] = actions[robot]
        if robots.doing[robot] == _FORWARD:
            down, right = _ahead(robots.orientation[robot])
            row, column = robots.row[robot] + down, robots.column[robot] + right
            inside = 0 <= row < height and 0 <= column < width
            if not inside or not free[row, column]:
                _note(faults[found], OFF_FLOOR, robot, row, column)
                found += 1
                robots.doing[robot] = _WAIT
                actions[robot] = _WAIT
    return found


@kernel
def _begins_to_overlap(
    robots: Robots, drives: NDArray[np.bool_], robot: int, other: int, parts: int
) -> bool:
    here, there = _place(robots, robot, parts), _place(robots, other, parts)
    gap = (here[0] - there[0], here[1] - there[1])
    down, right = _ahead(robots.orientation[robot])
    other_down, other_right = _ahead(robots.orientation[other])
    change = (down - other_down * drives[other], right - other_right * drives[other])
    return not _overlap(gap, (0, 0), parts) and _overlap(gap, change, parts)


@kernel
def _meetings(
    robots: Robots,
    actions: NDArray[np.int8],
    parts: int,
    shape: tuple[int, int],
    faults: Int64s,
    found: int,
) -> int:
    """Pairs that do not overlap at first and do at some time within the tick."""
    height, width = shape
    first = np.full(height * width, -1, dtype=np.int64)
    following = np.full(len(actions), -1, dtype=np.int64)
    for robot in range(len(actions)):
        cell = robots.row[robot] * width + robots.column[robot]
        following[robot] = first[cell]
        first[cell] = robot
    drives = (actions != _WAIT) & (robots.doing == _FORWARD)
    for robot in range(len(actions)):
        if not drives[robot]:
            continue
        row, column = robots.row[robot], robots.column[robot]
        for near_row in range(max(row - _FAR, 0), min(row + _FAR + 1, height)):
            for near_column in range(max(column - _FAR, 0), min(column + _FAR + 1, width)):
                other = first[near_row * width + near_column]
                while other >= 0:
                    once = not drives[other] or robot < other
                    if once and _begins_to_overlap(robots, drives, robot, other, parts):
                        if found < len(faults):
                            _note(faults[found], OVERLAP, robot, other, 0)
                        found += 1
                    other = following[other]
    return min(found, len(faults))


@kernel
def _work(robots: Robots, actions: NDArray[np.int8], parts: int) -> None:
    for robot in range(len(actions)):
        if actions[robot] == _WAIT:
            continue
        robots.counter[robot] += 1
        if robots.counter[robot] == parts:
            down, right = _ahead(robots.orientation[robot])
            if robots.doing[robot] == _FORWARD:
                robots.row[robot] += down
                robots.column[robot] += right
            else:
                turn = 1 if robots.doing[robot] == _RIGHT else 3
                robots.orientation[robot] = (robots.orientation[robot] + turn) % 4
            robots.counter[robot] = 0
            robots.doing[robot] = _WAIT


@kernel
def move(
    robots: Robots, actions: NDArray[np.int8], parts: int, free: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Let all robots act for one tick, and say what the action model would have refused.

    A robot that would leave the floor waits; robots that overlap go on doing so, and are named
    when they begin to.

    Args:
        robots: N of them, changed in place.
        actions: ``[N]`` 0 wait, 1 forward, 2 turn right, 3 turn left; what is no wait goes on with
            an action in progress, whichever it is.
        parts: ticks that an action takes.
        free: ``[height, width]``.

    Returns:
        ``[faults, 4]``: ``OFF_FLOOR``, robot, row and column where to, or ``OVERLAP``, robot,
        robot and 0; not more than 8 faults per robot.
    """
    faults = np.empty((8 * len(actions), 4), dtype=np.int64)
    actions = actions.copy()
    found = _begin(robots, actions, free, faults)
    found = _meetings(robots, actions, parts, free.shape, faults, found)
    _work(robots, actions, parts)
    return faults[:found]


def robots_at(cells: NDArray[np.int32], width: int) -> Robots:
    """Robots at rest that face east."""
    wide = cells.astype(np.int64)
    return Robots(wide // width, wide % width, *(np.zeros_like(wide) for _ in range(3)))
