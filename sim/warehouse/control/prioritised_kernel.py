# SPDX-License-Identifier: Apache-2.0
"""One window of prioritised planning: cooperative A*, compiled.

From Silver, "Cooperative pathfinding", AIIDE 2005: robots plan one after another, each around the
cells and edges that those before it have reserved; beyond the window only the exact distance to
the goal counts. Robots that plan later are no obstacles. A step is one action.
"""

from typing import NamedTuple

import numpy as np

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.fields import FieldArrays, distance
from sim.warehouse.control.pibt_state import Bools
from sim.warehouse.fleet import Int8s, Int32s

NO_CELL, NO_NODE = -1, -1


class Begin(NamedTuple):
    """Where the plans of N robots of one world begin; arrays are ``[N]``.

    Args:
        cell: int32, where each robot stands.
        entering: int32, where it is after the first step if that has begun; else its cell.
        heading: int8, then; -1 for robots that do not turn.
        busy: int32, steps from the first that it cannot decide about.
    """

    cell: Int32s
    entering: Int32s
    heading: Int8s
    busy: Int32s


class Search(NamedTuple):
    """Scratch: ``reserved [S + 1, cells]`` who is where, -1 everywhere before and after; nodes."""

    reserved: Int32s
    seen: Int32s
    bucket: Int32s
    node_next: Int32s
    node_parent: Int32s
    node_state: Int32s


@kernel
def search_for(steps: int, num_cells: int, turning: bool) -> Search:
    """Scratch for windows of so many steps."""
    states = (steps + 1) * num_cells * (4 if turning else 1)
    nodes = 5 * states if states < 20000 else 100000
    return Search(
        np.full((steps + 1, num_cells), -1, dtype=np.int32),
        np.zeros(states, dtype=np.int32),
        np.empty(2 * steps + 2, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
    )


@kernel
def plan_window(
    neighbours: Neighbours,
    fields: FieldArrays,
    begin: Begin,
    rows: Int32s,
    order: Int32s,
    closed: Bools,
    search: Search,
) -> Int32s:
    """Plan for all robots of one world in a given order.

    Args:
        rows: ``[N, K]`` of the fields to the goals of each robot, -1 beyond the last; who has none
            left makes no more plans.
        order: ``[N]`` robots, the first one plans first.
        closed: ``[cells]`` that nobody may begin to enter, or ``[0]``.

    Returns:
        ``[N, S + 1]`` cells; -1 after the end of a plan. No two robots are in one cell after the
        same step, nor change places, but for the first step and those that are busy.
    """
    steps, num_robots = len(search.reserved) - 1, len(order)
    paths = np.full((num_robots, steps + 1), NO_CELL, dtype=np.int32)
    for robot in range(num_robots):
        _reserve(search, paths[robot], robot, 0, begin.cell[robot])
        for step in range(1, min(begin.busy[robot], steps) + 1):
            _reserve(search, paths[robot], robot, step, begin.entering[robot])
    search.seen[:] = 0
    searches = 0
    for robot in order:
        step, heading = min(begin.busy[robot], steps), int(begin.heading[robot])
        for goal in range(rows.shape[1]):
            if rows[robot, goal] < 0 or step >= steps:
                break
            searches += 1
            step, heading = _extend(
                neighbours, fields, closed, search, robot, rows[robot, goal], step, heading,
                searches, paths[robot],
            )  # fmt: skip
            if step < 0:
                break
    for robot in range(num_robots):
        for step in range(steps + 1):
            if paths[robot, step] >= 0:
                search.reserved[step, paths[robot, step]] = -1
    return paths


@kernel
def _reserve(search: Search, path: Int32s, robot: int, step: int, cell: int) -> None:
    search.reserved[step, cell] = robot
    path[step] = cell


@kernel
def _extend(
    neighbours: Neighbours,
    fields: FieldArrays,
    closed: Bools,
    search: Search,
    robot: int,
    row: int,
    begin: int,
    heading: int,
    number: int,
    path: Int32s,
) -> tuple[int, int]:
    """Go on from ``path[begin]`` to a goal, or to the end of the window.

    A* with buckets by cost, the last one in first: a step towards the goal costs nothing more.

    Returns:
        The step and the heading then, -1 for the step if there is no way.
    """
    steps, num_cells = len(search.reserved) - 1, len(neighbours)
    planes = 1 if heading < 0 else 4
    search.bucket[:] = NO_NODE
    root = (begin * num_cells + path[begin]) * planes + max(heading, 0)
    used, least = 1, distance(fields, row, path[begin]) + begin
    search.node_state[0], search.node_parent[0], search.node_next[0] = root, NO_NODE, NO_NODE
    search.bucket[0] = 0
    cost = 0
    while cost < len(search.bucket):
        node = search.bucket[cost]
        if node == NO_NODE:
            cost += 1
            continue
        search.bucket[cost] = search.node_next[node]
        state = search.node_state[node]
        if search.seen[state] == number:
            continue
        search.seen[state] = number
        place, plane = state // planes, state % planes
        step, cell = place // num_cells, place % num_cells
        away = distance(fields, row, cell)
        if step == steps or away == 0:
            _trace(search, robot, node, planes, num_cells, path)
            return step, plane if planes == 4 else -1
        for choice in range(7 if planes == 4 else 5):
            target, after = cell, plane
            if choice == 4:
                pass
            elif choice > 4:
                after = (plane + (1 if choice == 5 else 3)) & 3
            elif planes == 4 and choice != plane:
                continue
            else:
                target = neighbours[cell, choice]
            if target < 0 or (target != cell and len(closed) > 0 and closed[target]):
                continue
            if _is_met(search.reserved, robot, step, cell, target):
                continue
            more = step + 1 + distance(fields, row, target) - least
            if used == len(search.node_state) or more >= len(search.bucket):
                continue
            search.node_state[used] = ((step + 1) * num_cells + target) * planes + after
            search.node_parent[used] = node
            search.node_next[used] = search.bucket[more]
            search.bucket[more] = used
            used += 1
    return -1, heading


@kernel
def _is_met(reserved: Int32s, robot: int, step: int, cell: int, target: int) -> bool:
    """Whether another robot is at the target then, or comes from there to here."""
    other = reserved[step + 1, target]
    if other >= 0 and other != robot:
        return True
    other = reserved[step, target]
    return (
        target != cell and other >= 0 and other != robot and bool(reserved[step + 1, cell] == other)
    )


@kernel
def _trace(
    search: Search, robot: int, node: int, planes: int, num_cells: int, path: Int32s
) -> None:
    """Reserve a path that was found."""
    while node != NO_NODE:
        place = search.node_state[node] // planes
        _reserve(search, path, robot, place // num_cells, place % num_cells)
        node = search.node_parent[node]
