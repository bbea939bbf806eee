# SPDX-License-Identifier: Apache-2.0
"""Kernels that move the robots of one world, by each of POGEMA's three ways to settle conflicts.

They are those of pogema 1.4.0 (envs.py ``move_agents``, grid.py ``move``) with the same outcome for
every robot, also where that depends on the order of their numbers.

Args of all: ``blocked`` and ``shown`` ``[cells + SLACK]``, ``cell``, ``active`` and ``actions``
``[N]``, ``stride`` the cells in a row. ``cell`` and ``shown`` change.
"""

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.blocks import Bytes
from sim.environments.pogema.state import NONE, Scratch
from sim.jit import kernel
from sim.layout import Cells

Flags = NDArray[np.bool_]
Actions = NDArray[np.int64]


@kernel
def ahead(cell: int, action: int, stride: int) -> int:
    """The cell that an action leads to: 0 wait, 1 north, 2 south, 3 west, 4 east."""
    sign = 1 - 2 * (action % 2)  # -1 north and west, 1 south and east
    if action == 0:
        return cell
    return cell + sign * (stride if action < 3 else 1)


@kernel
def move_in_turn(
    blocked: Bytes, shown: Bytes, cell: Cells, active: Flags, actions: Actions, stride: int
) -> None:
    """Rule ``priority``: one after the other, each into a cell that is free by then."""
    for robot in range(len(cell)):
        if active[robot]:
            here = cell[robot]
            there = ahead(here, actions[robot], stride)
            if blocked[there] == 0 and shown[there] == 0:
                shown[here] = 0
                shown[there] = 1
                cell[robot] = there


@kernel
def move_if_alone(
    blocked: Bytes,
    shown: Bytes,
    cell: Cells,
    active: Flags,
    actions: Actions,
    stride: int,
    scratch: Scratch,
) -> None:
    """Rule ``block_both``: into a cell that nobody else wants and nobody has just stood in."""
    claims, goal = scratch.claims, scratch.goal
    for robot in range(len(cell)):
        goal[robot] = ahead(cell[robot], actions[robot], stride)
        if active[robot]:
            claims[goal[robot]] += 1
            claims[cell[robot]] += 2
    for robot in range(len(cell)):
        here, there = cell[robot], goal[robot]
        if active[robot] and claims[there] == 1 and blocked[there] == 0:
            shown[here] = 0
            shown[there] = 1
            cell[robot] = there
        goal[robot], scratch.behind[robot] = here, there  # to be cleared
    for robot in range(len(cell)):
        claims[goal[robot]] = claims[scratch.behind[robot]] = 0


@kernel
def move_together(
    blocked: Bytes,
    shown: Bytes,
    cell: Cells,
    active: Flags,
    actions: Actions,
    stride: int,
    scratch: Scratch,
) -> None:
    """Rule ``soft``: all at once; who is barred goes back, and then who wanted its cell.

    Each cell has a queue of the robots bound for it. A robot that is sent back joins the queue of
    its own cell, and sends back the first one there.
    """
    goal = scratch.goal
    for robot in range(len(cell)):
        if active[robot]:
            goal[robot] = ahead(cell[robot], actions[robot], stride)
            _join(scratch, goal[robot], robot)
    _refuse_exchanges(cell, active, scratch)
    for robot in range(len(cell) - 1, -1, -1):
        if active[robot]:
            there = goal[robot]
            if scratch.head[there] != scratch.tail[there] or blocked[there] != 0:
                _send_back(cell, scratch, robot)
    _settle(shown, cell, active, scratch)


@kernel
def _refuse_exchanges(cell: Cells, active: Flags, scratch: Scratch) -> None:
    """Of two robots that want each other's cell, the one of the lower number goes back now.

    The other one is sent back later, as it finds the first one in the cell that it wants.
    """
    goal, owner = scratch.goal, scratch.owner
    for robot in range(len(cell)):
        if active[robot]:
            owner[cell[robot]] = robot
    for robot in range(len(cell)):
        if active[robot] and goal[robot] != cell[robot]:
            other = owner[goal[robot]]
            if other > robot and goal[other] == cell[robot]:
                _leave(scratch, goal[robot], robot)
                goal[robot] = cell[robot]
                _join(scratch, cell[robot], robot)
    for robot in range(len(cell)):
        owner[cell[robot]] = NONE


@kernel
def _send_back(cell: Cells, scratch: Scratch, robot: int) -> None:
    """``robot`` stays, and so does whoever wanted to enter its cell, and so on."""
    while True:
        _leave(scratch, scratch.goal[robot], robot)
        home = cell[robot]
        scratch.goal[robot] = home
        first = scratch.head[home]
        _join(scratch, home, robot)
        if first == NONE:
            return
        robot = first


@kernel
def _join(scratch: Scratch, cell: int, robot: int) -> None:
    """To the end of the queue of a cell."""
    scratch.behind[robot] = NONE
    if scratch.head[cell] == NONE:
        scratch.head[cell] = robot
    else:
        scratch.behind[scratch.tail[cell]] = robot
    scratch.tail[cell] = robot


@kernel
def _leave(scratch: Scratch, cell: int, robot: int) -> None:
    """Out of the queue of a cell, wherever in it."""
    before, here = NONE, scratch.head[cell]
    while here != robot:
        before, here = here, scratch.behind[here]
    if before == NONE:
        scratch.head[cell] = scratch.behind[robot]
    else:
        scratch.behind[before] = scratch.behind[robot]
    if scratch.tail[cell] == robot:
        scratch.tail[cell] = before


@kernel
def _settle(shown: Bytes, cell: Cells, active: Flags, scratch: Scratch) -> None:
    """All go where they are bound for; the queues are emptied.

    POGEMA clears the cell that a robot leaves after another one of a lower number has entered it.
    Then nobody sees that one until it waits or moves on without being followed; so it is here.
    """
    for robot in range(len(cell)):
        if active[robot]:
            shown[cell[robot]] = 0
            shown[scratch.goal[robot]] = 1
            cell[robot] = scratch.goal[robot]
            scratch.head[cell[robot]] = scratch.tail[cell[robot]] = NONE
