# SPDX-License-Identifier: Apache-2.0
"""The part of a plan in which the robots could also drive one after another.

Coordinators build on that: each of them can always fall back to "one robot after another", so none
of them ends without an answer (``sim.conflicts``). A robot whose start lies on the route of another
must go before it, and one that parks on the route of another must go after it; if that closes a
circle, no sequence exists. So the steps of a plan are taken over in the order of time as long as no
circle arises: a robot whose step would close one stops where it is, and so do those that would
run into it. The first step is always taken over, so nothing stands still for ever.
"""

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.fleet import Int32s

_NONE = -1


def sequential_steps(cells: Int32s, num_cells: int) -> Int32s:
    """How many steps of each robot are taken over.

    Args:
        cells: ``[N, S + 1]`` where each robot is before and after each step; no two in one cell,
            no two change places, and no ring rotates.
        num_cells: of the floor.

    Returns:
        ``[N]`` from 0 to S.
    """
    return _sequential_steps(np.ascontiguousarray(cells, dtype=np.int32), num_cells)


@kernel
def _sequential_steps(cells: Int32s, num_cells: int) -> Int32s:
    num_robots, num_steps = cells.shape[0], cells.shape[1] - 1
    taken = np.zeros(num_robots, dtype=np.int32)
    stopped = np.zeros(num_robots, dtype=np.bool_)
    stands = np.full(num_cells, _NONE, dtype=np.int32)  # who is there after the steps so far
    first_visit = np.full(num_cells, _NONE, dtype=np.int32)  # lists of who was in a cell
    next_visit = np.full(num_robots * (num_steps + 1), _NONE, dtype=np.int32)
    visitor = np.full(num_robots * (num_steps + 1), _NONE, dtype=np.int32)
    visits = 0
    for robot in range(num_robots):
        cell = cells[robot, 0]
        stands[cell] = robot
        first_visit[cell] = visits
        visitor[visits] = robot
        visits += 1
    chain = np.empty(num_robots, dtype=np.int32)
    stack = np.empty(num_robots, dtype=np.int32)
    seen = np.zeros(num_robots, dtype=np.int64)
    mark = 0
    done = np.zeros(num_robots, dtype=np.int32)
    for step in range(num_steps):
        for first in range(num_robots):
            depth = 0
            robot = first
            # Those in front decide first.
            while done[robot] <= step:
                chain[depth] = robot
                depth += 1
                done[robot] = step + 1
                front = stands[cells[robot, step + 1]]
                if stopped[robot] or front in (_NONE, robot):
                    break
                robot = front
            while depth > 0:
                depth -= 1
                robot = chain[depth]
                here, there = cells[robot, step], cells[robot, step + 1]
                if stopped[robot]:
                    continue
                if here == there:
                    taken[robot] = step + 1
                    continue
                mark += 1
                if stands[there] != _NONE or _closes_circle(
                    robot, there, cells, taken, stands, first_visit, next_visit,
                    visitor, stack, seen, mark,
                ):  # fmt: skip
                    stopped[robot] = True
                    continue
                taken[robot] = step + 1
                stands[here] = _NONE
                stands[there] = robot
                next_visit[visits] = first_visit[there]
                first_visit[there] = visits
                visitor[visits] = robot
                visits += 1
    return taken


@kernel
def _closes_circle(
    robot: int,
    there: int,
    cells: Int32s,
    taken: Int32s,
    stands: Int32s,
    first_visit: Int32s,
    next_visit: Int32s,
    visitor: Int32s,
    stack: Int32s,
    seen: NDArray[np.int64],
    mark: int,
) -> bool:
    """Whether a robot that must go before this one, if it stops at ``there``, must go after it.

    Those before it are who starts at ``there`` and who has passed there; those after it are found
    by a search along who must wait for whom.
    """
    if first_visit[there] == _NONE:
        return False
    depth = 1
    stack[0] = robot
    seen[robot] = mark
    while depth > 0:
        depth -= 1
        current = stack[depth]
        # Who passes the start of ``current`` goes after it.
        visit = first_visit[cells[current, 0]]
        while visit != _NONE:
            depth = _push(visitor[visit], depth, stack, seen, mark)
            visit = next_visit[visit]
        # Who parks on the route of ``current`` goes after it.
        for place in range(taken[current] + 1):
            parked = stands[cells[current, place]]
            if parked != _NONE:
                depth = _push(parked, depth, stack, seen, mark)
    visit = first_visit[there]
    while visit != _NONE:
        if visitor[visit] != robot and seen[visitor[visit]] == mark:
            return True
        visit = next_visit[visit]
    return False


@kernel
def _push(robot: int, depth: int, stack: Int32s, seen: NDArray[np.int64], mark: int) -> int:
    if seen[robot] == mark:
        return depth
    seen[robot] = mark
    stack[depth] = robot
    return depth + 1
