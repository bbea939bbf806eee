# SPDX-License-Identifier: Apache-2.0
"""Walkers as arrays, and what all kinds of them do: set out, arrive, pause, stop robots."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.layout import Cells
from sim.warehouse.chance import Keys, normal, uniform

Floats = NDArray[np.float64]

# Roles of chance (sim/warehouse/chance.py) from 100 to 109 belong to people.
FIRST_CELL, GOAL, PAUSE, SPEED, PUSH_X, PUSH_Y = 100, 101, 102, 103, 105, 107


class Walkers(NamedTuple):
    """P walkers in each of W worlds; all arrays change in place.

    Args:
        position_m: ``[W, P, 2]`` metres to the east and to the south of the floor's corner.
        velocity_m_s: ``[W, P, 2]``, 0 for scripted walkers.
        cell: ``[W, P]`` int32, where each is; of a scripted walker, the last centre it was on.
        goal: ``[W, P]`` int32, number of the place that each goes to.
        pause_ticks: ``[W, P]`` int32, ticks that each still stays where it is.
        speed_m_s: ``[W, P]`` what each desires; never changes.
    """

    position_m: Floats
    velocity_m_s: Floats
    cell: NDArray[np.int32]
    goal: NDArray[np.int32]
    pause_ticks: NDArray[np.int32]
    speed_m_s: Floats


@kernel
def next_goal(key: np.uint64, tick: int, walker: int, goal: int, num_places: int) -> int:
    """Another place, each with the same chance."""
    if num_places == 1:
        return goal
    step = 1 + int(uniform(key, tick, walker, GOAL) * (num_places - 1))
    return (goal + step) % num_places


@kernel
def set_out(
    keys: Keys, cells: Cells, num_places: int, cell_m: float, width: int, mean_m_s: float,
    deviation_m_s: float, walkers: Walkers,
) -> None:  # fmt: skip
    """Put walkers on the centres of cells, with a goal and a speed."""
    for world in range(walkers.goal.shape[0]):
        key = keys[world]
        for walker in range(walkers.goal.shape[1]):
            cell = cells[int(uniform(key, 0, walker, FIRST_CELL) * len(cells))]
            walkers.cell[world, walker] = cell
            walkers.position_m[world, walker, 0] = (cell % width + 0.5) * cell_m
            walkers.position_m[world, walker, 1] = (cell // width + 0.5) * cell_m
            walkers.goal[world, walker] = int(uniform(key, 0, walker, GOAL) * num_places)
            offset = min(max(normal(key, 0, walker, SPEED), -2.0), 2.0)
            walkers.speed_m_s[world, walker] = mean_m_s + deviation_m_s * offset


@kernel
def arrive(
    key: np.uint64, tick: int, world: int, walker: int, num_places: int, pause_ticks: float,
    walkers: Walkers,
) -> None:  # fmt: skip
    """A walker at its goal rests there, and knows where it goes next; ``pause_ticks`` is a mean."""
    pause = -pause_ticks * math.log1p(-uniform(key, tick, walker, PAUSE))
    walkers.pause_ticks[world, walker] = int(pause + 0.5)
    goal = walkers.goal[world, walker]
    walkers.goal[world, walker] = next_goal(key, tick + 1, walker, goal, num_places)


@kernel
def mark_closed(
    position_m: Floats, radius_m: float, cell_m: float, width: int, closed: NDArray[np.bool_]
) -> None:
    """Mark, in ``closed`` ``[W, cells]``, all cells that walkers stand on or are near to."""
    height = closed.shape[1] // width
    reach = int(radius_m / cell_m) + 1
    closed[:] = False
    for world in range(closed.shape[0]):
        for walker in range(position_m.shape[1]):
            x_m, y_m = position_m[world, walker, 0], position_m[world, walker, 1]
            column, row = int(x_m / cell_m), int(y_m / cell_m)
            closed[world, row * width + column] = True
            for r in range(max(row - reach, 0), min(row + reach + 1, height)):
                for c in range(max(column - reach, 0), min(column + reach + 1, width)):
                    east_m, south_m = (c + 0.5) * cell_m - x_m, (r + 0.5) * cell_m - y_m
                    if east_m * east_m + south_m * south_m <= radius_m * radius_m:
                        closed[world, r * width + c] = True


def closed_reference(
    position_m: Floats, radius_m: float, cell_m: float, height: int, width: int
) -> NDArray[np.bool_]:
    """Like ``mark_closed`` for ``[W, P, 2]``, every cell against every walker, for tests."""
    rows, columns = np.divmod(np.arange(height * width), width)
    centres_m = np.stack([columns + 0.5, rows + 0.5], axis=1) * cell_m
    offset_m = centres_m - position_m[:, :, None]
    near = (offset_m**2).sum(-1) <= radius_m**2
    own = (np.floor(position_m / cell_m)[:, :, None] == np.floor(centres_m / cell_m)).all(-1)
    return np.asarray((near | own).any(axis=1))
