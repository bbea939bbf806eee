# SPDX-License-Identifier: Apache-2.0
"""Scripted walkers: along shortest paths, from cell centre to cell centre."""

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.chance import Keys
from sim.warehouse.people.ground import Ground
from sim.warehouse.people.walkers import Walkers, arrive

_EAST = np.array([0, 1, 0, -1])
_SOUTH = np.array([-1, 0, 1, 0])


@kernel
def next_cell(cell: int, direction: int, width: int) -> int:
    """The cell next to this one."""
    return int(cell + _EAST[direction] + width * _SOUTH[direction])


@kernel
def walk_scripted(
    keys: Keys, tick: int, tick_s: float, pause_ticks: float, way: NDArray[np.int8], cell_m: float,
    width: int, walkers: Walkers,
) -> None:  # fmt: skip
    """One tick of all walkers; ``pause_ticks`` is a mean."""
    for world in range(walkers.goal.shape[0]):
        for walker in range(walkers.goal.shape[1]):
            if walkers.pause_ticks[world, walker] > 0:
                walkers.pause_ticks[world, walker] -= 1
                continue
            position = walkers.position_m[world, walker]
            left_m = walkers.speed_m_s[world, walker] * tick_s
            while left_m > 0:
                cell = walkers.cell[world, walker]
                direction = way[walkers.goal[world, walker], cell]
                if direction < 0:
                    arrive(keys[world], tick, world, walker, len(way), pause_ticks, walkers)
                    break
                ahead = next_cell(cell, direction, width)
                x_m, y_m = (ahead % width + 0.5) * cell_m, (ahead // width + 0.5) * cell_m
                way_m = abs(x_m - position[0]) + abs(y_m - position[1])  # one of both is 0
                if way_m <= left_m:
                    position[0], position[1] = x_m, y_m
                    walkers.cell[world, walker] = ahead
                else:
                    position[0] += left_m / way_m * (x_m - position[0])
                    position[1] += left_m / way_m * (y_m - position[1])
                left_m -= min(way_m, left_m)


def path_reference(ground: Ground, width: int, start: int, place: int) -> list[int]:
    """The cells of a scripted walk, both ends included: slow and obvious, for tests."""
    path = [start]
    while path[-1] != ground.places[place]:
        path.append(next_cell(path[-1], int(ground.way[place, path[-1]]), width))
    return path


def position_reference(
    path: list[int], walked_m: float, cell_m: float, width: int
) -> tuple[float, float]:
    """Where a walker is after so many metres of a path: x and y in metres, for tests."""
    corners = [((cell % width + 0.5) * cell_m, (cell // width + 0.5) * cell_m) for cell in path]
    passed = min(int(walked_m / cell_m), len(path) - 1)
    ahead = min(passed + 1, len(path) - 1)
    share = walked_m / cell_m - passed if ahead > passed else 0.0
    (x_m, y_m), (to_x_m, to_y_m) = corners[passed], corners[ahead]
    return x_m + share * (to_x_m - x_m), y_m + share * (to_y_m - y_m)
