# SPDX-License-Identifier: Apache-2.0
"""What the kernels read and write: rules, floor, the worlds that stand on it, and scratch space.

A *place* is a cell of the floor with a border of ``sensor_range`` cells around it, so that robots
can look over the edge; places are linear like cells. This is inside only: a snapshot holds cells.

The constants are compiled into each @kernel that uses them; these words make ``sim.jit`` count this
file among the sources of the kernels.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.layout import RwareLayout
from sim.environments.rware.options import RwareOptions

NOOP, FORWARD, LEFT, RIGHT, TOGGLE_LOAD = 0, 1, 2, 3, 4
ACTIONS = 5
GLOBAL, INDIVIDUAL, TWO_STAGE = 0, 1, 2  # rewards

# A code says what is in a place: a shelf (1), requested (2), and a robot (4 and up) by its heading,
# in the order in which RWARE numbers headings: up, down, left, right.
SHELF, REQUESTED, THINGS = 1, 2, 3
ROBOT_CODES = np.array([4, 16, 8, 12], dtype=np.uint8)  # by our headings: north, east, south, west
CODES = 20

NOBODY = -1
NOTHING = -1

PLACE, HEADING, CARRIED, DELIVERED = 0, 1, 2, 3  # of a robot
REQUEST = 1  # of a shelf, beside PLACE
TICK, STEPS, IDLE_STEPS, OVER = 0, 1, 2, 3  # of a world
INSIDE, CORRIDOR = 1, 2  # bits of a tile
ROBOT, CLAIM = 0, 1  # of a mark
TARGET, VERDICT, FOLLOWERS, CHAIN, LUGGAGE, MOVER, READY = range(7)  # of a plan


class Rules(NamedTuple):
    """Numbers of the options; ``max_steps`` and ``max_idle_steps`` 0: never. Cells of a row of
    places: ``width``; ``radius`` the sensor range.
    """

    width: int
    radius: int
    requests: int
    reward: int
    max_steps: int
    max_idle_steps: int


class Floor(NamedTuple):
    """What never changes; P places, C cells, S shelves.

    ``ahead [4]`` from a place to its neighbour by heading; ``tiles [P]`` bits; ``cells [C]``,
    ``shelves [S]`` and ``goals [G]`` places; ``own [P, 3]`` float32 and ``own_codes [P, 3]`` uint8:
    x, y and corridor as a robot sees its own place.
    """

    ahead: NDArray[np.int64]
    tiles: NDArray[np.uint8]
    cells: NDArray[np.int32]
    shelves: NDArray[np.int32]
    goals: NDArray[np.int32]
    own: NDArray[np.float32]
    own_codes: NDArray[np.uint8]


class State(NamedTuple):
    """W worlds of N robots.

    ``robots [W, N, 4]``: place, heading (0 north, 1 east, 2 south, 3 west), carried shelf or
    ``NOTHING``, and 1 if that has been delivered. ``shelves [W, S, 2]``: place, also of carried
    ones, and 1 if requested. ``clocks [W, 4]``: tick, all calls since the reset; steps of this
    episode; those since the last delivery; and 1 if the next call begins an episode. These follow
    from the others: ``code [W, P]`` what is in each place, ``standing [W, P]`` the shelf that
    stands there, or ``NOTHING``.

    A kernel that is called for each world gets the arrays it needs one by one: numba counts the
    references to each array of a tuple at each call, which takes longer than a step.
    """

    robots: NDArray[np.int32]
    shelves: NDArray[np.int32]
    clocks: NDArray[np.int64]
    code: NDArray[np.uint8]
    standing: NDArray[np.int16]


class Scratch(NamedTuple):
    """For one world at a time, used again by the next.

    ``marks [P, 2]``: the robot that is there, and the one that will enter; all ``NOBODY`` between
    two worlds. ``plans [N, 7]``: the place that the robot wants to enter or ``NOBODY``, and its
    verdict, followers and chain (see ``arbitration``); its luggage, the code that goes with it.
    The last two columns are lists of robots: those with a target, and those that are ready.
    """

    marks: NDArray[np.int32]
    plans: NDArray[np.int32]


def make_rules(layout: RwareLayout, options: RwareOptions) -> Rules:
    """The options as numbers."""
    return Rules(
        width=layout.width + 2 * options.sensor_range,
        radius=options.sensor_range,
        requests=options.request_queue,
        reward=("global", "individual", "two_stage").index(options.reward),
        max_steps=options.max_steps or 0,
        max_idle_steps=options.max_inactivity_steps or 0,
    )


def make_floor(layout: RwareLayout, options: RwareOptions) -> Floor:
    """The floor as the kernels want it."""
    radius = options.sensor_range
    width = layout.width + 2 * radius
    places = width * (layout.height + 2 * radius)
    y, x = np.divmod(np.arange(layout.size), layout.width)
    corridor = ~layout.shelves.ravel()
    cells = ((y + radius) * width + x + radius).astype(np.int32)
    scale = coordinate_scale(layout, options)
    own = np.stack([x / scale[0], y / scale[1], corridor], axis=1).astype(np.float32)
    own_codes = np.stack([x, y, corridor], axis=1).astype(np.uint8)
    return Floor(
        ahead=np.array([-width, 1, width, -1]),
        tiles=_laid_out((INSIDE + CORRIDOR * corridor).astype(np.uint8), cells, places),
        cells=cells,
        shelves=cells[layout.shelf_cells],
        goals=cells[layout.goals],
        own=_laid_out(own, cells, places),
        own_codes=_laid_out(own_codes, cells, places),
    )


def coordinate_scale(layout: RwareLayout, options: RwareOptions) -> tuple[int, int]:
    """What x and y are divided by before a robot sees them."""
    if not options.normalised_coordinates:
        return 1, 1
    return max(layout.width - 1, 1), max(layout.height - 1, 1)


def _laid_out(values: NDArray[Any], cells: NDArray[np.int32], places: int) -> NDArray[Any]:
    """By place what was by cell, 0 in the border."""
    out = np.zeros((places, *values.shape[1:]), dtype=values.dtype)
    out[cells] = values
    return out


def make_state(floor: Floor, worlds: int, robots: int) -> State:
    """Worlds before their first episode."""
    places, shelves = len(floor.tiles), len(floor.shelves)
    state = State(
        robots=np.zeros((worlds, robots, 4), dtype=np.int32),
        shelves=np.zeros((worlds, shelves, 2), dtype=np.int32),
        clocks=np.zeros((worlds, 4), dtype=np.int64),
        code=np.zeros((worlds, places), dtype=np.uint8),
        standing=np.full((worlds, places), NOTHING, dtype=np.int16),
    )
    state.clocks[:, OVER] = 1
    return state


def make_scratch(floor: Floor, robots: int) -> Scratch:
    """Scratch space for worlds on this floor."""
    return Scratch(
        np.full((len(floor.tiles), 2), NOBODY, dtype=np.int32),
        np.zeros((robots, 7), dtype=np.int32),
    )
