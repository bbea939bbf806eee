# SPDX-License-Identifier: Apache-2.0
"""How far robots have to go for orders: exactly, or by the Manhattan distance on large floors."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.distances import component_labels, neighbour_table
from sim.layout import Layout
from sim.warehouse.assignment import UNREACHABLE as NO_PAIR
from sim.warehouse.book import Book
from sim.warehouse.control.fields import UNREACHABLE, Fields
from sim.warehouse.fleet import Int32s

Costs = NDArray[np.int64]


class Distances(Protocol):
    """Moves between cells."""

    def ways(self, cells: Int32s, goals: Int32s) -> Costs:
        """``[R, M]`` from each cell to each goal, ``NO_PAIR`` or more where there is no way."""

    def length(self, cells: Int32s) -> int:
        """From the first of some cells through all to the last; ``NO_PAIR`` if no way leads on."""


class Exact:
    """By breadth-first search; at most so many goals at once as ``fields`` has room for."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._lengths: dict[tuple[int, ...], int] = {}

    def ways(self, cells: Int32s, goals: Int32s) -> Costs:
        """``[R, M]``."""
        rows, arrays = self._fields.rows(goals), self._fields.arrays
        way = arrays.data[rows[:, None], arrays.place[cells]].T.astype(np.int64)
        return np.where(way >= UNREACHABLE, NO_PAIR, way)

    def length(self, cells: Int32s) -> int:
        """Computed once for each sequence."""
        key = tuple(cells.tolist())
        if key not in self._lengths:
            rows, (data, index) = self._fields.rows(cells[1:]), self._fields.arrays
            legs = data[rows, index[cells[:-1]]]
            cut = bool((legs >= UNREACHABLE).any())
            self._lengths[key] = NO_PAIR if cut else int(legs.sum(dtype=np.int64))
        return self._lengths[key]


class Estimated:
    """The Manhattan distance; cells that do not hang together are told exactly."""

    def __init__(self, layout: Layout) -> None:
        self._width = layout.width
        self._label = component_labels(neighbour_table(layout), layout.free_cells)

    def ways(self, cells: Int32s, goals: Int32s) -> Costs:
        """``[R, M]``."""
        way = manhattan(self._width, cells[:, None], goals[None, :])
        return np.where(self._label[cells][:, None] == self._label[goals], way, NO_PAIR)

    def length(self, cells: Int32s) -> int:
        """The legs, each as if nothing were in the way."""
        if (self._label[cells] != self._label[cells[0]]).any():
            return NO_PAIR
        return int(manhattan(self._width, cells[1:], cells[:-1]).sum())


def manhattan(width: int, one: Int32s, other: Int32s) -> Costs:
    """Moves between cells if nothing were in the way; shapes broadcast."""
    rows, columns = one // width - other // width, one % width - other % width
    moves: Costs = (np.abs(rows) + np.abs(columns)).astype(np.int64)
    return moves


def distances_for(layout: Layout, fields: Fields, goals: int) -> Distances:
    """Exact ones if ``fields`` has room for so many goals, or for all there are."""
    exact = fields.room >= min(goals, len(layout.free_cells))
    return Exact(fields) if exact else Estimated(layout)


def costs(distances: Distances, book: Book, cells: Int32s, orders: Int32s) -> Costs:
    """``[R, M]`` moves from each robot through all errands of each order.

    Args:
        distances: how they are told.
        book: of the world.
        cells: ``[R]`` where the robots are.
        orders: ``[M]``.
    """
    ends = book.errand_ptr[orders + 1]
    firsts = book.errand_ptr[orders]
    way = distances.ways(cells, book.errand_cells[firsts])
    lengths = [
        distances.length(book.errand_cells[first:end])
        for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)
    ]
    total: Costs = np.minimum(way + np.array(lengths, dtype=np.int64), NO_PAIR)
    return total
