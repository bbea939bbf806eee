# SPDX-License-Identifier: Apache-2.0
"""Better and better plans of a window: robots that lose time get their way, others yield.

An attempt takes one robot out of the plan and gives it its best path, through others if that is
worth more than a penalty; those are taken out in turn, as in PIBT's priority inheritance but over
all steps of the window at once. It is undone unless the whole is not worse for it.
"""

import numpy as np

from sim.jit import kernel
from sim.warehouse.chance import bits
from sim.warehouse.control.window_path import (
    ACTION,
    CELL,
    HEADING,
    NONE,
    PARENT,
    Search,
    best_path,
    path_cost,
)
from sim.warehouse.control.window_state import (
    NOBODY,
    STAYS,
    Attempt,
    Costs,
    Plan,
    Problem,
    met,
)

SEED_ROLE, PATH_ROLE = 40, 41
_S20, _S40 = np.uint64(20), np.uint64(40)


@kernel
def take_out(problem: Problem, plan: Plan, attempt: Attempt, robot: int) -> bool:
    """Note what a robot does and take it out of the plan; False if no room is left for it."""
    slot = attempt.number[1]
    if slot == len(attempt.robots):
        return False
    attempt.robots[slot] = robot
    attempt.number[1] = slot + 1
    attempt.taken[robot] = attempt.number[0]
    attempt.cells[slot] = plan.cells[robot]
    attempt.headings[slot] = plan.headings[robot]
    attempt.actions[slot] = plan.actions[robot]
    attempt.drives[slot] = plan.drives[robot]
    attempt.cost[slot] = plan.cost[robot]
    _lift(problem, plan, robot)
    return True


@kernel
def _lift(problem: Problem, plan: Plan, robot: int) -> None:
    """Leave nothing of a robot in the plan but where it stands."""
    for step in range(1, plan.cells.shape[1]):
        plan.occupant[step, plan.cells[robot, step]] = NOBODY
    plan.cells[robot, :] = problem.cell[robot]
    plan.drives[robot, :] = STAYS


@kernel
def _put_down(plan: Plan, robot: int) -> None:
    """Enter the path of a robot where nobody else is."""
    for step in range(1, plan.cells.shape[1]):
        plan.occupant[step, plan.cells[robot, step]] = robot


@kernel
def _follow(problem: Problem, plan: Plan, search: Search, robot: int, node: int) -> None:
    """Write the path that ends in ``node`` into the plan, but not who is where."""
    plan.cost[robot] = path_cost(problem, search, robot, node)
    for step in range(plan.actions.shape[1], 0, -1):
        at = search.nodes[node]
        before = search.nodes[at[PARENT]]
        plan.cells[robot, step] = at[CELL]
        plan.headings[robot, step] = at[HEADING]
        plan.actions[robot, step - 1] = at[ACTION]
        plan.drives[robot, step - 1] = STAYS
        if at[CELL] != before[CELL]:
            turning = problem.fields.shape[2] == 4
            plan.drives[robot, step - 1] = before[HEADING] if turning else at[ACTION] - 1
        node = at[PARENT]


@kernel
def _clear_the_way(problem: Problem, plan: Plan, attempt: Attempt, robot: int) -> bool:
    """Take out all that the new path of a robot meets; False if they are too many."""
    for step in range(plan.actions.shape[1]):
        cell, drive = plan.cells[robot, step], plan.drives[robot, step]
        for which in range(3):
            while True:
                other = met(
                    plan.occupant, plan.cells, plan.drives, problem.neighbours,
                    problem.straight_only, robot, step, cell, drive, which,
                )  # fmt: skip
                if other == NOBODY or attempt.taken[other] == attempt.number[0]:
                    break  # who has been taken out stands here for now and must find a way
                if not take_out(problem, plan, attempt, other):
                    return False
    return True


@kernel
def _undo(problem: Problem, plan: Plan, attempt: Attempt) -> None:
    """Put everything back as it was before the attempt."""
    number = attempt.number[0]
    for slot in range(attempt.number[1]):
        if attempt.settled[attempt.robots[slot]] == number:
            _lift(problem, plan, attempt.robots[slot])
    for slot in range(attempt.number[1]):
        robot = attempt.robots[slot]
        plan.cells[robot] = attempt.cells[slot]
        plan.headings[robot] = attempt.headings[slot]
        plan.actions[robot] = attempt.actions[slot]
        plan.drives[robot] = attempt.drives[slot]
        plan.cost[robot] = attempt.cost[slot]
        _put_down(plan, robot)


@kernel
def _begin(attempt: Attempt) -> None:
    attempt.number[0] += 1
    attempt.number[1] = 0


@kernel
def improve(
    problem: Problem,
    plan: Plan,
    attempt: Attempt,
    search: Search,
    robot: int,
    penalty: int,
    patience: int,
    salt: int,
) -> bool:
    """Whether an attempt that begins with ``robot`` left the whole no worse.

    The plan is changed if so, and as it was if not.
    """
    _begin(attempt)
    take_out(problem, plan, attempt, robot)
    weight = problem.weights
    # What the attempt costs at least: those without a path count as if they met nobody.
    change = int(weight[robot]) * (plan.least[robot] - attempt.cost[0])
    done = 0
    while done < attempt.number[1]:
        mover = int(attempt.robots[done])
        done += 1
        patience_now = patience if mover == robot else 0
        node = best_path(problem, plan, attempt, search, mover, penalty, patience_now, salt)
        if node == NONE:
            _undo(problem, plan, attempt)
            return False
        _follow(problem, plan, search, mover, node)
        before = attempt.number[1]
        if not _clear_the_way(problem, plan, attempt, mover):
            _undo(problem, plan, attempt)
            return False
        _put_down(plan, mover)
        attempt.settled[mover] = attempt.number[0]
        change += weight[mover] * (plan.cost[mover] - plan.least[mover])
        for slot in range(before, attempt.number[1]):
            other = attempt.robots[slot]
            change += weight[other] * (plan.least[other] - attempt.cost[slot])
        if change > 0:
            _undo(problem, plan, attempt)
            return False
    return True


@kernel
def polish(
    problem: Problem,
    plan: Plan,
    attempt: Attempt,
    search: Search,
    order: Costs,
    penalty: int,
    iterations: int,
    key: np.uint64,
    tick: int,
) -> None:
    """Everybody's turn in ``order``, then ``iterations`` attempts at robots that lose time.

    Those are drawn; they push others for nought to three times ``penalty`` steps, and every other
    one pushes nobody in its first few steps, so that who is in the way can get out of it first.
    """
    robots = len(order)
    for turn in range(robots):
        robot = int(order[turn])
        if plan.cost[robot] > plan.least[robot]:
            chance = int(np.int64(bits(key, tick, turn, PATH_ROLE) >> _S40))
            improve(problem, plan, attempt, search, robot, penalty, 0, chance)
    for turn in range(iterations):
        chance = int(np.int64(bits(key, tick, turn, SEED_ROLE) >> _S20))
        robot = (chance >> 20) % robots
        for _ in range(robots):
            if plan.cost[robot] > plan.least[robot]:
                break
            robot = (robot + 1) % robots
        if plan.cost[robot] == plan.least[robot]:
            return
        patience = (chance >> 2 & 3) * (chance >> 4 & 1)
        salt = chance >> 5 & 0xFFFF
        much = penalty * (chance & 3)
        improve(problem, plan, attempt, search, robot, much, patience, salt)
