# SPDX-License-Identifier: Apache-2.0
"""Distances: fast equals reference, and tolls are counted on the move they belong to."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.distances import (
    MOVE_COST,
    cheapest,
    distances_to,
    distances_to_reference,
    largest_component,
    neighbour_table,
)
from sim.errors import InputError
from sim.layout import Layout


def scattered(height: int, width: int, seed: int) -> Layout:
    free = np.random.default_rng(seed).random((height, width)) < 0.7
    free[0, 0] = True
    return Layout("scattered", free)


sizes = st.integers(1, 12)


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 10**6))
def test_distances_equal_the_reference(height: int, width: int, seed: int) -> None:
    layout = scattered(height, width, seed)
    for cell in layout.free_cells[:3]:
        assert np.array_equal(distances_to(layout, cell), distances_to_reference(layout, cell))


def test_distances_count_moves_and_mark_the_unreachable() -> None:
    layout = Layout("two rooms", np.array([[True, True, False, True], [True, True, False, True]]))
    assert distances_to(layout, 0).reshape(2, 4).tolist() == [[0, 1, -1, -1], [1, 2, -1, -1]]


@pytest.mark.parametrize("cell", [-1, 8, 2])
def test_distances_to_a_place_without_floor_are_refused(cell: int) -> None:
    layout = Layout("wall", np.array([[True, True, False, True], [True, True, False, True]]))
    with pytest.raises(InputError, match=r"distances: (cell|row 0, column 2)"):
        distances_to(layout, cell)


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 10**6))
def test_cheapest_equals_dijkstra_on_the_tolled_graph(height: int, width: int, seed: int) -> None:
    layout = scattered(height, width, seed)
    neighbours = neighbour_table(layout)
    rng = np.random.default_rng(seed)
    tolls = rng.integers(0, 3 * MOVE_COST, size=neighbours.shape)
    graph = nx.DiGraph()
    graph.add_nodes_from(layout.free_cells.tolist())
    for cell, direction in np.argwhere(neighbours >= 0).tolist():
        weight = MOVE_COST + int(tolls[cell, direction])
        graph.add_edge(cell, int(neighbours[cell, direction]), weight=weight)
    goal = int(rng.choice(layout.free_cells))
    for start in layout.free_cells.tolist():
        try:
            expected = nx.dijkstra_path_length(graph, start, goal)
        except nx.NetworkXNoPath:
            expected = -1
        assert cheapest(neighbours, tolls, goal, start)[start] == expected


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 10**6))
def test_largest_component_is_connected_and_largest(height: int, width: int, seed: int) -> None:
    layout = scattered(height, width, seed)
    area = largest_component(layout)
    sizes = [int((distances_to(layout, cell) >= 0).sum()) for cell in layout.free_cells]
    assert len(area) == max(sizes)
    assert np.array_equal(np.flatnonzero(distances_to(layout, area[0]) >= 0), area)
