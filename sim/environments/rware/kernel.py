# SPDX-License-Identifier: Apache-2.0
"""The compiled step of one world; ``reference.py`` says the same in plain Python.

Arrays are those of ``State``, ``Floor`` and ``Scratch``, ``w`` the number of the world.
"""

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.arbitration import GOES
from sim.environments.rware.start import NEXT_REQUEST, below
from sim.environments.rware.state import (
    CARRIED,
    CLAIM,
    CORRIDOR,
    DELIVERED,
    FORWARD,
    GLOBAL,
    HEADING,
    INSIDE,
    LEFT,
    LUGGAGE,
    MOVER,
    NOBODY,
    NOTHING,
    PLACE,
    REQUEST,
    REQUESTED,
    RIGHT,
    ROBOT,
    ROBOT_CODES,
    SHELF,
    TARGET,
    THINGS,
    TOGGLE_LOAD,
    TWO_STAGE,
    VERDICT,
    Rules,
)
from sim.jit import kernel

Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Shorts = NDArray[np.int16]


@kernel
def act(
    w: int,
    ahead: NDArray[np.int64],
    tiles: Bytes,
    robots: Ints,
    code: Bytes,
    standing: Shorts,
    marks: Ints,
    plans: Ints,
    actions: NDArray[np.int64],
) -> int:
    """Turn the robots that turn, and plan for the others; how many want to move.

    ``actions [W, N]``. A target is a place on the floor, under no standing shelf if the robot
    carries one.
    """
    movers = 0
    for robot in range(robots.shape[1]):
        action, place, heading = (
            actions[w, robot],
            robots[w, robot, PLACE],
            robots[w, robot, HEADING],
        )
        marks[place, ROBOT] = robot
        plans[robot, TARGET] = NOBODY
        if action == FORWARD:
            target = place + ahead[heading]
            loaded = robots[w, robot, CARRIED] != NOTHING
            if tiles[target] and not (loaded and standing[w, target] != NOTHING):
                plans[robot, TARGET] = target
                plans[movers, MOVER] = robot
                movers += 1
        elif action in (LEFT, RIGHT):
            heading = (heading + (3 if action == LEFT else 1)) & 3
            robots[w, robot, HEADING] = heading
            code[w, place] = code[w, place] & THINGS | ROBOT_CODES[heading]
    return movers


@kernel
def toggle(
    w: int,
    rules: Rules,
    tiles: Bytes,
    robots: Ints,
    standing: Shorts,
    actions: NDArray[np.int64],
    rewards: NDArray[np.float32],
) -> None:
    """Take the shelf above, or put it down where no corridor is.

    ``rewards [W, N]`` are set: 0, or those of the second stage.
    """
    for robot in range(robots.shape[1]):
        rewards[w, robot] = 0.0
        if actions[w, robot] != TOGGLE_LOAD:
            continue
        place, carried = robots[w, robot, PLACE], robots[w, robot, CARRIED]
        if carried == NOTHING:
            robots[w, robot, CARRIED] = standing[w, place]
            standing[w, place] = NOTHING
        elif not tiles[place] & CORRIDOR:
            standing[w, place] = carried
            robots[w, robot, CARRIED] = NOTHING
            if robots[w, robot, DELIVERED] and rules.reward == TWO_STAGE:
                rewards[w, robot] = 0.5
            robots[w, robot, DELIVERED] = 0


@kernel
def leave(w: int, robots: Ints, code: Bytes, marks: Ints, plans: Ints, movers: int) -> None:
    """Those that go are lifted off the floor with their shelves. The marks are wiped."""
    for robot in range(robots.shape[1]):
        marks[robots[w, robot, PLACE], ROBOT] = NOBODY
    for m in range(movers):
        robot = plans[m, MOVER]
        marks[plans[robot, TARGET], CLAIM] = NOBODY
        if plans[robot, VERDICT] == GOES:
            place = robots[w, robot, PLACE]
            left = 0 if robots[w, robot, CARRIED] != NOTHING else THINGS
            plans[robot, LUGGAGE] = code[w, place] & ~left
            code[w, place] &= left


