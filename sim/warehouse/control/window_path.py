# SPDX-License-Identifier: Apache-2.0
"""The best path of one robot through a window in which the others are planned.

A* over (step, cell, heading) with integer costs in buckets, last in first out. The cost of a path
is that of its steps and of what remains at its end; a step towards the goal leaves it as it is, so
that a robot that meets nobody looks at one place per step. Robots that are not settled may be
driven through at a penalty: they are then taken out of the plan and must find another path.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.window_state import (
    NOBODY,
    STAYS,
    Attempt,
    Costs,
    Plan,
    Problem,
    first_goal,
    met,
    remaining,
)
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, WAIT

BUCKETS = 1024
NONE = -1
STEP, CELL, HEADING, GOAL, ACTION, PARENT, COST, PENALTY = range(8)


class Search(NamedTuple):
    """Scratch of A*.

    Args:
        wrap: ``[cells]`` numbers that differ among the cells that a robot can get to.
        seen: ``[S + 1, numbers, planes]`` the last search that has looked at a place.
        number: ``[1]`` of the search.
        first: ``[BUCKETS]`` the node put last into each bucket.
        next: ``[nodes]`` the node put into the same bucket before.
        nodes: ``[nodes, 8]`` step, cell, heading, number of the goal, action that led here, node
            before, cost up to here, and penalties up to here.
    """

    wrap: Int32s
    seen: Int32s
    number: NDArray[np.int64]
    first: Int32s
    next: Int32s
    nodes: Int32s


@kernel
def best_path(
    problem: Problem,
    plan: Plan,
    attempt: Attempt,
    search: Search,
    robot: int,
    penalty: int,
    patience: int,
    salt: int,
) -> int:
    """The last node of the best path, -1 if there is none or too many places were looked at.

    Args:
        problem, plan, attempt: the robot is not in the plan, but for the cell where it stands.
        search: overwritten.
        robot: whose path.
        penalty: of driving through a robot that is not settled, in steps.
        patience: number of first steps in which it drives through nobody.
        salt: bits that decide between equal paths.
    """
    # Bundles of arrays are slow to hand over, so that the inner loop works with single ones.
    nodes, seen, later, first = search.nodes, search.seen, search.next, search.first
    wrap, place_of = search.wrap, problem.place
    occupant, cells, drives, settled = plan.occupant, plan.cells, plan.drives, attempt.settled
    neighbours, fields = problem.neighbours, problem.fields
    rows, goals, tails = problem.rows, problem.goals, problem.tails
    straight_only, now = problem.straight_only, attempt.number[0]
    late = problem.late[robot]
    steps = plan.actions.shape[1]
    turning = problem.fields.shape[2] == 4
    choices = 4 if turning else 5
    number = search.number[0] + 1
    search.number[0] = number
    first[:] = NONE
    goal = first_goal(problem, robot)
    least = remaining(problem, robot, goal, problem.cell[robot], problem.heading[robot])
    nodes[0, :] = 0
    nodes[0, CELL], nodes[0, HEADING] = problem.cell[robot], problem.heading[robot]
    nodes[0, GOAL], nodes[0, PARENT] = goal, NONE
    first[0], later[0] = 0, NONE
    used = 1
    bucket = 0
    while bucket < BUCKETS:
        node = int(first[bucket])
        if node == NONE:
            bucket += 1
            continue
        first[bucket] = later[node]
        step, cell = int(nodes[node, STEP]), int(nodes[node, CELL])
        heading = int(nodes[node, HEADING])
        if seen[step, wrap[cell], heading if turning else 0] == number:
            continue
        seen[step, wrap[cell], heading if turning else 0] = number
        if step == steps:
            return node
        if used + choices > len(nodes):
            return NONE
        goal = int(nodes[node, GOAL])
        done = goal >= rows.shape[1] or rows[robot, goal] < 0
        for choice in range(choices):
            action = _action(choice, choices, done, salt + step)
            if step < late and action != WAIT:
                continue
            drive = STAYS
            after, turned = cell, heading
            if not turning and action != WAIT:
                drive = action - 1
            elif action == FORWARD:
                drive = heading
            elif action != WAIT:
                turned = (heading + (1 if action == TURN_RIGHT else 3)) & 3
            if drive != STAYS:
                after = int(neighbours[cell, drive])
                if after < 0:
                    continue
            if seen[step + 1, wrap[after], turned if turning else 0] == number:
                continue
            meetings = 0
            if occupant[step + 1, after] != NOBODY or (
                drive != STAYS
                and (occupant[step, after] != NOBODY or occupant[step + 1, cell] != NOBODY)
            ):
                meetings = _meetings(
                    occupant, cells, drives, neighbours, straight_only, settled, now,
                    robot, step, cell, drive,
                )  # fmt: skip
                if meetings < 0 or (meetings > 0 and step < patience):
                    continue
            cost, next_goal = int(nodes[node, COST]), goal
            if not done:
                cost += 1
                if after == goals[robot, goal]:
                    next_goal += 1
            penalties = nodes[node, PENALTY] + penalty * meetings
            nodes[used, STEP], nodes[used, CELL], nodes[used, HEADING] = step + 1, after, turned
            nodes[used, GOAL], nodes[used, ACTION], nodes[used, PARENT] = next_goal, action, node
            nodes[used, COST], nodes[used, PENALTY] = cost, penalties
            total = cost + penalties - least
            if next_goal < rows.shape[1] and rows[robot, next_goal] >= 0:
                row = rows[robot, next_goal]
                total += int(fields[row, place_of[after], turned if turning else 0])
                total += tails[robot, next_goal]
            place = min(BUCKETS - 1, max(0, total))
            later[used] = first[place]
            first[place] = used
            bucket = min(bucket, place)
            used += 1
    return NONE


@kernel
def _action(choice: int, choices: int, idle: bool, salt: int) -> int:
    """The actions in the order in which they are tried last; waiting first of all when idle."""
    place = (choice + (1 if idle else 0)) % choices
    if place == 0:
        return WAIT
    if choices == 5:
        return 1 + ((place + salt) & 3)
    if place == 3:
        return FORWARD
    return TURN_RIGHT if (place + salt) & 1 else TURN_LEFT


@kernel
def _meetings(
    occupant: Int32s,
    cells: Int32s,
    drives: Int8s,
    neighbours: Neighbours,
    straight_only: bool,
    settled: Costs,
    now: int,
    robot: int,
    step: int,
    cell: int,
    drive: int,
) -> int:
    """How many more robots that are not settled a step meets; -1 if it meets one that is."""
    count, before = 0, occupant[step, cell]
    for which in range(3):
        other = met(
            occupant, cells, drives, neighbours, straight_only, robot, step, cell, drive, which
        )
        if other != NOBODY:
            if settled[other] == now:
                return -1
            count += 1 if other != before else 0
            before = other
    return count


@kernel
def path_cost(problem: Problem, search: Search, robot: int, node: int) -> int:
    """Of the path that ends in ``node``, without penalties."""
    goal, cell = search.nodes[node, GOAL], search.nodes[node, CELL]
    left = remaining(problem, robot, goal, cell, search.nodes[node, HEADING])
    return int(search.nodes[node, COST] + left)
