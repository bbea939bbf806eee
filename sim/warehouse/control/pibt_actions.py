# SPDX-License-Identifier: Apache-2.0
"""From robots in the middle of things to a plan of next cells, and from the plan to actions."""

import numpy as np

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.pibt_state import FREE, HOLDS, LEAVES, Bools, Robots
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, WAIT


@kernel
def commitments(neighbours: Neighbours, turning: bool, fleet: Fleet, robots: Robots) -> None:
    """Fill in what robots are bound to: ``entering``, ``fixed`` and ``facing``."""
    num_worlds, num_robots = fleet.cell.shape
    for world in range(num_worlds):
        for robot in range(num_robots):
            cell, doing = fleet.cell[world, robot], fleet.doing[world, robot]
            heading, delayed = fleet.heading[world, robot], fleet.delay_ticks[world, robot] > 0
            drives = doing == FORWARD if turning else doing != WAIT
            way = heading if turning else doing - 1
            robots.entering[world, robot] = neighbours[cell, way] if drives else cell
            moving_or_free = LEAVES if drives else FREE
            robots.fixed[world, robot] = HOLDS if delayed else moving_or_free
            if not turning:
                robots.facing[world, robot] = -1
            elif doing == TURN_RIGHT:
                robots.facing[world, robot] = (heading + 1) & 3
            elif doing == TURN_LEFT:
                robots.facing[world, robot] = (heading + 3) & 3
            else:
                robots.facing[world, robot] = heading


@kernel
def actions_for(
    neighbours: Neighbours,
    turning: bool,
    straight: bool,
    together: bool,
    fleet: Fleet,
    closed: Bools,
    planned: Int32s,
) -> Int8s:
    """``[W, N]`` what each robot does now to get to its planned cell.

    Nobody is told what the world would refuse. Who drives into a cell where a person is by now
    waits in the middle of it.

    Args:
        straight, together: the rule of following; neither: never.
        closed: ``[W, cells]``, or ``[W, 0]``.
        planned: ``[W, N]`` of ``plan_worlds``.
    """
    num_worlds, num_robots = fleet.cell.shape
    actions = np.zeros((num_worlds, num_robots), dtype=np.int8)
    holder = np.full(len(neighbours), -1, dtype=np.int32)
    for world in range(num_worlds):
        cell = fleet.cell[world]
        for robot in range(num_robots):
            holder[cell[robot]] = robot
        for robot in range(num_robots):
            if fleet.delay_ticks[world, robot] > 0:
                continue
            action = _wish(neighbours, turning, fleet, world, robot, planned[world, robot])
            if turning and action > FORWARD:
                actions[world, robot] = action
                continue
            target = planned[world, robot]
            shut = closed.shape[1] > 0 and target != cell[robot] and closed[world, target]
            other = holder[target]
            if action != WAIT and not shut and (
                together or other < 0
                or (straight and _ahead_of(turning, fleet, world, robot, other, action))
            ):  # fmt: skip
                actions[world, robot] = action
        for robot in range(num_robots):
            holder[cell[robot]] = -1
        if together and turning:
            _hold_followers(cell, planned[world], actions[world], holder)
    return actions


@kernel
def _wish(
    neighbours: Neighbours, turning: bool, fleet: Fleet, world: int, robot: int, target: int
) -> int:
    """The action that has begun, or else the one that leads to the target."""
    doing, cell = fleet.doing[world, robot], fleet.cell[world, robot]
    if doing != WAIT:
        return int(doing)
    if target == cell:
        return WAIT
    way = 0
    while neighbours[cell, way] != target:
        way += 1
    if not turning:
        return way + 1
    right = (way - fleet.heading[world, robot]) & 3
    if right == 0:
        return FORWARD
    return TURN_LEFT if right == 3 else TURN_RIGHT


@kernel
def _ahead_of(turning: bool, fleet: Fleet, world: int, robot: int, other: int, action: int) -> bool:
    """Whether ``other`` drives the same way and is so far that the robot cannot touch it."""
    doing = fleet.doing[world, other]
    if turning:
        same_way = doing == FORWARD and fleet.heading[world, other] == fleet.heading[world, robot]
    else:
        same_way = doing == action
    return bool(same_way and fleet.progress[world, robot] < fleet.progress[world, other])


@kernel
def _hold_followers(cell: Int32s, planned: Int32s, actions: Int8s, taker: Int32s) -> None:
    """Who stays or turns keeps those waiting that would follow; ``taker`` is -1 everywhere."""
    for robot in range(len(cell)):
        if planned[robot] != cell[robot]:
            taker[planned[robot]] = robot
    for robot in range(len(cell)):
        front = robot
        while actions[front] != FORWARD:
            front = taker[cell[front]]
            if front < 0 or actions[front] != FORWARD:
                break
            actions[front] = WAIT
    for robot in range(len(cell)):
        taker[planned[robot]] = -1