@kernel
def enter(w: int, robots: Ints, shelves: Ints, code: Bytes, plans: Ints, movers: int) -> None:
    """Those that go arrive; all have left before, as one enters what another leaves."""
    for m in range(movers):
        robot = plans[m, MOVER]
        if plans[robot, VERDICT] == GOES:
            target = plans[robot, TARGET]
            robots[w, robot, PLACE] = target
            code[w, target] |= plans[robot, LUGGAGE]
            if robots[w, robot, CARRIED] != NOTHING:
                shelves[w, robots[w, robot, CARRIED], PLACE] = target


@kernel
def brought(w: int, goals: Ints, code: Bytes) -> bool:
    """Whether a requested shelf is on a goal."""
    found = False
    for goal in goals:
        found |= code[w, goal] & THINGS == SHELF | REQUESTED
    return found


@kernel
def deliver(
    w: int,
    rules: Rules,
    goals: Ints,
    robots: Ints,
    shelves: Ints,
    code: Bytes,
    key: np.uint64,
    tick: int,
    rewards: NDArray[np.float32],
) -> None:
    """Requested shelves on goals count, and others are requested.

    Goal by goal: a shelf that is requested for the first counts on the second at once, as in RWARE.
    """
    found = 0
    unrequested = shelves.shape[1] - rules.requests
    for goal in goals:
        if code[w, goal] & THINGS == SHELF | REQUESTED:
            robot = _carrier(w, robots, goal)
            number = below(key, tick, found, NEXT_REQUEST, unrequested)
            _request(w, shelves, code, robots[w, robot, CARRIED], number)
            _reward(w, rules, robots, robot, rewards)
            found += 1


@kernel
def _carrier(w: int, robots: Ints, goal: int) -> int:
    """The robot on a goal where a shelf is: as shelves stand in no corridor, it carries it."""
    robot = 0
    while robots[w, robot, PLACE] != goal:
        robot += 1
    return robot


@kernel
def _request(w: int, shelves: Ints, code: Bytes, brought: int, number: int) -> None:
    """Request that number of the shelves that are not requested, instead of the one brought."""
    shelf = -1
    while number >= 0:
        shelf += 1
        if not shelves[w, shelf, REQUEST]:
            number -= 1
    shelves[w, shelf, REQUEST], shelves[w, brought, REQUEST] = 1, 0
    code[w, shelves[w, shelf, PLACE]] |= REQUESTED
    code[w, shelves[w, brought, PLACE]] ^= REQUESTED


@kernel
def _reward(w: int, rules: Rules, robots: Ints, robot: int, rewards: NDArray[np.float32]) -> None:
    if rules.reward == GLOBAL:
        for each in range(robots.shape[1]):
            rewards[w, each] += 1.0
    elif rules.reward == TWO_STAGE:
        rewards[w, robot] += 0.5
        robots[w, robot, DELIVERED] = 1
    else:
        rewards[w, robot] += 1.0


@kernel
def write_masks(
    ahead: NDArray[np.int64], tiles: Bytes, robots: Ints, standing: Shorts, masks: NDArray[np.bool_]
) -> None:
    """Into ``masks [W, N, 5]``, True before: False where an action is sure to do nothing."""
    for w in range(robots.shape[0]):
        for robot in range(robots.shape[1]):
            place = robots[w, robot, PLACE]
            target = place + ahead[robots[w, robot, HEADING]]
            loaded = robots[w, robot, CARRIED] != NOTHING
            blocked = loaded and standing[w, target] != NOTHING
            takes = standing[w, place] != NOTHING
            puts = not tiles[place] & CORRIDOR
            masks[w, robot, FORWARD] = tiles[target] & INSIDE and not blocked
            masks[w, robot, TOGGLE_LOAD] = puts if loaded else takes
