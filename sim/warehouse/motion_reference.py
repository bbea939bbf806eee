# SPDX-License-Identifier: Apache-2.0
"""``sim.warehouse.motion`` for one world in plain Python, slow and obvious; for tests."""

from dataclasses import dataclass, replace

from sim.distances import Neighbours
from sim.warehouse.rules import FORWARD, TURN_RIGHT, WAIT, Following, Gait, Rules


@dataclass(frozen=True)
class Robot:
    """One robot; fields as in ``sim.warehouse.fleet.Fleet``."""

    cell: int
    heading: int
    doing: int = 0
    progress: int = 0
    delay_ticks: int = 0


@dataclass(frozen=True)
class Told:
    """What a robot shall do in this tick: its action, and the cell that this drives to."""

    action: int
    target: int | None


def step_reference(
    neighbours: Neighbours,
    rules: Rules,
    robots: list[Robot],
    actions: list[int],
    closed: frozenset[int] = frozenset(),
) -> tuple[list[Robot], list[int], list[bool]]:
    """The robots after one tick, what each worked on, and who was refused."""
    told = [_told(neighbours, rules, *pair) for pair in zip(robots, actions, strict=True)]
    drives = [command.target is not None for command in told]
    moves = _who_moves(neighbours, rules, robots, told, closed)
    after, executed, refused = [], [], []
    for number, (robot, command) in enumerate(zip(robots, told, strict=True)):
        no = drives[number] and not moves[number]
        action = WAIT if no else command.action
        after.append(_worked(neighbours, rules, robot, action))
        executed.append(action)
        refused.append(no)
    return after, executed, refused


def _is_drive(rules: Rules, action: int) -> bool:
    return action == FORWARD if rules.gait is Gait.TURNING else action != WAIT


def _ahead(neighbours: Neighbours, rules: Rules, robot: Robot, action: int) -> int:
    return int(neighbours[robot.cell, _way(rules, robot, action)])


def _way(rules: Rules, robot: Robot, action: int) -> int:
    return robot.heading if rules.gait is Gait.TURNING else action - 1


def _told(neighbours: Neighbours, rules: Rules, robot: Robot, action: int) -> Told:
    if action == WAIT or robot.delay_ticks > 0:
        return Told(WAIT, None)
    action = robot.doing or action
    drives = _is_drive(rules, action)
    return Told(action, _ahead(neighbours, rules, robot, action) if drives else None)


def _who_moves(
    neighbours: Neighbours,
    rules: Rules,
    robots: list[Robot],
    told: list[Told],
    closed: frozenset[int],
) -> list[bool]:
    holder = {robot.cell: number for number, robot in enumerate(robots)}
    entered = {  # by those in the middle of a move
        _ahead(neighbours, rules, robot, robot.doing): number
        for number, robot in enumerate(robots)
        if _is_drive(rules, robot.doing) and robot.doing
    }
    decided: dict[int, bool] = {}

    def allowed(number: int, path: tuple[int, ...]) -> bool:
        """Decides the robots in front first; ``path`` are those that wait for this decision."""
        if number in decided:
            return decided[number]
        target = told[number].target
        if target is None or target < 0 or (target in closed and robots[number].progress == 0):
            decided[number] = False
        elif rules.following is not Following.TOGETHER:
            decided[number] = entered.get(target, number) == number and _clear(number, target)
        elif target not in holder:
            decided[number] = target not in entered
        elif holder[target] in (*path, number):
            ring = (*path, number)[(*path, number).index(holder[target]) :]
            if len(ring) >= 3:
                for member in ring:
                    decided[member] = True
                    entered[told[member].target or 0] = member
            else:
                decided[number] = False
        else:
            leaves = allowed(holder[target], (*path, number))
            if number not in decided:  # else it is part of a ring
                decided[number] = leaves and target not in entered
        if decided[number] and target is not None:
            entered[target] = number
        return decided[number]

    def _clear(number: int, target: int) -> bool:
        if target not in holder:
            return True
        front, robot = robots[holder[target]], robots[number]
        drives = bool(front.doing) and _is_drive(rules, front.doing)
        if rules.following is not Following.STRAIGHT or not drives:
            return False
        ways = _way(rules, front, front.doing), _way(rules, robot, told[number].action)
        return ways[0] == ways[1] and robot.progress < front.progress

    return [allowed(number, ()) for number in range(len(robots))]


def _worked(neighbours: Neighbours, rules: Rules, robot: Robot, action: int) -> Robot:
    if action == WAIT:
        return robot
    if rules.gait is Gait.SLIDING:
        robot = replace(robot, heading=action - 1)
    if robot.progress + 1 < rules.ticks_per_action:
        return replace(robot, doing=action, progress=robot.progress + 1)
    rested = replace(robot, doing=0, progress=0)
    if _is_drive(rules, action):
        return replace(rested, cell=_ahead(neighbours, rules, robot, action))
    turn = 1 if action == TURN_RIGHT else 3
    return replace(rested, heading=(robot.heading + turn) % 4)
