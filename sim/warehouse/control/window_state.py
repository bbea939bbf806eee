# SPDX-License-Identifier: Apache-2.0
"""What the windowed planner works on: the floor, the robots, their plan, and one attempt on it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.oriented import UNREACHABLE, Fields
from sim.warehouse.fleet import Int8s, Int32s

NOBODY = -1
STAYS = -1
"""Stands for the direction of a robot that does not drive."""

Costs = NDArray[np.int64]


class Problem(NamedTuple):
    """One world; N robots, K goals each.

    Args:
        neighbours: ``[cells, 4]``.
        fields: ``[R, places, 4]`` by heading where robots turn, or ``[R, places, 1]``.
        place: ``[cells]`` the place of each cell in ``fields``.
        cell: ``[N]``, distinct.
        heading: ``[N]``.
        rows: ``[N, K]`` of ``fields``, -1 beyond the last goal.
        goals: ``[N, K]`` cells.
        tails: ``[N, K]`` steps that remain after each goal.
        weights: ``[N]`` what a step of each robot counts.
        straight_only: whether a robot may follow another one into the cell that it leaves only in
            the same direction.
        late: ``[N]`` first steps in which each robot must wait where it stands.
    """

    neighbours: Neighbours
    fields: Fields
    place: Int32s
    cell: Int32s
    heading: Int8s
    rows: Int32s
    goals: Int32s
    tails: Int32s
    weights: Int32s
    straight_only: bool
    late: Int32s


class Plan(NamedTuple):
    """Where everybody is in each of S steps. It is valid at all times but during an attempt.

    Args:
        occupant: ``[S + 1, cells]`` robot or -1.
        cells: ``[N, S + 1]``.
        headings: ``[N, S + 1]``.
        actions: ``[N, S]``.
        drives: ``[N, S]`` direction of the move, -1 where the robot stays in its cell.
        cost: ``[N]`` steps until the end of the last goal, if nobody is met after the window.
        least: ``[N]`` the same if nobody is met in the window either.
    """

    occupant: Int32s
    cells: Int32s
    headings: Int8s
    actions: Int8s
    drives: Int8s
    cost: Costs
    least: Costs


class Attempt(NamedTuple):
    """Robots that are planned anew together, and what they did before.

    Args:
        robots: ``[M]`` those robots; they are planned in this order.
        number: ``[2]`` of the attempt, and of its robots.
        taken: ``[N]`` the last attempt that took a robot out of the plan.
        settled: ``[N]`` the last attempt that found it a new path.
        cells, headings, actions, drives, cost: as in ``Plan``, before.
    """

    robots: Int32s
    number: Costs
    taken: Costs
    settled: Costs
    cells: Int32s
    headings: Int8s
    actions: Int8s
    drives: Int8s
    cost: Costs


@kernel
def remaining(problem: Problem, robot: int, goal: int, cell: int, heading: int) -> int:
    """Steps until a robot that heads for its goal number ``goal`` is done; 0 without goals."""
    if goal >= problem.rows.shape[1] or problem.rows[robot, goal] < 0:
        return 0
    fields = problem.fields
    place, plane = problem.place[cell], heading if fields.shape[2] == 4 else 0
    steps = fields[problem.rows[robot, goal], place, plane]
    return int(steps) + int(problem.tails[robot, goal])


@kernel
def is_done(problem: Problem, robot: int, goal: int) -> bool:
    """Whether there is no goal number ``goal``."""
    return bool(goal >= problem.rows.shape[1] or problem.rows[robot, goal] < 0)


@kernel
def first_goal(problem: Problem, robot: int) -> int:
    """0, or the number after the last if the robot has no goal, or none that it can reach."""
    none = int(problem.rows.shape[1])
    if is_done(problem, robot, 0):
        return none
    steps = problem.fields[problem.rows[robot, 0], problem.place[problem.cell[robot]], 0]
    return none if steps == UNREACHABLE else 0


@kernel
def met(
    occupant: Int32s,
    cells: Int32s,
    drives: Int8s,
    neighbours: Neighbours,
    straight_only: bool,
    robot: int,
    step: int,
    cell: int,
    drive: int,
    which: int,
) -> int:
    """A robot that is in the way of a step, or nobody.

    Args:
        occupant, cells, drives: of the plan.
        neighbours, straight_only: of the problem.
        robot: who would take the step; its own path is not in the plan, but for where it stands.
        step: number of the step.
        cell: where it begins.
        drive: its direction, or ``STAYS``.
        which: 0: who is in the cell at the end of the step; 1: who leaves it otherwise than the
            robot may follow; 2: who enters the cell that the robot leaves, likewise.
    """
    after = cell if drive == STAYS else neighbours[cell, drive]
    if which == 0:
        other = int(occupant[step + 1, after])
        return other if other != robot else NOBODY
    if drive == STAYS:
        return NOBODY
    if which == 2:
        other = int(occupant[step + 1, cell])
        if other < 0 or other == robot or cells[other, step] == cell or not straight_only:
            return NOBODY
        return NOBODY if drives[other, step] == drive else other
    other = int(occupant[step, after])
    if other < 0 or other == robot:
        return NOBODY
    if straight_only:
        return NOBODY if drives[other, step] == drive else other
    return _ring(occupant, drives, neighbours, robot, step, cell, after)


@kernel
def _ring(
    occupant: Int32s,
    drives: Int8s,
    neighbours: Neighbours,
    robot: int,
    step: int,
    cell: int,
    after: int,
) -> int:
    """Who of those that leave ``after`` and so on gets to ``cell``; if nobody leaves, who stays."""
    ahead = int(occupant[step, after])
    if drives[ahead, step] == STAYS:
        return ahead
    place = after
    for _ in range(len(drives)):
        leaver = int(occupant[step, place])
        if leaver < 0 or leaver == robot or drives[leaver, step] == STAYS:
            return NOBODY
        place, last = neighbours[place, drives[leaver, step]], leaver
        if place == cell:
            return last
    return NOBODY
