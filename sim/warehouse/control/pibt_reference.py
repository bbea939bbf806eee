# SPDX-License-Identifier: Apache-2.0
"""``pibt_kernel`` and ``pibt_rollout`` for one world, by recursion as in the paper; for tests."""

import numpy as np

from sim.distances import Neighbours
from sim.warehouse.chance import bits
from sim.warehouse.control.fields import FieldArrays, distance
from sim.warehouse.control.pibt_kernel import TIE_BITS, TIES
from sim.warehouse.control.pibt_state import FREE, HOLDS, Bools, Floats, Robots
from sim.warehouse.fleet import Int32s


def plan_reference(
    neighbours: Neighbours,
    fields: FieldArrays,
    robots: Robots,
    closed: Bools,
    key: np.uint64,
    tick: int,
    rings: bool,
) -> list[int]:
    """The cell that each robot goes to next; arguments as of ``plan_worlds``, of one world."""
    cell = [int(c) for c in robots.cell]
    holder = {c: robot for robot, c in enumerate(cell)}
    planned: dict[int, int] = {}
    taken: set[int] = set()
    for robot, fixed in enumerate(robots.fixed):
        if fixed != FREE:
            planned[robot] = int(robots.entering[robot])
            taken |= {planned[robot]} | ({cell[robot]} if fixed == HOLDS else set())

    def push(robot: int, pushers: tuple[int, ...]) -> bool:
        """Procedure PIBT(a, b): whether the robot finds a cell to go to."""
        for target in options_reference(neighbours, fields, robots, closed, key, tick, robot):
            other = holder.get(target)
            if target in taken:
                continue
            meets = other is not None and other != robot
            if meets and (
                planned.get(other or 0) == cell[robot] or (not rings and other in pushers)
            ):
                continue
            planned[robot] = target
            taken.add(target)
            pushed = other is not None and other not in planned
            if not pushed or push(other or 0, (*pushers, robot)):
                return True
        planned[robot] = cell[robot]
        taken.add(cell[robot])
        return False

    for robot in sorted(range(len(cell)), key=lambda r: -robots.priority[r]):
        if robot not in planned:
            push(robot, ())
    return [planned[robot] for robot in range(len(cell))]


def options_reference(
    neighbours: Neighbours,
    fields: FieldArrays,
    robots: Robots,
    closed: Bools,
    key: np.uint64,
    tick: int,
    robot: int,
) -> list[int]:
    """Where a robot may go, best first."""
    cell, row, facing = (int(a[robot]) for a in (robots.cell, robots.row, robots.facing))
    chance = int(bits(key, tick, robot, TIES)) >> 1
    others = set(robots.cell.tolist())
    ranked = []
    for direction, target in enumerate([*neighbours[cell].tolist(), cell]):
        moves = target != cell
        if target < 0 or (moves and closed.size and closed[target]):
            continue
        away = distance(fields, row, target) if row >= 0 else int(moves)
        turns = min((direction - facing) % 4, (facing - direction) % 4)
        ties = chance >> TIE_BITS * direction & (1 << TIE_BITS) - 1
        rank = (
            target != robots.wanted[robot],
            away,
            target != robots.kept[robot],
            turns if moves and facing >= 0 else 0,
            moves and target in others,
            ties,
            direction,
        )
        ranked.append((rank, target))
    return [target for _, target in sorted(ranked)]


def rollout_reference(
    neighbours: Neighbours,
    fields: FieldArrays,
    cell: Int32s,
    rows: Int32s,
    priority: Floats,
    closed: Bools,
    key: np.uint64,
    tick: int,
    steps: int,
    rings: bool,
) -> list[list[int]]:
    """``pibt_rollout``, slow and obvious, for tests."""
    cells, patience = [cell.tolist()], priority.copy()
    left = [[int(row) for row in of_robot if row >= 0] for of_robot in rows]
    nothing = np.full(len(cell), -1, dtype=np.int32)
    for step in range(steps):
        now = np.array(cells[-1], dtype=np.int32)
        for robot, goals in enumerate(left):
            if goals and distance(fields, goals[0], now[robot]) == 0:
                goals.pop(0)
                patience[robot] %= 1
            if not goals:
                patience[robot] = patience[robot] % 1 - 1
        robots = Robots(
            now, now, np.zeros(len(now), np.int8),
            np.array([goals[0] if goals else -1 for goals in left], dtype=np.int32), patience,
            nothing.astype(np.int8), nothing, nothing,
        )  # fmt: skip
        args = robots, closed, key, tick + step, rings
        cells.append(plan_reference(neighbours, fields, *args))
        patience = patience + 1
    return cells
