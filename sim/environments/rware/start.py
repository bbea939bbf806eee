# SPDX-License-Identifier: Apache-2.0
"""How an episode begins: shelves at home, robots anywhere, headings and requests at random.

As in RWARE all cells are alike to the robots, those under shelves too, and no two robots begin on
one cell. Its draws differ: ours are functions of the world's key and its tick.
"""

import numpy as np

from sim.environments.rware.state import (
    CARRIED,
    DELIVERED,
    HEADING,
    IDLE_STEPS,
    NOBODY,
    NOTHING,
    OVER,
    PLACE,
    REQUEST,
    REQUESTED,
    ROBOT,
    ROBOT_CODES,
    SHELF,
    STEPS,
    TICK,
    Floor,
    Rules,
    Scratch,
    State,
)
from sim.jit import kernel
from sim.warehouse.chance import uniform

# Roles of the draws in a world.
START_CELL, START_HEADING, START_REQUEST, NEXT_REQUEST = 0, 1, 2, 3


@kernel
def below(key: np.uint64, tick: int, number: int, role: int, bound: int) -> int:
    """A number of ``0 .. bound - 1``; ``number`` counts the draws of this role in this tick."""
    return int(uniform(key, tick, number, role) * bound)


@kernel
def begin(
    rules: Rules, floor: Floor, state: State, scratch: Scratch, w: int, key: np.uint64
) -> None:
    """World ``w`` stands at the start of an episode."""
    clock = state.clocks[w]
    clock[OVER], clock[STEPS], clock[IDLE_STEPS] = 0, 0, 0
    _put_shelves(floor, state, w)
    _draw_requests(rules, state, w, key)
    _put_robots(floor, state, scratch, w, key)


@kernel
def _put_shelves(floor: Floor, state: State, w: int) -> None:
    code, standing, shelves = state.code[w], state.standing[w], state.shelves[w]
    code[:] = 0
    standing[:] = NOTHING
    for shelf in range(len(shelves)):
        place = floor.shelves[shelf]
        shelves[shelf, PLACE], shelves[shelf, REQUEST] = place, 0
        standing[place], code[place] = shelf, SHELF


@kernel
def _draw_requests(rules: Rules, state: State, w: int, key: np.uint64) -> None:
    """Shelf after shelf, drawn again where that one is requested already."""
    code, shelves, tick = state.code[w], state.shelves[w], state.clocks[w, TICK]
    drawn, found = 0, 0
    while found < rules.requests:
        shelf = below(key, tick, drawn, START_REQUEST, len(shelves))
        drawn += 1
        if not shelves[shelf, REQUEST]:
            found += 1
            shelves[shelf, REQUEST] = 1
            code[shelves[shelf, PLACE]] |= REQUESTED


@kernel
def _put_robots(floor: Floor, state: State, scratch: Scratch, w: int, key: np.uint64) -> None:
    """Robot after robot; its cell is drawn again where another stands already."""
    code, robots, tick = state.code[w], state.robots[w], state.clocks[w, TICK]
    marks, cells = scratch.marks, floor.cells
    drawn, robot = 0, 0
    while robot < len(robots):
        place = cells[below(key, tick, drawn, START_CELL, len(cells))]
        drawn += 1
        if marks[place, ROBOT] == NOBODY:
            marks[place, ROBOT] = robot
            heading = below(key, tick, robot, START_HEADING, 4)
            robots[robot, PLACE], robots[robot, HEADING] = place, heading
            robots[robot, CARRIED], robots[robot, DELIVERED] = NOTHING, 0
            code[place] |= ROBOT_CODES[heading]
            robot += 1
    for robot in range(len(robots)):
        marks[robots[robot, PLACE], ROBOT] = NOBODY
