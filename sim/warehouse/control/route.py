# SPDX-License-Identifier: Apache-2.0
"""One shortest way at a time, on floors too large for distances from everywhere.

A* with two lower bounds: the Manhattan distance, and what the distances to a few landmarks say
(Goldberg, Harrelson, "Computing the shortest path: A* search meets graph theory", SODA 2005). On
a grid both change by exactly 1 with every move, so the least total of moves and bound stays or
grows by 2: two stacks are the queue.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import NO_CELL, Neighbours, breadth_first
from sim.jit import kernel
from sim.warehouse.fleet import Int32s

LANDMARKS = 8
UNREACHABLE = 65535

Landmarks = NDArray[np.uint16]
"""``[cells, L]`` moves from each cell to each landmark, ``UNREACHABLE`` where there is no way."""

Moves = NDArray[np.uint8]


class Scratch(NamedTuple):
    """What a search writes on.

    Args:
        number: ``[1]`` of the last search.
        best: ``[cells, 2]`` the search that reached a cell last, and the moves from its start.
        came: ``[cells]`` direction of the last of them.
        now, later: ``[cells]`` stacks of cells with the least total, and with 2 more.
    """

    number: Int32s
    best: Int32s
    came: Moves
    now: Int32s
    later: Int32s


def scratch_for(num_cells: int) -> Scratch:
    """Nothing searched yet."""
    return Scratch(
        number=np.zeros(1, dtype=np.int32),
        best=np.zeros((num_cells, 2), dtype=np.int32),
        came=np.empty(num_cells, dtype=np.uint8),
        now=np.empty(num_cells, dtype=np.int32),
        later=np.empty(num_cells, dtype=np.int32),
    )


def landmarks_of(neighbours: Neighbours, first: int, count: int = LANDMARKS) -> Landmarks:
    """Distances to ``count`` cells, each as far as can be from those before it.

    Args:
        neighbours: ``[cells, 4]``.
        first: a free cell; landmarks are where one can go from there.
        count: 1 or more.
    """
    far = breadth_first(neighbours, first, NO_CELL)
    landmarks = np.empty((len(neighbours), count), dtype=np.uint16)
    nearest = np.full(len(neighbours), np.iinfo(np.int64).max)
    for place in range(count):
        away = breadth_first(neighbours, int(np.argmax(far)), NO_CELL)
        known = (away >= 0) & (away < UNREACHABLE)
        landmarks[:, place] = np.where(known, away, UNREACHABLE)
        far = nearest = np.minimum(nearest, away)
    return landmarks


@kernel
def least_moves(landmarks: Landmarks, width: int, cell: int, goal: int) -> int:
    """A lower bound."""
    row, goal_row = cell // width, goal // width
    bound = abs(row - goal_row) + abs(cell - row * width - goal + goal_row * width)
    for place in range(landmarks.shape[1]):
        here, there = np.int64(landmarks[cell, place]), np.int64(landmarks[goal, place])
        if here != UNREACHABLE and there != UNREACHABLE:
            bound = max(bound, int(abs(here - there)))
    return bound


@kernel
def find_route(
    neighbours: Neighbours,
    landmarks: Landmarks,
    width: int,
    start: int,
    goal: int,
    scratch: Scratch,
    moves: Moves,
) -> int:
    """How many moves a shortest way has, -1 if there is none.

    Args:
        neighbours: ``[cells, 4]``.
        landmarks: ``[cells, L]``; L may be 0.
        width: of the floor.
        start, goal: free cells.
        scratch: overwritten.
        moves: ``[M]``, overwritten by the directions of the first M moves.
    """
    number = scratch.number[0] + 1
    scratch.number[0] = number
    best, came, now, later = scratch.best, scratch.came, scratch.now, scratch.later
    total = least_moves(landmarks, width, start, goal)
    best[start, 0], best[start, 1] = number, 0
    now[0] = start
    num_now, num_later = 1, 0
    while num_now > 0:
        num_now -= 1
        cell = int(now[num_now])
        if cell == goal:
            return _trace(neighbours, came, int(best[goal, 1]), goal, moves)
        gone = int(best[cell, 1])
        if gone + least_moves(landmarks, width, cell, goal) == total:  # else it was better before
            for direction in range(4):
                beside = int(neighbours[cell, direction])
                if beside < 0 or (best[beside, 0] == number and best[beside, 1] <= gone + 1):
                    continue
                best[beside, 0], best[beside, 1] = number, gone + 1
                came[beside] = direction
                if gone + 1 + least_moves(landmarks, width, beside, goal) == total:
                    now[num_now] = beside
                    num_now += 1
                else:
                    later[num_later] = beside
                    num_later += 1
        if num_now == 0:
            now, later = later, now
            num_now, num_later = num_later, 0
            total += 2
    return -1


@kernel
def _trace(neighbours: Neighbours, came: Moves, length: int, goal: int, moves: Moves) -> int:
    """Write down how the goal was reached."""
    cell = goal
    for place in range(length - 1, -1, -1):
        direction = came[cell]
        if place < len(moves):
            moves[place] = direction
        cell = neighbours[cell, direction ^ 2]
    return length
