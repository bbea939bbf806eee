# SPDX-License-Identifier: Apache-2.0
"""The floor as people see it: places to go to, the way to each, and walls."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import NO_CELL, breadth_first, largest_component, neighbour_table
from sim.errors import require
from sim.layout import Cells, Layout
from sim.warehouse.people.options import PeopleOptions

ARRIVED = -1
"""Direction at the place itself."""


class Ground(NamedTuple):
    """What walkers need to know of the floor.

    Args:
        cells: the largest connected area, where people are.
        places: ``[D]`` cells between which they walk.
        way: ``[D, cells]`` int8, direction of a shortest path to each place from every cell, -1
            at the place itself and outside the area.
        blocked: ``[height + 2, width + 2]`` bool, obstacles, with a wall around the floor.
        cell_m: side of a cell in metres.
    """

    cells: Cells
    places: Cells
    way: NDArray[np.int8]
    blocked: NDArray[np.bool_]
    cell_m: float


def _way_to(neighbours: NDArray[np.int32], place: int) -> NDArray[np.int8]:
    """``[cells]``: the first direction that comes nearer to the place."""
    distance = breadth_first(neighbours, place, NO_CELL)
    there = np.where(neighbours >= 0, distance[neighbours], np.iinfo(np.int64).max)
    nearer = (there < distance[:, None]) & (there >= 0)
    return np.where(nearer.any(axis=1), nearer.argmax(axis=1), ARRIVED).astype(np.int8)


def ground_of(layout: Layout, options: PeopleOptions) -> Ground:
    """Draw the places and find the ways.

    Raises:
        InputError: the largest connected area has fewer than 2 cells, so nobody can walk.
    """
    cells = largest_component(layout)
    require("cells to walk on", len(cells), len(cells) >= 2, "2 or more, connected")
    rng = np.random.default_rng(options.places_seed)
    places = rng.permutation(cells)[: options.places]
    neighbours = neighbour_table(layout)
    way = np.stack([_way_to(neighbours, int(place)) for place in places])
    blocked = np.pad(~layout.free, 1, constant_values=True)
    return Ground(cells, places, way, blocked, options.cell_m)
