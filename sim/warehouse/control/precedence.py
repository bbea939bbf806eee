# SPDX-License-Identifier: Apache-2.0
"""Execution by precedence: robots keep the order in which they were planned to visit each cell.

What is committed to is a list of actions for each robot and a number for each entry into a cell:
the visitor with number k enters once the visitor with number k - 1 has left, or follows it as the
rules allow. Times are not kept, so delays cost time and nothing else. No set of robots waits in a
circle as long as new numbers are given out in the order of a plan without collisions and rings
(Ma, Kumar, Koenig, "Multi-agent path finding with delay probabilities", AAAI 2017): what is
committed to is never revoked, and what comes later in the plan has the higher numbers.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.errors import InputError
from sim.jit import kernel
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.motion import CODES, NEVER, STRAIGHT, TOGETHER
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, Gait, Rules

Bools = NDArray[np.bool_]

CAPACITY = 128
"""Actions that a robot can have before it; what does not fit is planned again later."""


class Staged(NamedTuple):
    """What the robots of one world are committed to.

    Args:
        actions: ``[N, CAPACITY]`` int8, a ring buffer of ``sim.warehouse.rules`` actions, no waits.
        numbers: ``[N, CAPACITY]`` int32, for an action that enters a cell the visitor's number.
        first, length: ``[N]`` int32, where the list begins and how long it is.
        issued: ``[cells]`` int32, visitors that were given a number, those standing included.
        left: ``[cells]`` int32, visitors that have left.
        cell, heading: ``[N]``, where each robot is once it has done all this.
        last_cell, last_heading: ``[N]``, where it was when last looked at.
    """

    actions: Int8s
    numbers: Int32s
    first: Int32s
    length: Int32s
    issued: Int32s
    left: Int32s
    cell: Int32s
    heading: Int8s
    last_cell: Int32s
    last_heading: Int8s


def stage(cell: Int32s, heading: Int8s, num_cells: int) -> Staged:
    """Nothing committed to yet, robots at rest.

    Args:
        cell, heading: ``[N]``.
        num_cells: of the floor.
    """
    robots = len(cell)
    issued = np.zeros(num_cells, dtype=np.int32)
    issued[cell] = 1
    return Staged(
        actions=np.zeros((robots, CAPACITY), dtype=np.int8),
        numbers=np.full((robots, CAPACITY), -1, dtype=np.int32),
        first=np.zeros(robots, dtype=np.int32),
        length=np.zeros(robots, dtype=np.int32),
        issued=issued,
        left=np.zeros(num_cells, dtype=np.int32),
        cell=cell.astype(np.int32).copy(),
        heading=heading.astype(np.int8).copy(),
        last_cell=cell.astype(np.int32).copy(),
        last_heading=heading.astype(np.int8).copy(),
    )


def load(staged: Staged, arrays: dict[str, NDArray[Any]]) -> Staged:
    """From a snapshot, ``staged._asdict()``.

    Raises:
        InputError: the arrays are not those of such a world.
    """
    own = staged._asdict()
    for name, array in own.items():
        given = arrays.get(name)
        if given is None or given.shape != array.shape or given.dtype != array.dtype:
            shape = None if given is None else given.shape
            raise InputError(f"snapshot: {name} has the shape {shape}; allowed: {array.shape}")
    return Staged(**{name: arrays[name].copy() for name in own})


@kernel
def notice(staged: Staged, fleet: Fleet, world: int) -> None:
    """Take note of what the robots have finished since the last look, at most one action each."""
    for robot in range(len(staged.first)):
        cell, heading = fleet.cell[world, robot], fleet.heading[world, robot]
        moved = cell != staged.last_cell[robot]
        if moved:
            staged.left[staged.last_cell[robot]] += 1
        # Robots that slide change their heading as they begin to move: that finishes nothing.
        is_turn = staged.numbers[robot, staged.first[robot]] < 0
        turned = is_turn and heading != staged.last_heading[robot]
        if moved or turned:
            staged.first[robot] = (staged.first[robot] + 1) % CAPACITY
            staged.length[robot] -= 1
        staged.last_cell[robot] = cell
        staged.last_heading[robot] = heading


@kernel
def commands(
    staged: Staged,
    neighbours: Neighbours,
    apart: Bools,
    turning: bool,
    following: int,
    fleet: Fleet,
    world: int,
    holder: Int32s,
    actions: Int8s,
) -> None:
    """What each robot is told in this tick.

    Args:
        staged: after ``notice``.
        apart: ``[cells, 4]`` moves in which a robot follows nobody.
        holder: ``[cells]`` scratch, -1 everywhere before and after.
        actions: ``[N]``, written.
    """
    num_robots = len(staged.first)
    for robot in range(num_robots):
        holder[fleet.cell[world, robot]] = robot
    for robot in range(num_robots):
        actions[robot] = 0
        if staged.length[robot] == 0:
            continue
        place = staged.first[robot]
        action, number = staged.actions[robot, place], staged.numbers[robot, place]
        if number >= 0:
            way = fleet.heading[world, robot] if turning else action - 1
            target = neighbours[fleet.cell[world, robot], way]
            behind = number - staged.left[target]
            if behind > 1:
                continue
            if behind == 1:
                other = holder[target]  # the visitor before, unless it has not come yet
                follows = following != NEVER and not apart[fleet.cell[world, robot], way]
                if other < 0 or not follows:
                    continue
                if following == STRAIGHT:
                    doing = fleet.doing[world, other]
                    drives = doing == FORWARD if turning else doing != 0
                    other_way = fleet.heading[world, other] if turning else doing - 1
                    if not drives or other_way != way:
                        continue
                    if fleet.progress[world, robot] >= fleet.progress[world, other]:
                        continue
        actions[robot] = action
    for robot in range(num_robots):
        holder[fleet.cell[world, robot]] = -1


@kernel
def commit(staged: Staged, neighbours: Neighbours, turning: bool, plan: Int8s, steps: int) -> None:
    """Commit to the first steps of a plan that begins where the robots will be.

    Args:
        plan: ``[N, S]`` actions of one length each; without collisions and rings.
        steps: at most S. A robot whose list is full stops all (the plan is cut at that step), as
            the steps of the others may count on it.
    """
    for step in range(steps):
        for robot in range(len(staged.first)):
            if plan[robot, step] != 0 and staged.length[robot] >= CAPACITY:
                return
        for robot in range(len(staged.first)):
            if plan[robot, step] != 0:
                append(staged, neighbours, turning, robot, plan[robot, step])


@kernel
def append(staged: Staged, neighbours: Neighbours, turning: bool, robot: int, action: int) -> None:
    """One more action of a robot; an entry into a cell gets the next number there."""
    number = -1
    if turning and action == TURN_RIGHT:
        staged.heading[robot] = (staged.heading[robot] + 1) % 4
    elif turning and action == TURN_LEFT:
        staged.heading[robot] = (staged.heading[robot] + 3) % 4
    else:
        way = staged.heading[robot] if turning else action - 1
        cell = neighbours[staged.cell[robot], way]
        number = staged.issued[cell]
        staged.issued[cell] += 1
        staged.cell[robot] = cell
        staged.heading[robot] = way
    place = (staged.first[robot] + staged.length[robot]) % CAPACITY
    staged.actions[robot, place] = action
    staged.numbers[robot, place] = number
    staged.length[robot] += 1


@kernel
def commit_entries(
    staged: Staged, neighbours: Neighbours, turning: bool, robots: Int32s, cells: Int32s
) -> None:
    """Commit to entries into cells, in this order; robots that turn do so where they stand.

    Args:
        robots, cells: ``[M]``, each a neighbour of where the robot will be by then. Where a list is
            full, this entry and all after it are left out.
    """
    for entry in range(len(robots)):
        robot = robots[entry]
        if staged.length[robot] + 3 > CAPACITY:
            return
        way = 0
        while neighbours[staged.cell[robot], way] != cells[entry]:
            way += 1
        if not turning:
            append(staged, neighbours, turning, robot, way + 1)
            continue
        quarter = (way - staged.heading[robot]) % 4
        if quarter == 3:
            append(staged, neighbours, turning, robot, TURN_LEFT)
        else:
            for _ in range(quarter):
                append(staged, neighbours, turning, robot, TURN_RIGHT)
        append(staged, neighbours, turning, robot, FORWARD)


@kernel
def goals_left(staged: Staged, neighbours: Neighbours, turning: bool, goals: Int32s) -> Int32s:
    """``[N, K]`` the goals that remain once the robots have done what they are committed to.

    Args:
        goals: ``[N, K]`` from now on, -1 beyond the last.
    """
    left = np.full(goals.shape, -1, dtype=np.int32)
    for robot in range(len(goals)):
        cell, heading = staged.last_cell[robot], staged.last_heading[robot]
        reached = 0
        for index in range(staged.length[robot]):
            place = (staged.first[robot] + index) % CAPACITY
            action = staged.actions[robot, place]
            if turning and action != FORWARD:
                heading = (heading + (1 if action == TURN_RIGHT else 3)) % 4
                continue
            cell = neighbours[cell, heading if turning else action - 1]
            if reached < goals.shape[1] and cell == goals[robot, reached]:
                reached += 1
        for place in range(reached, goals.shape[1]):
            left[robot, place - reached] = goals[robot, place]
    return left


@kernel
def finish_ticks(
    staged: Staged,
    neighbours: Neighbours,
    turning: bool,
    following: int,
    action_ticks: int,
    fleet: Fleet,
    world: int,
) -> Int32s:
    """``[N]`` ticks until each robot has done all it is committed to, if no delay begins.

    As robots are held up by those before them this takes several passes; in each, every robot goes
    on until it must wait for a visitor that has not come to leaving yet.
    """
    num_robots = len(staged.first)
    ticks = np.zeros(num_robots, dtype=np.int32)
    done = np.zeros(num_robots, dtype=np.int32)
    cell, heading = staged.last_cell.copy(), staged.last_heading.copy()
    left = staged.left.copy()
    left_tick = np.full(len(left), -1, dtype=np.int32)
    left_way = np.full(len(left), -1, dtype=np.int8)
    for robot in range(num_robots):
        ticks[robot] = fleet.delay_ticks[world, robot] - fleet.progress[world, robot]
    moving = True
    while moving:
        moving = False
        for robot in range(num_robots):
            while done[robot] < staged.length[robot]:
                place = (staged.first[robot] + done[robot]) % CAPACITY
                action, number = staged.actions[robot, place], staged.numbers[robot, place]
                if number < 0:
                    heading[robot] = (heading[robot] + (1 if action == TURN_RIGHT else 3)) % 4
                    ticks[robot] += action_ticks
                else:
                    way = heading[robot] if turning else action - 1
                    target = neighbours[cell[robot], way]
                    if left[target] < number:
                        break
                    ready = ticks[robot] + action_ticks
                    if left_tick[target] >= 0:
                        lag = action_ticks
                        if following == TOGETHER:
                            lag = 0
                        elif following == STRAIGHT and left_way[target] == way:
                            lag = 1
                        ready = max(ready, left_tick[target] + lag)
                    left[cell[robot]] += 1
                    left_tick[cell[robot]] = ready
                    left_way[cell[robot]] = way
                    cell[robot], heading[robot], ticks[robot] = target, way, ready
                done[robot] += 1
                moving = True
    return np.maximum(ticks, 0)


class Executor:
    """Drives one world by what is committed to.

    Args:
        neighbours: ``[cells, 4]``.
        rules: of motion.
        staged: what it starts from.
        apart: ``[cells, 4]`` moves in which a robot follows nobody; None: nowhere.
    """

    def __init__(
        self, neighbours: Neighbours, rules: Rules, staged: Staged, apart: Bools | None = None
    ) -> None:
        self.staged, self._neighbours = staged, neighbours
        self._apart = np.zeros(neighbours.shape, dtype=np.bool_) if apart is None else apart
        self._turning = rules.gait is Gait.TURNING
        self._following = CODES[rules.following]
        self._action_ticks = rules.ticks_per_action
        self._holder = np.full(len(neighbours), -1, dtype=np.int32)

    def notice(self, fleet: Fleet, world: int) -> None:
        """Take note of what the robots have finished; once before each tick."""
        notice(self.staged, fleet, world)

    def commands(self, fleet: Fleet, world: int) -> Int8s:
        """``[N]`` what each robot is told in this tick."""
        actions = np.empty(len(self.staged.first), dtype=np.int8)
        commands(
            self.staged, self._neighbours, self._apart, self._turning, self._following, fleet,
            world, self._holder, actions,
        )  # fmt: skip
        return actions

    def commit(self, plan: Int8s, steps: int) -> None:
        """Commit to the first steps of a plan ``[N, S]``."""
        commit(self.staged, self._neighbours, self._turning, plan, steps)

    def commit_entries(self, robots: Int32s, cells: Int32s) -> None:
        """Commit to entries ``[M]`` of robots into cells, in this order."""
        commit_entries(self.staged, self._neighbours, self._turning, robots, cells)

    def goals_left(self, goals: Int32s) -> Int32s:
        """``[N, K]`` what remains of the goals once all that is committed to is done."""
        return goals_left(self.staged, self._neighbours, self._turning, goals)

    def finish_ticks(self, fleet: Fleet, world: int) -> Int32s:
        """``[N]`` ticks until each robot has done all that is committed to, without new delays."""
        return finish_ticks(
            self.staged, self._neighbours, self._turning, self._following, self._action_ticks,
            fleet, world,
        )  # fmt: skip
