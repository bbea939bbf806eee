# SPDX-License-Identifier: Apache-2.0
"""One world with POGEMA's rules, in plain Python: slow, obvious, and what the kernels must equal.

The rules are those of pogema 1.4.0 (envs.py, grid.py). Positions are ``(row, column)``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.options import Collision, OnTarget, PogemaOptions

Position = tuple[int, int]
MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass
class World:
    """Where the robots of one world stand.

    Args:
        options: the rules.
        free: ``[height, width]`` bool.
        at, target: of each robot.
        another: ``(robot, position)`` to the next target.
        shown: positions at which robots see a robot.
        active: of each robot: it has not left the floor.
    """

    options: PogemaOptions
    free: NDArray[np.bool_]
    at: list[Position]
    target: list[Position]
    another: Callable[[int, Position], Position]
    shown: set[Position] = field(default_factory=set)
    active: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shown, self.active = set(self.at), [True] * len(self.at)

    def is_free(self, position: Position) -> bool:
        """Whether a robot may stand there, others aside."""
        row, column = position
        height, width = self.free.shape
        return 0 <= row < height and 0 <= column < width and bool(self.free[position])


def step(world: World, actions: list[int]) -> tuple[list[float], list[bool]]:
    """Act; rewards, and who has terminated."""
    goals = [
        (r + MOVES[a][0], c + MOVES[a][1]) for (r, c), a in zip(world.at, actions, strict=True)
    ]
    robots = [i for i, active in enumerate(world.active) if active]
    if world.options.collision == Collision.PRIORITY:
        _move_in_turn(world, robots, goals)
    elif world.options.collision == Collision.BLOCK_BOTH:
        _move_if_alone(world, robots, goals)
    else:
        _move_together(world, robots, goals)
    return _rewards(world)


def observation(world: World, robot: int) -> NDArray[np.float32]:
    """``[3, D, D]``: obstacles, robots and the own target around a robot."""
    radius, (row, column) = world.options.obs_radius, world.at[robot]
    seen = np.zeros((3, world.options.side_cells, world.options.side_cells), dtype=np.float32)
    for i in range(world.options.side_cells):
        for j in range(world.options.side_cells):
            there = row + i - radius, column + j - radius
            seen[0, i, j] = _touches(world, there) and not world.is_free(there)
            seen[1, i, j] = there in world.shown
    to_row, to_column = world.target[robot]
    south = min(max(to_row - row, -radius), radius)
    east = min(max(to_column - column, -radius), radius)
    seen[2, radius + south, radius + east] = 1
    return seen


def _touches(world: World, position: Position) -> bool:
    """On the floor or in the ring of obstacles around it; behind it nothing is drawn."""
    height, width = world.free.shape
    return bool(-1 <= position[0] <= height and -1 <= position[1] <= width)


def _go(world: World, robot: int, to: Position) -> None:
    world.shown.discard(world.at[robot])
    world.shown.add(to)
    world.at[robot] = to


def _move_in_turn(world: World, robots: list[int], goals: list[Position]) -> None:
    for robot in robots:
        if world.is_free(goals[robot]) and goals[robot] not in world.shown:
            _go(world, robot, goals[robot])


def _move_if_alone(world: World, robots: list[int], goals: list[Position]) -> None:
    wanted = [goals[robot] for robot in robots]
    taken = {world.at[robot] for robot in robots}
    for robot in robots:
        goal = goals[robot]
        if world.is_free(goal) and wanted.count(goal) == 1 and goal not in taken:
            _go(world, robot, goal)


def _move_together(world: World, robots: list[int], goals: list[Position]) -> None:
    queues: dict[Position, list[int]] = {}
    for robot in robots:
        queues.setdefault(goals[robot], []).append(robot)
    exchanging = [
        i
        for i in robots
        if any(j > i and goals[j] == world.at[i] and goals[i] == world.at[j] for j in robots)
    ]
    for robot in exchanging:  # the one of the lower number; the other one follows from it
        queues[goals[robot]].remove(robot)
        goals[robot] = world.at[robot]
        queues.setdefault(goals[robot], []).append(robot)
    for robot in reversed(robots):
        if len(queues[goals[robot]]) > 1 or not world.is_free(goals[robot]):
            _send_back(world, robot, goals, queues)
    for robot in robots:
        _go(world, robot, goals[robot])


def _send_back(
    world: World, robot: int, goals: list[Position], queues: dict[Position, list[int]]
) -> None:
    queues[goals[robot]].remove(robot)
    goals[robot] = world.at[robot]
    queue = queues.setdefault(goals[robot], [])
    queue.append(robot)
    if len(queue) > 1:
        _send_back(world, queue[0], goals, queues)


def _rewards(world: World) -> tuple[list[float], list[bool]]:
    there = [at == target for at, target in zip(world.at, world.target, strict=True)]
    if world.options.on_target == OnTarget.NOTHING:
        return [float(all(there))] * len(there), [all(there)] * len(there)
    rewards = [float(on and active) for on, active in zip(there, world.active, strict=True)]
    for robot in np.flatnonzero(there).tolist():
        if world.options.on_target == OnTarget.RESTART:
            world.target[robot] = world.another(robot, world.at[robot])
        elif world.active[robot]:
            world.active[robot] = False
            world.shown.discard(world.at[robot])
    restart = world.options.on_target == OnTarget.RESTART
    return rewards, [False] * len(there) if restart else there
