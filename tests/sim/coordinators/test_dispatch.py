# SPDX-License-Identifier: Apache-2.0
"""Serving by rank: whatever the numbers, everybody arrives and the certificate holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.dispatch import BY_ARRIVAL, dispatch
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.kernels.dispatch import dispatch_events
from sim.schedule import evaluate
from tests.sim.tiny_instances import (
    CELLWISE,
    SEEDS,
    bounded,
    cells_kept_apart,
    density_kept,
    graph_of,
    graphs,
    random_graph,
    robots_drive,
)

SPECIAL = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e308, -1e308, 5e-324]


def special_ranks(
    graph: CoordinationGraph, seed: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.random.default_rng(seed).choice(SPECIAL, graph.num_events)


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_random_ranks_are_certified(kind: str, data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(kind, most_robots=5))
    rank = np.random.default_rng(seed).standard_normal(graph.num_events)
    assert certify(graph, dispatch(graph, rank)).violation is None


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_nan_infinite_and_extreme_ranks_are_certified(
    kind: str, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs(kind))
    assert certify(graph, dispatch(graph, special_ranks(graph, seed))).violation is None


@pytest.mark.parametrize("value", SPECIAL)
@pytest.mark.parametrize("kind", CELLWISE)
def test_constant_ranks_are_certified(kind: str, value: float) -> None:
    for seed in range(20):
        graph = random_graph(kind, 5, 8, np.random.default_rng(seed))
        assert certify(graph, dispatch(graph, np.full(graph.num_events, value))).valid


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data())
def test_by_arrival_robots_drive_a_real_schedule(kind: str, data: st.DataObject) -> None:
    """The times at which robots are served are possible; on cells, their orders bring no delay."""
    graph = data.draw(graphs(kind, most_robots=5))
    sequence, time_ms = dispatch_events(graph.arrays, BY_ARRIVAL, careful=True)
    assert (sequence >= 0).all()
    assert robots_drive(graph, time_ms)
    assert cells_kept_apart(graph, time_ms)
    assert density_kept(graph, time_ms)
    assignment = dispatch(graph, BY_ARRIVAL)
    assert certify(graph, assignment).violation is None
    if not graph.num_regions:  # which robots may enter without a headway, if by other cells
        assert (evaluate(graph, assignment).time_ms <= time_ms).all()


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_every_event_happens_once_and_in_its_turn(
    kind: str, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs(kind))
    rank = np.random.default_rng(seed).standard_normal(graph.num_events)
    sequence, _ = dispatch_events(graph.arrays, rank, careful=True)
    for robot in range(graph.num_robots):
        turns = sequence[graph.offsets[robot] : graph.offsets[robot + 1]]
        assert (np.diff(turns) > 0).all()
        assert turns[0] >= 0


@bounded
@given(graphs("overlaps"), SEEDS)
def test_the_same_ranks_give_the_same_orders(graph: CoordinationGraph, seed: int) -> None:
    once, twice = (dispatch(graph, special_ranks(graph, seed)) for _ in range(2))
    np.testing.assert_array_equal(once.order, twice.order)


@pytest.mark.parametrize(
    "routes", [[[0, 1, 2], [3, 1, 4]], [[0, 1, 2, 3], [3, 2, 1, 0]], [[0, 1, 2], [5, 1, 2]]]
)
@pytest.mark.parametrize("first", [0, 1])
def test_the_lower_rank_is_served_first(routes: list[list[int]], first: int) -> None:
    graph = graph_of(*routes)
    rank = np.where(graph.event_robot == first, -1.0, 1.0)
    assert dispatch(graph, rank).order.tolist() == [first]


def test_a_robot_that_would_block_for_ever_is_held_back() -> None:
    """The second may enter the aisle only when the first has left it, however low its rank."""
    graph = graph_of([0, 1, 2, 3], [9, 3, 2, 1, 0, 8])
    rank = np.array([0, 0, 9, 9, 9, -9, -9, -9, -9, -9, -9], dtype=np.float64)
    rank[:2] = -10  # it is in the aisle already
    assert dispatch(graph, rank).order.tolist() == [0]


def test_merged_intervals_are_refused() -> None:
    graph = graph_of([0, 1], [1, 2], granularity=Granularity.MERGED)
    with pytest.raises(InputError, match="dispatch needs granularity overlaps"):
        dispatch(graph, BY_ARRIVAL)


def test_a_parked_robot_waits_with_its_last_step_until_all_have_passed_there() -> None:
    graph = graph_of([0, 1], [5, 6, 7, 1, 8], parked=True)
    eager = np.where(graph.event_robot == 0, -1.0, 1.0)
    assignment = dispatch(graph, eager)
    assert assignment.order.tolist() == [1]
    assert certify(graph, assignment).valid


@pytest.mark.slow
@pytest.mark.parametrize("kind", CELLWISE)
def test_thousands_of_random_decodes_are_all_certified(kind: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        graph = random_graph(kind, int(rng.integers(2, 9)), int(rng.integers(2, 13)), rng)
        for _ in range(10):
            scale = 10.0 ** rng.integers(-3, 4)
            noisy = graph.nominal_ms + scale * rng.standard_normal(graph.num_events)
            for rank in (noisy, special_ranks(graph, int(rng.integers(2**32)))):
                assert certify(graph, dispatch(graph, rank)).violation is None
