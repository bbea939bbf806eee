# SPDX-License-Identifier: Apache-2.0
"""Kernels that move the robots of one world, by each of POGEMA's three ways to settle conflicts.

They are those of pogema 1.4.0 (envs.py ``move_agents``, grid.py ``move``) with the same outcome for
every robot, also where that depends on the order of their numbers.

Args of all: ``blocked`` and ``shown`` ``[cells + SLACK]``, ``cell``, ``active`` and ``actions``
``[N]``, ``stride`` the cells in a row. ``cell`` and ``shown`` change.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.blocks import Bytes
from sim.environments.pogema.state import NONE, Scratch
from sim.jit import kernel
from sim.layout import Cells


class Queues(NamedTuple):
    """Of each cell, the robots bound for it; the fields are those of ``Scratch``."""

    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    behind: NDArray[np.int32]


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
    queues = Queues(scratch.head, scratch.tail, scratch.behind)
    goal, owner = scratch.goal, scratch.owner
    for robot in range(len(cell)):
        if active[robot]:
            owner[cell[robot]] = robot
            goal[robot] = ahead(cell[robot], actions[robot], stride)
            _join(queues, goal[robot], robot)
    _refuse_exchanges(cell, active, goal, owner, queues)
    for robot in range(len(cell) - 1, -1, -1):
        if active[robot]:
            there = goal[robot]
            if queues.head[there] != queues.tail[there] or blocked[there] != 0:
                _send_back(cell, goal, queues, robot)
    _settle(shown, cell, active, goal, owner, queues)


@kernel
def _refuse_exchanges(
    cell: Cells, active: Flags, goal: Cells, owner: Cells, queues: Queues
) -> None:
    """Of two robots that want each other's cell, the one of the lower number goes back now.

    The other one is sent back later, as it finds the first one in the cell that it wants.
    """
    for robot in range(len(cell)):
        other = owner[goal[robot]]
        if other > robot and goal[other] == cell[robot] and active[robot]:
            _leave(queues, goal[robot], robot)
            goal[robot] = cell[robot]
            _join(queues, cell[robot], robot)


@kernel
def _send_back(cell: Cells, goal: Cells, queues: Queues, robot: int) -> None:
    """``robot`` stays, and so does whoever wanted to enter its cell, and so on."""
    while True:
        _leave(queues, goal[robot], robot)
        home = cell[robot]
        goal[robot] = home
        first = queues.head[home]
        _join(queues, home, robot)
        if first == NONE:
            return
        robot = first


@kernel
def _join(queues: Queues, cell: int, robot: int) -> None:
    """To the end of the queue of a cell."""
    queues.behind[robot] = NONE
    if queues.head[cell] == NONE:
        queues.head[cell] = robot
    else:
        queues.behind[queues.tail[cell]] = robot
    queues.tail[cell] = robot


@kernel
def _leave(queues: Queues, cell: int, robot: int) -> None:
    """Out of the queue of a cell, wherever in it."""
    before, here = NONE, queues.head[cell]
    while here != robot:
        before, here = here, queues.behind[here]
    if before == NONE:
        queues.head[cell] = queues.behind[robot]
    else:
        queues.behind[before] = queues.behind[robot]
    if queues.tail[cell] == robot:
        queues.tail[cell] = before


@kernel
def _settle(
    shown: Bytes, cell: Cells, active: Flags, goal: Cells, owner: Cells, queues: Queues
) -> None:
    """All go where they are bound for; the queues are emptied.

    POGEMA clears the cell that a robot leaves after another one of a lower number has entered it.
    Then nobody sees that one until it waits or moves on without being followed; so it is here.
    """
    for robot in range(len(cell)):
        if active[robot]:
            owner[cell[robot]] = NONE
            shown[cell[robot]] = 0
            cell[robot] = goal[robot]
            shown[cell[robot]] = 1
            queues.head[cell[robot]] = queues.tail[cell[robot]] = NONE
