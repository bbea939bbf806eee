# SPDX-License-Identifier: Apache-2.0
"""One tick of motion: what the robots of some worlds are told, and what comes of it.

No two robots are ever in one cell, and none drive through each other. What would break this is
refused and becomes a wait. Robots are served in the order of their numbers, those in front of them
first, as in the League of Robot Runners; so of two that want a free cell the lower number gets it,
unless the other one stands in front of a robot with a lower number still. POGEMA and RWARE decide
otherwise; their own rules are in ``sim.environments``.

Under ``Following.TOGETHER`` rings of three and more robots that all drive on rotate. Without this
a floor of one-way lanes stands still at high density. Two robots never change places.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.errors import InputError
from sim.jit import kernel
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.rules import FORWARD, TURN_RIGHT, Following, Gait, Rules

Bools = NDArray[np.bool_]

NEVER, STRAIGHT, TOGETHER = 0, 1, 2
CODES = {Following.NEVER: NEVER, Following.STRAIGHT: STRAIGHT, Following.TOGETHER: TOGETHER}

_UNSEEN, _WAITING, _STAYS, _MOVES = 0, 1, 2, 3


class Moved(NamedTuple):
    """What came of one tick.

    Args:
        executed: ``[W, N]`` int8, what each robot worked on; 0 for a wait, also in mid-action.
        refused: ``[W, N]`` bool, told to move although it must not; not counting delays.
    """

    executed: Int8s
    refused: Bools


class Motion:
    """Moves the robots of W worlds on one floor.

    Args:
        neighbours: ``[cells, 4]`` of ``sim.distances.neighbour_table``.
        rules: of all worlds.
        apart: ``[cells, 4]`` bool, moves in which a robot follows nobody; None: nowhere.
    """

    def __init__(self, neighbours: Neighbours, rules: Rules, apart: Bools | None = None) -> None:
        self.neighbours, self.rules = neighbours, rules
        self._apart = np.zeros(neighbours.shape, dtype=np.bool_) if apart is None else apart
        self._holder = np.full(len(neighbours), -1, dtype=np.int32)
        self._claimant = np.full(len(neighbours), -1, dtype=np.int32)
        self._open = np.zeros((1, 0), dtype=np.bool_)

    def check(self, fleet: Fleet, actions: Int8s) -> None:
        """Refuse actions that mean nothing.

        Raises:
            InputError: another shape or out of range.
        """
        require_actions(actions, fleet, self.rules)

    def step(self, fleet: Fleet, actions: Int8s, closed: Bools | None = None) -> Moved:
        """Advance ``fleet`` in place by one tick; delays are not counted down here.

        Args:
            fleet: robots on distinct cells.
            actions: ``[W, N]``; a robot in mid-action goes on with that one unless told to wait.
            closed: ``[W, cells]``, cells that no robot may begin to enter.

        Raises:
            InputError: actions of another shape or out of range.
        """
        require_actions(actions, fleet, self.rules)
        moved = Moved(
            np.zeros(fleet.cell.shape, np.int8), np.zeros(fleet.cell.shape, dtype=np.bool_)
        )
        turning = self.rules.gait is Gait.TURNING
        _advance(
            self.neighbours, self._apart, turning, self.rules.ticks_per_action,
            CODES[self.rules.following], fleet, np.ascontiguousarray(actions, dtype=np.int8),
            self._open if closed is None else closed,
            moved, self._holder, self._claimant,
        )  # fmt: skip
        return moved


def require_actions(actions: Int8s, fleet: Fleet, rules: Rules) -> None:
    """Refuse actions that mean nothing.

    Raises:
        InputError: names the world, the robot, the action and what is allowed.
    """
    if actions.shape != fleet.cell.shape:
        raise InputError(f"actions have the shape {actions.shape}; allowed: {fleet.cell.shape}")
    if actions.dtype.kind not in "iu":
        raise InputError(f"actions are {actions.dtype}; allowed: whole numbers")
    wrong = (actions < 0) | (actions >= rules.num_actions)
    if wrong.any():
        world, robot = np.argwhere(wrong)[0]
        raise InputError(
            f"action of robot {robot} in world {world} is {actions[world, robot]}; allowed: "
            f"0 to {rules.num_actions - 1}"
        )


@kernel
def _advance(
    neighbours: Neighbours,
    apart: Bools,
    turning: bool,
    ticks: int,
    following: int,
    fleet: Fleet,
    actions: Int8s,
    closed: Bools,
    moved: Moved,
    holder: Int32s,
    claimant: Int32s,
) -> None:
    """All worlds; ``holder`` and ``claimant`` are -1 everywhere before and after."""
    num_worlds, num_robots = fleet.cell.shape
    target = np.empty(num_robots, dtype=np.int32)
    status = np.empty(num_robots, dtype=np.int8)
    stack = np.empty(num_robots, dtype=np.int32)
    for world in range(num_worlds):
        cell = fleet.cell[world]
        for robot in range(num_robots):
            holder[cell[robot]] = robot
            if fleet.doing[world, robot] != 0:
                ahead = _ahead(neighbours, turning, fleet, world, robot, fleet.doing[world, robot])
                if ahead >= 0:
                    claimant[ahead] = robot
        for robot in range(num_robots):
            action = actions[world, robot]
            told = action != 0 and fleet.delay_ticks[world, robot] == 0
            target[robot] = -1
            if not told:
                status[robot] = _STAYS
                continue
            if fleet.doing[world, robot] != 0:
                action = fleet.doing[world, robot]
            moved.executed[world, robot] = action
            if turning and action != FORWARD:
                status[robot] = _STAYS
                continue
            target[robot] = _ahead(neighbours, turning, fleet, world, robot, action)
            begins = fleet.progress[world, robot] == 0
            shut = begins and closed.shape[1] > 0 and closed[world, max(target[robot], 0)]
            status[robot] = _STAYS if target[robot] < 0 or shut else _UNSEEN
        for robot in range(num_robots):
            if status[robot] == _UNSEEN:
                if following == TOGETHER:
                    _resolve_chain(robot, target, status, stack, holder, claimant)
                else:
                    way = _way(turning, fleet, world, robot, moved.executed[world, robot])
                    free = _may_enter(
                        turning,
                        NEVER if apart[cell[robot], way] else following,
                        fleet,
                        world,
                        robot,
                        way,
                        target[robot],
                        holder,
                        claimant,
                    )
                    status[robot] = _MOVES if free else _STAYS
                    if free:
                        claimant[target[robot]] = robot
        for robot in range(num_robots):
            holder[cell[robot]] = -1
        for robot in range(num_robots):
            doing = fleet.doing[world, robot]
            if doing != 0:
                ahead = _ahead(neighbours, turning, fleet, world, robot, doing)
                if ahead >= 0:
                    claimant[ahead] = -1
            if target[robot] >= 0:
                claimant[target[robot]] = -1
        for robot in range(num_robots):
            action = moved.executed[world, robot]
            if action == 0:
                continue
            if (not turning or action == FORWARD) and status[robot] != _MOVES:
                moved.executed[world, robot] = 0
                moved.refused[world, robot] = True
                continue
            _work(turning, ticks, fleet, world, robot, action, target[robot])


@kernel
def _ahead(
    neighbours: Neighbours, turning: bool, fleet: Fleet, world: int, robot: int, action: int
) -> int:
    """The cell that an action drives to; -1 for a turn, and where no floor is."""
    if turning and action != FORWARD:
        return -1
    return int(neighbours[fleet.cell[world, robot], _way(turning, fleet, world, robot, action)])


@kernel
def _way(turning: bool, fleet: Fleet, world: int, robot: int, action: int) -> int:
    """The direction in which an action drives."""
    return int(fleet.heading[world, robot]) if turning else action - 1


@kernel
def _may_enter(
    turning: bool,
    following: int,
    fleet: Fleet,
    world: int,
    robot: int,
    way: int,
    target: int,
    holder: Int32s,
    claimant: Int32s,
) -> bool:
    """Whether one more tick into the target touches nobody, even if all others stop at once."""
    if claimant[target] >= 0 and claimant[target] != robot:
        return False
    other = holder[target]
    if other < 0:
        return True
    doing = fleet.doing[world, other]
    drives = doing == FORWARD if turning else doing != 0
    if following != STRAIGHT or not drives:
        return False
    same_way = _way(turning, fleet, world, other, doing) == way
    return bool(same_way and fleet.progress[world, robot] < fleet.progress[world, other])


@kernel
def _resolve_chain(
    robot: int, target: Int32s, status: Int8s, stack: Int32s, holder: Int32s, claimant: Int32s
) -> None:
    """Decide a robot after all those in front of it; a ring of three or more moves."""
    depth = 0
    while True:
        stack[depth] = robot
        status[robot] = _WAITING
        depth += 1
        front = holder[target[robot]]
        if front < 0 or status[front] == _STAYS or status[front] == _MOVES:
            break
        if status[front] == _WAITING:
            start = depth - 1
            while stack[start] != front:
                start -= 1
            if depth - start >= 3 and claimant[target[robot]] < 0:
                for index in range(start, depth):
                    status[stack[index]] = _MOVES
                    claimant[target[stack[index]]] = stack[index]
                depth = start
            else:
                status[robot] = _STAYS
                depth -= 1
            break
        robot = front
    while depth > 0:
        depth -= 1
        robot = stack[depth]
        front = holder[target[robot]]
        vacated = front < 0 or (status[front] == _MOVES and front != robot)
        if vacated and claimant[target[robot]] < 0:
            status[robot] = _MOVES
            claimant[target[robot]] = robot
        else:
            status[robot] = _STAYS


@kernel
def _work(
    turning: bool, ticks: int, fleet: Fleet, world: int, robot: int, action: int, target: int
) -> None:
    """One more tick of an action; what it does happens in its last tick."""
    if not turning:
        fleet.heading[world, robot] = action - 1
    fleet.progress[world, robot] += 1
    if fleet.progress[world, robot] < ticks:
        fleet.doing[world, robot] = action
        return
    fleet.progress[world, robot] = 0
    fleet.doing[world, robot] = 0
    if not turning or action == FORWARD:
        fleet.cell[world, robot] = target
    elif action == TURN_RIGHT:
        fleet.heading[world, robot] = (fleet.heading[world, robot] + 1) % 4
    else:
        fleet.heading[world, robot] = (fleet.heading[world, robot] + 3) % 4
