# SPDX-License-Identifier: Apache-2.0
"""The plan that a window begins with: what was planned earlier, where that still fits, or waiting.

Robots that stand still where they are can never collide, so whoever does not fit waits, and whoever
would be met by one that waits does so too.
"""

from sim.jit import kernel
from sim.warehouse.control.window_path import Search, best_path, path_cost
from sim.warehouse.control.window_state import (
    NOBODY,
    STAYS,
    Attempt,
    Plan,
    Problem,
    first_goal,
    met,
    remaining,
)
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.rules import FORWARD, TURN_RIGHT, WAIT


@kernel
def begin(
    problem: Problem, plan: Plan, attempt: Attempt, search: Search, earlier: Int8s, waiting: Int32s
) -> None:
    """Fill a plan; nobody is in ``plan.occupant`` before.

    Args:
        problem: of the window.
        plan, attempt, search: overwritten.
        earlier: ``[N, steps]`` actions to begin with; after their end the robots wait.
        waiting: ``[N]`` scratch.
    """
    attempt.number[:] = 1
    for robot in range(len(problem.cell)):
        plan.least[robot] = _least(problem, plan, attempt, search, robot)
    for robot in range(len(problem.cell)):
        plan.occupant[0, problem.cell[robot]] = robot
        _imagine(problem, plan, robot, earlier[robot])
    count = 0
    for robot in range(len(problem.cell)):
        if _fits(problem, plan, robot):
            for step in range(1, plan.cells.shape[1]):
                plan.occupant[step, plan.cells[robot, step]] = robot
        else:
            waiting[count] = robot
            count += 1
    while count > 0:
        count -= 1
        count = _wait(problem, plan, int(waiting[count]), waiting, count)
    for robot in range(len(problem.cell)):
        plan.cost[robot] = _cost(problem, plan, robot)


@kernel
def _least(problem: Problem, plan: Plan, attempt: Attempt, search: Search, robot: int) -> int:
    """What a robot's best path would cost if it were alone."""
    goal = first_goal(problem, robot)
    least = remaining(problem, robot, goal, problem.cell[robot], problem.heading[robot])
    if goal == 0 and least - problem.tails[robot, 0] < plan.actions.shape[1]:
        # It gets to a goal, and tails may be too small for how it stands there.
        node = best_path(problem, plan, attempt, search, robot, 0, 0, 0)
        return path_cost(problem, search, robot, node)
    return least + (int(problem.late[robot]) if goal == 0 else 0)


@kernel
def _imagine(problem: Problem, plan: Plan, robot: int, earlier: Int8s) -> None:
    """Write where a robot gets by its earlier actions, as far as there is floor."""
    cell, heading = int(problem.cell[robot]), int(problem.heading[robot])
    turning = problem.fields.shape[2] == 4
    plan.cells[robot, 0], plan.headings[robot, 0] = cell, heading
    next_ = 0
    for step in range(plan.actions.shape[1]):
        action = int(earlier[next_]) if next_ < len(earlier) else WAIT
        if action != WAIT and step < problem.late[robot]:
            action = WAIT  # and the earlier action is done later
        else:
            next_ += 1
        drive = STAYS
        if action != WAIT and not turning:
            drive = action - 1
        elif action == FORWARD:
            drive = heading
        elif action != WAIT:
            heading = (heading + (1 if action == TURN_RIGHT else 3)) & 3
        if drive != STAYS and problem.neighbours[cell, drive] < 0:
            action, drive, next_ = WAIT, STAYS, len(earlier)
        if drive != STAYS:
            cell = int(problem.neighbours[cell, drive])
        plan.actions[robot, step], plan.drives[robot, step] = action, drive
        plan.cells[robot, step + 1], plan.headings[robot, step + 1] = cell, heading


@kernel
def _fits(problem: Problem, plan: Plan, robot: int) -> bool:
    """Whether a robot meets nobody of those who are in the plan."""
    for step in range(plan.actions.shape[1]):
        for which in range(3):
            other = met(
                plan.occupant, plan.cells, plan.drives, problem.neighbours, problem.straight_only,
                robot, step, plan.cells[robot, step], plan.drives[robot, step], which,
            )  # fmt: skip
            if other != NOBODY:
                return False
    return True


@kernel
def _wait(problem: Problem, plan: Plan, robot: int, waiting: Int32s, count: int) -> int:
    """Let a robot wait, and note who can therefore not do what it planned; how many are noted."""
    cell = problem.cell[robot]
    plan.cells[robot, :] = cell
    plan.headings[robot, :] = problem.heading[robot]
    plan.actions[robot, :] = WAIT
    plan.drives[robot, :] = STAYS
    for step in range(1, plan.cells.shape[1]):
        other = plan.occupant[step, cell]
        if other != NOBODY:
            for later in range(1, plan.cells.shape[1]):
                plan.occupant[later, plan.cells[other, later]] = NOBODY
            waiting[count] = other
            count += 1
        plan.occupant[step, cell] = robot
    return count


@kernel
def _cost(problem: Problem, plan: Plan, robot: int) -> int:
    """What the path of a robot costs."""
    goal, cost = first_goal(problem, robot), 0
    for step in range(plan.actions.shape[1]):
        if goal < problem.rows.shape[1] and problem.rows[robot, goal] >= 0:
            cost += 1
            if plan.cells[robot, step + 1] == problem.goals[robot, goal]:
                goal += 1
    end = plan.cells.shape[1] - 1
    return cost + remaining(problem, robot, goal, plan.cells[robot, end], plan.headings[robot, end])


@kernel
def vacate(plan: Plan) -> None:
    """Leave nobody in ``plan.occupant``: less work than to look at every cell."""
    for robot in range(len(plan.cells)):
        for step in range(plan.cells.shape[1]):
            plan.occupant[step, plan.cells[robot, step]] = NOBODY
