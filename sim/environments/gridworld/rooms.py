# SPDX-License-Identifier: Apache-2.0
"""Kernels that build the room of one episode in one lane.

The rooms of minigrid 3.2.0 (envs/empty.py, crossing.py, memory.py), each with the probability that
it has there, from other random numbers.
"""

import numpy as np
from numpy.typing import NDArray

from sim.environments.gridworld.draws import Words, below, make_word
from sim.environments.gridworld.lanes import (
    BALL,
    CROSSING,
    EMPTY,
    GOAL,
    KEY,
    MEMORY,
    RIGHT,
    WALL,
    Lanes,
    Rules,
)
from sim.jit import kernel


@kernel
def generate(rules: Rules, lanes: Lanes, b: int, seed: int) -> None:
    """The room, start and ends of the episode with this ``seed``, written into lane ``b``."""
    word = make_word(seed)
    _four_walls(lanes.cells[b])
    lanes.agent[b, 0], lanes.agent[b, 1], lanes.agent[b, 2] = 1, 1, RIGHT
    if rules.family == MEMORY:
        _memory(rules, lanes, b, word)
        return
    goal = rules.size - 2
    lanes.cells[b, goal, goal] = GOAL
    lanes.success[b, 0], lanes.success[b, 1] = goal, goal
    if rules.family == CROSSING:
        _crossing(rules.crossings, lanes.cells[b], word)
    elif rules.random:
        _anywhere(lanes.agent[b], rules.size, word)


@kernel
def _four_walls(cells: NDArray[np.uint8]) -> None:
    last = len(cells) - 1
    cells[:, :] = EMPTY
    for i in range(last + 1):
        cells[i, 0] = cells[i, last] = cells[0, i] = cells[last, i] = WALL


@kernel
def _anywhere(agent: NDArray[np.int64], size: int, word: Words) -> None:
    """Any cell but the goal, the last one inside the walls; any direction."""
    inside = size - 2
    cell = below(word, inside * inside - 1)
    agent[0], agent[1] = 1 + cell % inside, 1 + cell // inside
    agent[2] = below(word, 4)


@kernel
def _crossing(crossings: int, cells: NDArray[np.uint8], word: Words) -> None:
    """Walls from side to side, and openings along one way from the start to the goal."""
    vertical, horizontal = _drawn_walls(crossings, len(cells), word)
    last = len(cells) - 1
    for i in range(1, last):
        for j in range(1, last):
            if vertical[i] or horizontal[j]:
                cells[i, j] = WALL
    _open_a_way(cells, vertical, horizontal, word)


@kernel
def _drawn_walls(
    crossings: int, size: int, word: Words
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which columns and which rows ``[size]`` are walls: any ``crossings`` of the even ones."""
    each = (size - 3) // 2
    left = np.arange(2 * each)
    walls = np.zeros((2, size), dtype=np.bool_)
    for i in range(crossings):
        j = i + below(word, 2 * each - i)
        left[i], left[j] = left[j], left[i]
        walls[left[i] // each, 2 + 2 * (left[i] % each)] = True
    return walls[0], walls[1]


@kernel
def _open_a_way(
    cells: NDArray[np.uint8],
    vertical: NDArray[np.bool_],
    horizontal: NDArray[np.bool_],
    word: Words,
) -> None:
    """Cross the walls in any order, each at any cell of the compartment that one stands in."""
    west, north, columns, rows = 0, 0, vertical.sum(), horizontal.sum()
    while columns + rows > 0:
        east, south = _next_wall(vertical, west), _next_wall(horizontal, north)
        if below(word, columns + rows) < columns:
            cells[east, north + 1 + below(word, south - north - 1)] = EMPTY
            west = east
            columns -= 1
        else:
            cells[west + 1 + below(word, east - west - 1), south] = EMPTY
            north = south
            rows -= 1


@kernel
def _next_wall(walls: NDArray[np.bool_], after: int) -> int:
    """The first of ``walls`` behind ``after``; the outer one where there is none."""
    i = after + 1
    while i < len(walls) - 1 and not walls[i]:
        i += 1
    return i


@kernel
def _memory(rules: Rules, lanes: Lanes, b: int, word: Words) -> None:
    """A room with an object, a hallway, and two objects at its fork: the same one is right."""
    cells, middle = lanes.cells[b], rules.size // 2
    end = 4 + below(word, rules.size - 6) if rules.random else rules.size - 3
    _memory_walls(cells, end)
    lanes.agent[b, 0], lanes.agent[b, 1] = 1 + below(word, end), middle
    wanted = KEY if below(word, 2) == 0 else BALL
    upper = KEY if below(word, 2) == 0 else BALL
    cells[1, middle - 1] = wanted
    cells[end + 1, middle - 2] = upper
    cells[end + 1, middle + 2] = KEY + BALL - upper
    right = -1 if upper == wanted else 1
    lanes.success[b, 0], lanes.success[b, 1] = end + 1, middle + right
    lanes.failure[b, 0], lanes.failure[b, 1] = end + 1, middle - right


@kernel
def _memory_walls(cells: NDArray[np.uint8], end: int) -> None:
    """The room is ``x = 1 .. 3``, the hallway goes on to ``x = end``, the fork is behind it."""
    middle = len(cells) // 2
    cells[1:5, middle - 2] = WALL
    cells[1:5, middle + 2] = WALL
    cells[4 : max(end, 5), middle - 1] = WALL
    cells[4 : max(end, 5), middle + 1] = WALL
    cells[end + 2, :] = WALL
    for j in range(len(cells)):
        if j != middle:
            cells[end, j] = WALL
