# SPDX-License-Identifier: Apache-2.0
"""Kernels that write what the robots of W worlds see; ``observe_reference`` says it slowly.

A way leads nearer where the distance to the goal falls; which of several shortest ways a robot
takes is left to it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.jit import kernel
from sim.warehouse.control.fields import UNREACHABLE, FieldArrays, distance
from sim.warehouse.fleet import Fleet, Int32s
from sim.warehouse.rules import FORWARD

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

OBSTACLE, ROBOT, GOAL, NEARER = 0, 1, 2, 3
"""Planes around a robot: no floor; other robots; its own goal, drawn at the border if it is out of
sight; cells nearer to the goal than its own."""

FEATURES = (
    "row", "column", "north", "east", "south", "west", "progress", "delayed", "has_goal",
    "goal_south", "goal_east", "goal_distance", "way_north", "way_east", "way_south", "way_west",
)  # fmt: skip
"""Numbers that describe one robot: its place, each from -1 to 1; its heading, one of four; the
share of its action that is done; whether it is delayed; whether it has a goal, how far that is as
shares of height and width, and along the way as ``d / (d + height + width)``; the directions that
lead nearer."""


class Floor(NamedTuple):
    """What all worlds have in common.

    Args:
        free: ``[cells]`` bool.
        neighbours: ``[cells, 4]``.
        height, width: in cells.
        turning: whether robots turn.
        claims: the plane of cells that robots in mid-action are about to enter, -1 for none.
        headings: the first of four planes of robots that face north, east, south and west; -1 for
            none.
    """

    free: NDArray[np.bool_]
    neighbours: Neighbours
    height: int
    width: int
    turning: bool
    claims: int
    headings: int


@kernel
def _mark(floor: Floor, fleet: Fleet, world: int, holder: Int32s, claimed: Int32s) -> None:
    """Write who stands where, and where robots in mid-action are about to go."""
    for robot in range(fleet.cell.shape[1]):
        holder[fleet.cell[world, robot]] = robot
        ahead = _claim(floor, fleet, world, robot)
        if ahead >= 0:
            claimed[ahead] = robot


@kernel
def _unmark(floor: Floor, fleet: Fleet, world: int, holder: Int32s, claimed: Int32s) -> None:
    for robot in range(fleet.cell.shape[1]):
        holder[fleet.cell[world, robot]] = -1
        ahead = _claim(floor, fleet, world, robot)
        if ahead >= 0:
            claimed[ahead] = -1


@kernel
def _claim(floor: Floor, fleet: Fleet, world: int, robot: int) -> int:
    """The cell that a robot in mid-action is about to enter; -1 for none."""
    doing = fleet.doing[world, robot]
    if doing == 0 or (floor.turning and doing != FORWARD):
        return -1
    way = fleet.heading[world, robot] if floor.turning else doing - 1
    return int(floor.neighbours[fleet.cell[world, robot], way])


@kernel
def _within(offset: int, radius: int) -> int:
    return -radius if offset < -radius else radius if offset > radius else offset


@kernel
def write_local(
    floor: Floor, fleet: Fleet, goals: Int32s, rows: Int32s, fields: FieldArrays,
    radius: int, out: Bytes,
) -> None:  # fmt: skip
    """The planes around each robot.

    Args:
        goals: ``[W, N]`` cells, -1 for none.
        rows: ``[W, N]`` their rows in ``fields``.
        fields: distances.
        radius: cells in sight in each direction, along rows and columns.
        out: ``[W, N, C, D, D]`` with D of ``2 * radius + 1``, zeros before.
    """
    worlds, robots = fleet.cell.shape
    holder = np.full(len(floor.free), -1, dtype=np.int32)
    claimed = np.full(len(floor.free), -1, dtype=np.int32)
    for world in range(worlds):
        _mark(floor, fleet, world, holder, claimed)
        for robot in range(robots):
            own, goal, field = fleet.cell[world, robot], goals[world, robot], rows[world, robot]
            row, column = divmod(own, floor.width)
            planes = out[world, robot]
            here = distance(fields, field, own) if goal >= 0 else 0
            for i in range(2 * radius + 1):
                for j in range(2 * radius + 1):
                    r, c = row + i - radius, column + j - radius
                    inside = 0 <= r < floor.height and 0 <= c < floor.width
                    cell = r * floor.width + c if inside else own
                    if not inside or not floor.free[cell]:
                        planes[OBSTACLE, i, j] = 1
                        continue
                    other = holder[cell]
                    if other >= 0 and other != robot:
                        planes[ROBOT, i, j] = 1
                    if other >= 0 and floor.headings >= 0:
                        planes[floor.headings + fleet.heading[world, other], i, j] = 1
                    if goal >= 0 and distance(fields, field, cell) < here:
                        planes[NEARER, i, j] = 1
                    if floor.claims >= 0 and claimed[cell] >= 0:
                        planes[floor.claims, i, j] = 1
            if goal >= 0:
                to_row, to_column = divmod(goal, floor.width)
                south = _within(to_row - row, radius)
                planes[GOAL, radius + south, radius + _within(to_column - column, radius)] = 1
        _unmark(floor, fleet, world, holder, claimed)


@kernel
def write_floor(floor: Floor, fleet: Fleet, goals: Int32s, out: Bytes) -> None:
    """The whole floor of each world; the plane NEARER stays empty.

    Args:
        goals: ``[W, N]`` cells, -1 for none.
        out: ``[W, C, cells]``, zeros before.
    """
    worlds, robots = fleet.cell.shape
    for world in range(worlds):
        for cell in range(len(floor.free)):
            out[world, OBSTACLE, cell] = not floor.free[cell]
        for robot in range(robots):
            cell = fleet.cell[world, robot]
            out[world, ROBOT, cell] = 1
            if goals[world, robot] >= 0:
                out[world, GOAL, goals[world, robot]] = 1
            if floor.headings >= 0:
                out[world, floor.headings + fleet.heading[world, robot], cell] = 1
            ahead = _claim(floor, fleet, world, robot)
            if ahead >= 0 and floor.claims >= 0:
                out[world, floor.claims, ahead] = 1


@kernel
def write_vectors(
    floor: Floor, fleet: Fleet, goals: Int32s, rows: Int32s, fields: FieldArrays,
    ticks_per_action: int, out: Floats,
) -> None:  # fmt: skip
    """``FEATURES`` of each robot.

    Args:
        goals, rows, fields: as of ``write_local``.
        ticks_per_action: of the rules.
        out: ``[W, N, F]``, zeros before.
    """
    worlds, robots = fleet.cell.shape
    for world in range(worlds):
        for robot in range(robots):
            own, goal, field = fleet.cell[world, robot], goals[world, robot], rows[world, robot]
            row, column = divmod(own, floor.width)
            seen = out[world, robot]
            seen[0] = 2 * row / max(floor.height - 1, 1) - 1
            seen[1] = 2 * column / max(floor.width - 1, 1) - 1
            seen[2 + fleet.heading[world, robot]] = 1
            seen[6] = fleet.progress[world, robot] / ticks_per_action
            seen[7] = fleet.delay_ticks[world, robot] > 0
            if goal < 0:
                continue
            to_row, to_column = divmod(goal, floor.width)
            seen[8] = 1
            seen[9] = (to_row - row) / floor.height
            seen[10] = (to_column - column) / floor.width
            here = distance(fields, field, own)
            seen[11] = 1 if here == UNREACHABLE else here / (here + floor.height + floor.width)
            for way in range(4):
                beside = floor.neighbours[own, way]
                if beside >= 0 and distance(fields, field, beside) < here:
                    seen[12 + way] = 1


@kernel
def write_edges(
    floor: Floor, fleet: Fleet, neighbours: Int32s, mask: NDArray[np.int8], offsets: Floats
) -> None:
    """The nearest robots of each robot, by rows plus columns; of equals the lower number first.

    Args:
        neighbours: ``[W, N, K]`` gets their numbers; the own one where there are fewer.
        mask: ``[W, N, K]`` gets 1 where there is one.
        offsets: ``[W, N, K, 2]`` gets how far south and east it is, as shares of height and width.
    """
    worlds, robots = fleet.cell.shape
    most = neighbours.shape[2]
    away = np.empty(most, dtype=np.int64)
    for world in range(worlds):
        for robot in range(robots):
            row, column = divmod(fleet.cell[world, robot], floor.width)
            found = 0
            for other in range(robots):
                if other == robot:
                    continue
                r, c = divmod(fleet.cell[world, other], floor.width)
                length = abs(r - row) + abs(c - column)
                if found == most and length >= away[most - 1]:
                    continue
                found = min(found + 1, most)
                place = found - 1
                while place > 0 and away[place - 1] > length:
                    away[place] = away[place - 1]
                    neighbours[world, robot, place] = neighbours[world, robot, place - 1]
                    place -= 1
                away[place] = length
                neighbours[world, robot, place] = other
            for k in range(most):
                if k >= found:
                    neighbours[world, robot, k] = robot
                mask[world, robot, k] = k < found
                r, c = divmod(fleet.cell[world, neighbours[world, robot, k]], floor.width)
                offsets[world, robot, k, 0] = (r - row) / floor.height
                offsets[world, robot, k, 1] = (c - column) / floor.width


@kernel
def write_masks(floor: Floor, fleet: Fleet, out: NDArray[np.bool_]) -> None:
    """Which actions may come true.

    Args:
        out: ``[W, N, A]``, False before.
    """
    worlds, robots = fleet.cell.shape
    for world in range(worlds):
        for robot in range(robots):
            out[world, robot, 0] = True
            doing = fleet.doing[world, robot]
            if doing != 0:
                out[world, robot, doing] = True
                continue
            for action in range(1, out.shape[2]):
                way = fleet.heading[world, robot] if floor.turning else action - 1
                drives = not floor.turning or action == FORWARD
                ahead = floor.neighbours[fleet.cell[world, robot], way]
                out[world, robot, action] = not drives or ahead >= 0
