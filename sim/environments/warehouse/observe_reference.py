# SPDX-License-Identifier: Apache-2.0
"""What robots see, said slowly: one robot, one plane after the other."""

import numpy as np
from numpy.typing import NDArray

from sim.distances import distances_to
from sim.environments.warehouse.observe import FEATURES, Bytes, Floats
from sim.layout import Layout
from sim.warehouse.control.interface import View
from sim.warehouse.rules import FORWARD, Gait, Rules


def _claims(layout: Layout, rules: Rules, view: View, world: int) -> set[tuple[int, int]]:
    """Row and column of the cells that robots in mid-action are about to enter."""
    fleet, cells = view.fleet, set[tuple[int, int]]()
    turning = rules.gait is Gait.TURNING
    for cell, heading, doing in zip(
        fleet.cell[world], fleet.heading[world], fleet.doing[world], strict=True
    ):
        if doing and (not turning or doing == FORWARD):
            row, column = layout.row_column(cell)
            south, east = ((-1, 0), (0, 1), (1, 0), (0, -1))[heading if turning else doing - 1]
            cells.add((row + south, column + east))
    return cells


def _floor_planes(layout: Layout, rules: Rules, view: View, world: int) -> list[Bytes]:
    """``[height, width]`` each: obstacles, robots, goals, nothing, claims, four headings."""
    fleet, shape = view.fleet, layout.free.shape
    goals = view.goals[world, :, 0]

    def at(cells: NDArray[np.int32]) -> Bytes:
        plane = np.zeros(shape, dtype=np.uint8)
        plane.ravel()[cells] = 1
        return plane

    planes = [(~layout.free).astype(np.uint8), at(fleet.cell[world]), at(goals[goals >= 0])]
    planes.append(np.zeros(shape, dtype=np.uint8))
    if rules.ticks_per_action > 1:
        plane = np.zeros(shape, dtype=np.uint8)
        for row, column in _claims(layout, rules, view, world):
            plane[row, column] = 1
        planes.append(plane)
    if rules.gait is Gait.TURNING:
        planes += [at(fleet.cell[world][fleet.heading[world] == way]) for way in range(4)]
    return planes


def floor_reference(layout: Layout, rules: Rules, view: View, world: int) -> Bytes:
    """``[C, height, width]``."""
    return np.stack(_floor_planes(layout, rules, view, world))


def local_reference(
    layout: Layout, rules: Rules, view: View, world: int, robot: int, radius: int
) -> Bytes:
    """``[C, D, D]``: the floor cut out around a robot, with what it alone knows."""
    planes = _floor_planes(layout, rules, view, world)
    cell, goal = int(view.fleet.cell[world, robot]), int(view.goals[world, robot, 0])
    row, column = layout.row_column(cell)
    planes[1][row, column] = 0
    planes[2][:] = 0
    if goal >= 0:
        distance = distances_to(layout, goal).reshape(layout.free.shape)
        planes[3] = ((distance >= 0) & (distance < distance[row, column])).astype(np.uint8)
    side = 2 * radius + 1
    seen = [
        np.pad(plane, radius, constant_values=number == 0)[row : row + side, column : column + side]
        for number, plane in enumerate(planes)
    ]
    if goal >= 0:
        away = np.array(layout.row_column(goal)) - (row, column)
        seen[2][tuple(radius + np.clip(away, -radius, radius))] = 1
    return np.stack(seen)


def vector_reference(layout: Layout, rules: Rules, view: View, world: int, robot: int) -> Floats:
    """``[F]``, by the names of the features."""
    fleet, height, width = view.fleet, layout.height, layout.width
    cell, goal = int(fleet.cell[world, robot]), int(view.goals[world, robot, 0])
    row, column = layout.row_column(cell)
    seen: dict[str, float] = dict.fromkeys(FEATURES, 0.0)
    seen["row"] = 2 * row / max(height - 1, 1) - 1
    seen["column"] = 2 * column / max(width - 1, 1) - 1
    ways = ("north", "east", "south", "west")
    seen[ways[fleet.heading[world, robot]]] = 1
    seen["progress"] = fleet.progress[world, robot] / rules.ticks_per_action
    seen["delayed"] = float(fleet.delay_ticks[world, robot] > 0)
    if goal >= 0:
        distance = distances_to(layout, goal).reshape(layout.free.shape)
        to_row, to_column = layout.row_column(goal)
        here = int(distance[row, column])
        seen["has_goal"] = 1
        seen["goal_south"], seen["goal_east"] = (
            (to_row - row) / height,
            (to_column - column) / width,
        )
        seen["goal_distance"] = here / (here + height + width) if here >= 0 else 1.0
        for way, (south, east) in zip(ways, ((-1, 0), (0, 1), (1, 0), (0, -1)), strict=True):
            r, c = row + south, column + east
            if 0 <= r < height and 0 <= c < width and 0 <= distance[r, c] < here:
                seen[f"way_{way}"] = 1
    return np.array([seen[name] for name in FEATURES], dtype=np.float32)


def edges_reference(
    layout: Layout, view: View, world: int, robot: int, most: int
) -> tuple[list[int], list[int], Floats]:
    """Numbers ``[K]``, mask ``[K]`` and offsets ``[K, 2]`` of the nearest robots."""
    places = [np.array(layout.row_column(cell)) for cell in view.fleet.cell[world]]
    others = [other for other in range(len(places)) if other != robot]
    others.sort(key=lambda other: (int(np.abs(places[other] - places[robot]).sum()), other))
    near = others[:most]
    padded = near + [robot] * (most - len(near))
    away = np.array([places[other] - places[robot] for other in padded])
    mask = [1] * len(near) + [0] * (most - len(near))
    return padded, mask, (away / (layout.height, layout.width)).astype(np.float32)


def masks_reference(
    layout: Layout, rules: Rules, view: View, world: int, robot: int
) -> NDArray[np.bool_]:
    """``[A]``: waiting, going on, turning, and driving where there is floor."""
    fleet, steps = view.fleet, ((-1, 0), (0, 1), (1, 0), (0, -1))
    may = np.zeros(rules.num_actions, dtype=np.bool_)
    may[0] = True
    if fleet.doing[world, robot]:
        may[fleet.doing[world, robot]] = True
        return may
    row, column = layout.row_column(int(fleet.cell[world, robot]))
    walled = np.pad(layout.free, 1)
    open_ways = [bool(walled[1 + row + south, 1 + column + east]) for south, east in steps]
    if rules.gait is Gait.TURNING:
        may[1:] = [open_ways[fleet.heading[world, robot]], True, True]
    else:
        may[1:] = open_ways
    return may
