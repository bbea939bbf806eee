# SPDX-License-Identifier: Apache-2.0
"""The best path of one robot through a window in which the others are planned.

A* over (step, cell, heading) with integer costs in buckets, last in first out. The cost of a path
is the steps it takes plus those that remain at its end; a step towards the goal leaves it as it is,
so that a robot that meets nobody looks at one place per step. Robots that are not settled may be
driven through at a penalty: they are taken out of the plan and must find another path.
"""

from typing import NamedTuple

import numpy as np

from sim.jit import kernel
from sim.warehouse.control.window_state import (
    NOBODY,
    STAYS,
    Attempt,
    Plan,
    Problem,
    first_goal,
    is_done,
    met,
    remaining,
)
from sim.warehouse.fleet import Int8s, Int32s

BUCKETS = 1024
NONE = -1
TURNS = 4


class Search(NamedTuple):
    """Scratch of A*.

    Args:
        seen: ``[S + 1, cells, planes]`` the search that has expanded a place last.
        number: ``[2]`` of the search; nodes in use.
        first: ``[BUCKETS]`` last node put into each bucket.
        next, step, cell, heading, goal, parent, action, cost, penalty: ``[nodes]``.
    """

    seen: Int32s
    number: Int32s
    first: Int32s
    next: Int32s
    step: Int32s
    cell: Int32s
    heading: Int8s
    goal: Int8s
    parent: Int32s
    action: Int8s
    cost: Int32s
    penalty: Int32s


@kernel
def _meetings(
    problem: Problem, plan: Plan, attempt: Attempt, robot: int, step: int, cell: int, drive: int
) -> int:
    """How many robots that are not settled a step meets; -1 if it meets one that is."""
    count = 0
    for which in range(3):
        other = met(problem, plan, robot, step, cell, drive, which)
        if other != NOBODY:
            if attempt.settled[other] == attempt.number[0]:
                return -1
            count += 1
    return count


@kernel
def _push(
    problem: Problem, search: Search, robot: int, parent: int, action: int, drive: int, penalty: int
) -> None:
    """Put what follows after ``parent`` into its bucket."""
    node = search.number[1]
    if node >= len(search.next):
        return
    search.number[1] = node + 1
    before, goal = search.cell[parent], search.goal[parent]
    heading = np.int64(search.heading[parent])
    cost = search.cost[parent] + search.penalty[parent]  # = spent, see below
    cell = before
    if drive != STAYS:
        cell = problem.neighbours[before, drive]
    elif action >= 2:
        heading = (heading + (1 if action == 2 else 3)) & 3
    spent = search.cost[parent]
    if not is_done(problem, robot, goal):
        spent += 1 + (problem.tolls[before, drive] if drive != STAYS else 0)
        if cell == problem.goals[robot, goal]:
            goal += 1
    del cost
    search.step[node] = search.step[parent] + 1
    search.cell[node] = cell
    search.heading[node] = heading
    search.goal[node] = goal
    search.parent[node] = parent
    search.action[node] = action
    search.cost[node] = spent
    search.penalty[node] = search.penalty[parent] + penalty
    total = spent + search.penalty[node] + remaining(problem, robot, goal, cell, heading)
    bucket = min(BUCKETS - 1, max(0, total - search.number[2]))
    search.next[node] = search.first[bucket]
    search.first[bucket] = node
