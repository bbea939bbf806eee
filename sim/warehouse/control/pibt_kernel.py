# SPDX-License-Identifier: Apache-2.0
"""Priority inheritance with backtracking, PIBT: where robots go next, compiled.

From Okumura, Machida, Defago, Tamura, "Priority inheritance with backtracking for iterative
multi-agent path finding", Artificial Intelligence 310 (2022): robots choose in the order of their
priority; who stands where a robot wants to go chooses before everybody else, and if it finds no
place, the robot takes its next best cell. The recursion is a stack here.

Robots prefer the cell that a planner wants, then those nearer to their goals; of equally near ones
the cell they planned before, the one with fewer turns, one that is empty, and then chance.
"""

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.chance import Keys, bits
from sim.warehouse.control.fields import FieldArrays, distance
from sim.warehouse.control.pibt_state import (
    FREE,
    HOLDS,
    Bools,
    Floats,
    Robots,
    Scratch,
    scratch_for,
)
from sim.warehouse.fleet import Int32s

TIES = 61
"""The role of the numbers that break ties."""

TIE_BITS = 10
STAY = 4
"""Stands for "no direction" among the options of a robot."""
NO_OPTION = np.iinfo(np.int64).max


@kernel
def plan_worlds(
    neighbours: Neighbours,
    fields: FieldArrays,
    robots: Robots,
    closed: Bools,
    keys: Keys,
    tick: int,
    rings: bool,
    order: Int32s,
) -> Int32s:
    """``[W, N]`` the cell that each robot goes to next, its own if it stays.

    No two robots get one cell, none change places. A cell may be one that another robot leaves.
    If robots are fixed where others enter, or share cells, which never happens in a world, the
    result is not free of conflicts.

    Args:
        closed: ``[W, cells]`` cells that nobody may begin to enter, or ``[W, 0]``.
        rings: three or more robots may rotate, each entering the next one's cell.
        order: ``[W, N]`` a permutation in each row; sorted by priority in place, which is quick
            where it almost is already.
    """
    num_worlds, num_robots = robots.cell.shape
    planned = np.empty((num_worlds, num_robots), dtype=np.int32)
    scratch = scratch_for(len(neighbours), num_robots)
    for world in range(num_worlds):
        one = Robots(
            robots.cell[world], robots.entering[world], robots.fixed[world], robots.row[world],
            robots.priority[world], robots.facing[world], robots.kept[world],
            robots.wanted[world],
        )  # fmt: skip
        scratch.order[:] = order[world]
        sort_by_priority(scratch.order, one.priority)
        order[world] = scratch.order
        plan_world(
            neighbours, fields, one, closed[world], keys[world], tick, rings, scratch,
            planned[world],
        )  # fmt: skip
    return planned


@kernel
def plan_world(
    neighbours: Neighbours,
    fields: FieldArrays,
    robots: Robots,
    closed: Bools,
    key: np.uint64,
    tick: int,
    rings: bool,
    scratch: Scratch,
    planned: Int32s,
) -> None:
    """One world; ``scratch.order`` is sorted. Arguments as of ``plan_worlds``."""
    for robot in range(len(robots.cell)):
        scratch.holder[robots.cell[robot]] = robot
        planned[robot] = -1
    for robot in range(len(robots.cell)):
        if robots.fixed[robot] != FREE:
            planned[robot] = robots.entering[robot]
            scratch.taker[robots.entering[robot]] = robot
            if robots.fixed[robot] == HOLDS:
                scratch.taker[robots.cell[robot]] = robot
    _choose(neighbours, fields, robots, closed, key, tick, rings, scratch, planned)
    for robot in range(len(robots.cell)):
        scratch.holder[robots.cell[robot]] = -1
        scratch.taker[robots.cell[robot]] = -1
        scratch.taker[planned[robot]] = -1


