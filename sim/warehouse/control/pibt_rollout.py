# SPDX-License-Identifier: Apache-2.0
"""Many steps of PIBT ahead in one world, for planners that look into the future."""

import numpy as np

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.fields import FieldArrays, distance
from sim.warehouse.control.pibt_kernel import plan_world, sort_by_priority
from sim.warehouse.control.pibt_state import Bools, Floats, Robots, scratch_for
from sim.warehouse.fleet import Int32s


@kernel
def pibt_rollout(
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
) -> Int32s:
    """Where robots go if nobody is delayed, and all move by one cell, or none, in each step.

    Without rings the result can be executed in the order in which cells are visited, whatever the
    delays: whoever follows another one can wait until it has gone.

    Args:
        cell: ``[N]`` distinct cells.
        rows: ``[N, K]`` of the fields to the next goals of each robot, in sequence; -1 beyond.
        priority: ``[N]``, steps without a goal plus a distinct fraction of 1, at least -1. They
            grow by 1 in each step, and fall to the fraction at a goal; 1 less without any left.
        closed: ``[cells]`` that nobody may begin to enter, or ``[0]``.
        tick: of the first step, for ties.
        steps: T, 0 or more.
        rings: three or more robots may rotate.

    Returns:
        ``[T + 1, N]``, the first row is ``cell``.
    """
    num_robots = len(cell)
    cells = np.empty((steps + 1, num_robots), dtype=np.int32)
    cells[0] = cell
    done = np.zeros(num_robots, dtype=np.int32)
    robots = Robots(
        cell=cell.copy(),
        entering=cell,
        fixed=np.zeros(num_robots, dtype=np.int8),
        row=rows[:, 0].copy(),
        priority=priority.copy(),
        facing=np.full(num_robots, -1, dtype=np.int8),
        kept=np.full(num_robots, -1, dtype=np.int32),
        wanted=np.full(num_robots, -1, dtype=np.int32),
    )
    scratch = scratch_for(len(neighbours), num_robots)
    for step in range(steps):
        _advance_goals(fields, rows, done, robots)
        sort_by_priority(scratch.order, robots.priority)
        planned = cells[step + 1]
        plan_world(neighbours, fields, robots, closed, key, tick + step, rings, scratch, planned)
        robots.cell[:] = planned
        robots.priority[:] += 1
    return cells


@kernel
def _advance_goals(fields: FieldArrays, rows: Int32s, done: Int32s, robots: Robots) -> None:
    """Who stands on its goal turns to the next one and starts to be patient anew."""
    for robot in range(len(done)):
        row = robots.row[robot]
        if row >= 0 and distance(fields, row, robots.cell[robot]) > 0:
            continue
        if row >= 0:
            done[robot] += 1
            robots.priority[robot] -= np.floor(robots.priority[robot])
            more = done[robot] < rows.shape[1]
            robots.row[robot] = rows[robot, done[robot]] if more else -1
        if robots.row[robot] < 0:
            robots.priority[robot] -= np.floor(robots.priority[robot]) + 1
