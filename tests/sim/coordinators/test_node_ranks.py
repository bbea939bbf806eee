# SPDX-License-Identifier: Apache-2.0
import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.certificate import certify
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.graph import CoordinationGraph
from sim.kernels.chains import fewest_chains, least_prefix
from sim.kernels.sequence import positions_by_rank
from tests.sim.coordinators.tiny_graphs import random_graph

SERVED = ["merged", "parked merged", "merged density", "overlaps", "density", "loose density"]


def _graphs(kind: str) -> list[CoordinationGraph]:
    robots = 6 if "parked" in kind else 12
    drawn = (random_graph(kind, seed, robots, side=9) for seed in range(400))
    return list(itertools.islice((graph for graph in drawn if graph is not None), 3))


GRAPHS = {kind: _graphs(kind) for kind in SERVED}


@settings(max_examples=40, deadline=None)
@given(data=st.data(), kind=st.sampled_from(SERVED), number=st.integers(0, 2))
def test_any_ranks_and_confidences_are_feasible(
    data: st.DataObject, kind: str, number: int
) -> None:
    graph = GRAPHS[kind][number % len(GRAPHS[kind])]
    anything = st.floats(allow_nan=True, allow_infinity=True)
    rank = data.draw(arrays(np.float64, graph.num_intervals, elements=anything))
    confidence = data.draw(st.none() | arrays(np.float64, graph.num_conflicts, elements=anything))
    assert certify(graph, assignment_from_node_ranks(graph, rank, confidence)).violation is None


@pytest.mark.parametrize("kind", SERVED)
def test_random_ranks_are_feasible(kind: str) -> None:
    rng = np.random.default_rng(0)
    for graph in GRAPHS[kind]:
        for _ in range(50):
            rank = rng.normal(size=graph.num_intervals)
            confidence = rng.normal(size=graph.num_conflicts)
            assignment = assignment_from_node_ranks(graph, rank, confidence)
            assert certify(graph, assignment).violation is None


def test_low_ranks_go_first_where_routes_allow() -> None:
    graph = GRAPHS["merged"][0]
    robot = graph.event_robot[graph.interval_enter]
    rank = np.random.default_rng(0).permutation(graph.num_robots)[robot].astype(float)
    assignment = assignment_from_node_ranks(graph, rank)
    v_first = rank[graph.conflict_v] < rank[graph.conflict_u]
    np.testing.assert_array_equal(assignment.order == 1, v_first)


def test_confident_pairs_become_exclusive_first() -> None:
    graph = GRAPHS["loose density"][0]
    rng = np.random.default_rng(1)
    rank, confidence = rng.normal(size=graph.num_intervals), rng.normal(size=graph.num_conflicts)
    assignment = assignment_from_node_ranks(graph, rank, confidence)
    for region in range(graph.num_regions):
        inside = graph.conflict_region == region
        exclusive = confidence[inside & ~assignment.following]
        together = confidence[inside & assignment.following]
        assert exclusive.min(initial=np.inf) > together.max(initial=-np.inf)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 8), density=st.floats(0, 1))
def test_fewest_chains_equal_the_largest_antichain(seed: int, size: int, density: float) -> None:
    before = np.triu(np.random.default_rng(seed).random((size, size)) < density, k=1)
    order = nx.transitive_closure_dag(nx.from_numpy_array(before, create_using=nx.DiGraph))
    assert fewest_chains(before) == max(map(len, nx.antichains(order)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 7), bound=st.integers(1, 4))
def test_the_least_prefix_is_the_first_that_keeps_the_bound(
    seed: int, size: int, bound: int
) -> None:
    first, second = np.triu_indices(size, k=1)
    turn = np.random.default_rng(seed).permutation(len(first))
    first, second = first[turn].astype(np.int32), second[turn].astype(np.int32)
    before = np.zeros((size, size), dtype=bool)
    expected = 0
    while fewest_chains(before) > bound:
        before[first[expected], second[expected]] = True
        expected += 1
    nothing = np.zeros((size, size), dtype=bool)
    assert least_prefix(nothing, first, second, bound) == expected


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 12))
def test_positions_are_the_lexicographic_topological_order(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.argwhere(np.triu(rng.random((size, size)) < 0.3, k=1))
    relabelled = rng.permutation(size)[edges]
    relabelled = relabelled[np.argsort(relabelled[:, 0], kind="stable")]
    rank = rng.integers(0, 4, size).astype(float)
    ptr = np.searchsorted(relabelled[:, 0], np.arange(size + 1)).astype(np.int32)
    found = positions_by_rank(rank, ptr, relabelled[:, 1].astype(np.int32))
    graph = nx.DiGraph(relabelled.tolist())
    graph.add_nodes_from(range(size))
    order = nx.lexicographical_topological_sort(graph, key=lambda item: (rank[item], item))
    np.testing.assert_array_equal(np.argsort(found), list(order))