@kernel
def sort_by_priority(order: Int32s, priority: Floats) -> None:
    """Highest first, of equals the lower number; insertion sort, for what is almost sorted."""
    for end in range(1, len(order)):
        robot, place = order[end], end
        while place > 0 and (
            priority[order[place - 1]] < priority[robot]
            or (priority[order[place - 1]] == priority[robot] and order[place - 1] > robot)
        ):
            order[place] = order[place - 1]
            place -= 1
        order[place] = robot


@kernel
def _choose(
    neighbours: Neighbours,
    fields: FieldArrays,
    robots: Robots,
    closed: Bools,
    key: np.uint64,
    tick: int,
    rings: bool,
    scratch: Scratch,
    planned: Int32s,
) -> None:
    """Decide for all robots that are free, each with those that it pushes."""
    for root in scratch.order:
        if planned[root] >= 0:
            continue
        depth, other = -1, root
        while True:
            if other >= 0:  # it was pushed just now
                depth += 1
                scratch.stack[depth] = other
                chance = np.int64(bits(key, tick, other, TIES) >> np.uint64(1))
                _rank(
                    neighbours, fields, closed, scratch.holder, robots.cell[other],
                    robots.row[other], robots.facing[other], robots.kept[other],
                    robots.wanted[other], chance,
                    scratch.ranks[other],
                )  # fmt: skip
                scratch.tried[other] = -1
                other = -1
            robot = scratch.stack[depth]
            cell = robots.cell[robot]
            rank = _next_best(scratch.ranks[robot], scratch.tried[robot])
            if rank == NO_OPTION:  # pushed in vain: stays
                scratch.taker[cell] = robot
                planned[robot] = cell
                scratch.pending[robot] = False
                depth -= 1
                if depth < 0:
                    break
                continue
            scratch.tried[robot] = rank
            direction = rank & 7
            target = cell if direction == STAY else neighbours[cell, direction]
            there = scratch.holder[target]
            if scratch.taker[target] >= 0:
                continue
            meets = there >= 0 and there != robot
            if meets and (planned[there] == cell or (not rings and scratch.pending[there])):
                continue
            scratch.taker[target] = robot
            planned[robot] = target
            if there < 0 or planned[there] >= 0:
                break
            scratch.pending[robot] = True
            other = there
        for index in range(depth + 1):
            scratch.pending[scratch.stack[index]] = False


@kernel
def _next_best(ranks: NDArray[np.int64], tried: np.int64) -> np.int64:
    """The least rank above that of what was tried last."""
    best = np.int64(NO_OPTION)
    for place in range(5):
        rank = ranks[place]
        best = rank if tried < rank < best else best
    return best


@kernel
def _rank(
    neighbours: Neighbours,
    fields: FieldArrays,
    closed: Bools,
    holder: Int32s,
    cell: int,
    row: int,
    facing: int,
    kept: int,
    wanted: int,
    chance: np.int64,
    ranks: NDArray[np.int64],
) -> None:
    """Rate the four neighbours and the cell itself; the least is best."""
    for direction in range(5):
        stays = direction == STAY
        target = cell if stays else neighbours[cell, direction]
        if target < 0 or (not stays and len(closed) > 0 and closed[target]):
            ranks[direction] = NO_OPTION
            continue
        moves = distance(fields, row, target) if row >= 0 else int(not stays)
        rank = (int(target != wanted) << 16 | moves) * 2 + int(target != kept)
        turns = 0 if facing < 0 or stays else quarter_turns(facing, direction)
        held = not stays and holder[target] >= 0
        rank = (rank * 4 + turns) * 2 + int(held)
        tie = int(chance >> TIE_BITS * direction & (1 << TIE_BITS) - 1)
        ranks[direction] = (rank << TIE_BITS | tie) * 8 + direction


@kernel
def quarter_turns(facing: int, direction: int) -> int:
    """The fewest, 0 to 2."""
    right = (direction - facing) & 3
    return 1 if right == 3 else right
