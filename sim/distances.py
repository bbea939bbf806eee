# SPDX-License-Identifier: Apache-2.0
"""Exact shortest distances on the four-connected floor, and which cells hang together.

Directions are 0 north, 1 east, 2 south, 3 west, so ``direction ^ 2`` is the opposite one.
"""

import heapq

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.jit import kernel
from sim.layout import Cells, Layout

Neighbours = NDArray[np.int32]
"""``[cells, 4]``: the free cell next to each free cell in each direction, -1 where none is."""

Tolls = NDArray[np.int64]
"""``[cells, 4]``: extra cost of leaving each cell in each direction, in 1 / ``MOVE_COST`` moves."""

MOVE_COST = 1024
"""Cost of one move without toll; costs are integers, so equal costs are exactly equal."""

NO_CELL = -1
"""Stands for "no target" in ``breadth_first``."""


def neighbour_table(layout: Layout) -> Neighbours:
    """Return ``[height * width, 4]`` int32; rows of obstacles are all -1."""
    cells = np.where(layout.free, np.arange(layout.free.size).reshape(layout.free.shape), -1)
    padded = np.pad(cells, 1, constant_values=-1)
    views = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    table = np.stack([view.ravel() for view in views], axis=1)
    table[~layout.free.ravel()] = -1
    return np.ascontiguousarray(table, dtype=np.int32)


@kernel
def breadth_first(neighbours: Neighbours, source: int, target: int) -> NDArray[np.int64]:
    """Moves from every cell to ``source``, -1 where unknown.

    Stops once ``target`` is reached (``NO_CELL``: visits all): every cell that is nearer to the
    source than the target is known then.
    """
    distance = np.full(len(neighbours), -1, dtype=np.int64)
    queue = np.empty(len(neighbours), dtype=np.int32)
    queue[0] = source
    distance[source] = 0
    head, tail = 0, 1
    while head < tail and (target < 0 or distance[target] < 0):
        cell = queue[head]
        head += 1
        for direction in range(4):
            neighbour = neighbours[cell, direction]
            if neighbour >= 0 and distance[neighbour] < 0:
                distance[neighbour] = distance[cell] + 1
                queue[tail] = neighbour
                tail += 1
    return distance


@kernel
def cheapest(neighbours: Neighbours, tolls: Tolls, goal: int, start: int) -> NDArray[np.int64]:
    """Least cost from every cell to ``goal`` with tolls: Dijkstra, backwards from the goal.

    Stops when ``start`` is settled. Every cell on a cheapest path from there is settled then and
    has its exact cost; other entries are upper bounds, or -1 where unknown.
    """
    num_cells = len(neighbours)
    cost = np.full(num_cells, -1, dtype=np.int64)
    cost[goal] = 0
    heap = [np.int64(goal)]  # one integer, cost * num_cells + cell: half the time of a pair
    while len(heap) > 0:
        top = heapq.heappop(heap)
        cell = top % num_cells
        if cell == start:
            break
        if top // num_cells > cost[cell]:
            continue
        for direction in range(4):
            previous = neighbours[cell, direction]
            if previous >= 0:
                through = cost[cell] + MOVE_COST + tolls[previous, direction ^ 2]
                if cost[previous] < 0 or through < cost[previous]:
                    cost[previous] = through
                    heapq.heappush(heap, through * num_cells + previous)
    return cost


@kernel
def component_labels(neighbours: Neighbours, cells: Cells) -> NDArray[np.int32]:
    """``[cells]``: the number of the connected component of each cell, -1 for obstacles."""
    label = np.full(len(neighbours), -1, dtype=np.int32)
    queue = np.empty(len(cells), dtype=np.int32)
    num_components = 0
    for seed in cells:
        if label[seed] >= 0:
            continue
        queue[0] = seed
        label[seed] = num_components
        head, tail = 0, 1
        while head < tail:
            for neighbour in neighbours[queue[head]]:
                if neighbour >= 0 and label[neighbour] < 0:
                    label[neighbour] = num_components
                    queue[tail] = neighbour
                    tail += 1
            head += 1
        num_components += 1
    return label


def largest_component(layout: Layout) -> Cells:
    """Return the ascending cells of the largest connected area (of equals, the one met first)."""
    cells = layout.free_cells
    label = component_labels(neighbour_table(layout), cells)
    largest: Cells = cells[label[cells] == np.bincount(label[cells]).argmax()]
    return largest


def require_free(layout: Layout, cell: int, what: str) -> None:
    """Raise InputError unless ``cell`` is on the floor; ``what`` begins the message."""
    if not 0 <= cell < layout.free.size:
        raise InputError(
            f"{what}: cell {cell} is outside layout {layout.name}; "
            f"allowed: 0 to {layout.free.size - 1}"
        )
    row, column = layout.row_column(cell)
    if not layout.free[row, column]:
        raise InputError(
            f"{what}: row {row}, column {column} of layout {layout.name} is an obstacle; "
            "only free cells are allowed"
        )


def distances_to(layout: Layout, cell: int) -> NDArray[np.int32]:
    """Shortest distances in moves from every cell to ``cell``.

    Returns:
        ``[height * width]``, -1 for obstacles and cells that cannot reach it.

    Raises:
        InputError: ``cell`` is an obstacle or outside the layout.
    """
    require_free(layout, cell, "distances")
    return breadth_first(neighbour_table(layout), cell, NO_CELL).astype(np.int32)


def distances_to_reference(layout: Layout, cell: int) -> NDArray[np.int32]:
    """Like ``distances_to``, by networkx: slow and obvious, for tests."""
    grid = nx.grid_2d_graph(layout.height, layout.width)
    grid.remove_nodes_from([tuple(blocked) for blocked in np.argwhere(~layout.free)])
    distance = np.full((layout.height, layout.width), -1, dtype=np.int32)
    for place, length in nx.single_source_shortest_path_length(
        grid, layout.row_column(cell)
    ).items():
        distance[place] = length
    return distance.ravel()
