# SPDX-License-Identifier: Apache-2.0
"""What the kernels read and write: the rules of one world, and the lanes that stand in it.

The numbers below are compiled into each @kernel that uses them; these words make ``sim.jit`` count
this file among the sources of the kernels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# What is in a cell, by MiniGrid's numbers. Doors, boxes, lava and floors do not occur here.
EMPTY, WALL, KEY, BALL, GOAL = 1, 2, 5, 6, 8
RIGHT, DOWN, LEFT, UP = 0, 1, 2, 3  # directions; y grows downwards
TURN_LEFT, TURN_RIGHT, FORWARD = 0, 1, 2  # actions; pickup, drop, toggle, done change nothing
ACTIONS = 7
VIEW = 7  # cells on each side of what the agent sees; it stands in the middle of the last row

OPEN_ROOM, CROSSING, MEMORY = 0, 1, 2  # families


class Rules(NamedTuple):
    """What all episodes of one world have in common.

    ``size`` cells on each side, walls included; ``crossings`` walls with an opening (crossing
    worlds); ``random``: the agent starts anywhere (open rooms), the hallway is of any length
    (memory worlds).
    """

    family: int
    size: int
    crossings: int
    random: bool
    max_steps: int


class Lanes(NamedTuple):
    """B lanes.

    ``cells [B, size, size]`` uint8 at ``[lane, x, y]``, ``success`` and ``failure [B, 2]`` the
    positions x, y that end the episode (-1: none), all three fixed while an episode runs, as none
    of these worlds holds anything that can be moved: in the memory worlds pickup is toggle, and
    nothing else has keys or balls. ``agent [B, 3]`` x, y, direction; ``steps [B]`` taken in this
    episode; ``episode [B]`` its number, -1 before the first; ``over [B]``: the next action begins
    the next episode.
    """

    cells: NDArray[np.uint8]
    success: NDArray[np.int64]
    failure: NDArray[np.int64]
    agent: NDArray[np.int64]
    steps: NDArray[np.int64]
    episode: NDArray[np.int64]
    over: NDArray[np.bool_]


def make_lanes(count: int, size: int) -> Lanes:
    """Lanes before their first episode."""
    return Lanes(
        cells=np.zeros((count, size, size), dtype=np.uint8),
        success=np.full((count, 2), -1, dtype=np.int64),
        failure=np.full((count, 2), -1, dtype=np.int64),
        agent=np.zeros((count, 3), dtype=np.int64),
        steps=np.zeros(count, dtype=np.int64),
        episode=np.full(count, -1, dtype=np.int64),
        over=np.ones(count, dtype=np.bool_),
    )
