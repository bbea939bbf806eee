# SPDX-License-Identifier: Apache-2.0
"""Delay data from people: when robots on a route would have to stop."""

import numpy as np
from numpy.typing import NDArray

from sim.distances import require_free
from sim.errors import require
from sim.jit import kernel
from sim.layout import Cells, Layout
from sim.warehouse.chance import Keys
from sim.warehouse.people.options import PeopleOptions
from sim.warehouse.people.people import People

Stops = NDArray[np.int8]


def closed_series(
    layout: Layout, options: PeopleOptions, keys: Keys, cells: Cells, ticks: int
) -> Stops:
    """When people close cells.

    Args:
        layout: the floor.
        options: who walks.
        keys: ``[W]``, one per world.
        cells: ``[C]`` free cells, such as those of a route.
        ticks: T, at least 1.

    Returns:
        ``[W, C, T]``: 1 where a cell is closed to robots in a tick. A robot that waits before one
        of the cells is stopped in exactly these ticks.

    Raises:
        InputError: a cell is no free one, no cell at all, or ``ticks`` is below 1.
    """
    require("ticks", ticks, ticks >= 1, "1 or more")
    require("cells", len(cells), len(cells) >= 1, "1 or more")
    for cell in cells:
        require_free(layout, int(cell), "crossings")
    people = People(layout, options, keys)
    series = np.empty((len(keys), len(cells), ticks), dtype=np.int8)
    for tick in range(ticks):
        people.advance(tick)
        series[:, :, tick] = people.closed[:, cells]
    return series


@kernel
def _drive(closed: Stops, ticks_per_cell: int) -> Stops:
    """``[W, T]`` from ``[W, C, T]``."""
    num_worlds, num_cells, ticks = closed.shape
    stopped = np.zeros((num_worlds, ticks), dtype=np.int8)
    for world in range(num_worlds):
        place, driven = 0, 0
        for tick in range(ticks):
            ahead = (place + 1) % num_cells
            if closed[world, ahead, tick]:
                stopped[world, tick] = 1
                continue
            driven += 1
            if driven == ticks_per_cell:
                place, driven = ahead, 0
    return stopped


def stop_series(closed: Stops, ticks_per_cell: int) -> Stops:
    """When a robot that drives a route is stopped; from its last cell it goes to the first again.

    The robot stands while the next cell of its route is closed and drives otherwise.

    Args:
        closed: ``[W, C, T]`` of ``closed_series``, for the cells of the route in their sequence,
            which should be a circle.
        ticks_per_cell: that a move takes, at least 1.

    Returns:
        ``[W, T]``: 1 where the robot is stopped.

    Raises:
        InputError: ``ticks_per_cell`` is below 1, or ``closed`` has another shape.
    """
    require("ticks_per_cell", ticks_per_cell, ticks_per_cell >= 1, "1 or more")
    require("closed", closed.shape, closed.ndim == 3 and closed.size > 0, "[W, C, T], not empty")
    return _drive(closed, ticks_per_cell)


def stop_series_reference(closed: Stops, ticks_per_cell: int) -> Stops:
    """Like ``stop_series``: slow and obvious, for tests."""
    stopped = np.zeros((len(closed), closed.shape[2]), dtype=np.int8)
    for world, cells in enumerate(closed):
        driven = 0
        for tick in range(closed.shape[2]):
            ahead = (driven // ticks_per_cell + 1) % len(cells)
            stopped[world, tick] = cells[ahead, tick]
            driven += 1 - int(cells[ahead, tick])
    return stopped
