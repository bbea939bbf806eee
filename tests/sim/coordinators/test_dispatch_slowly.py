# SPDX-License-Identifier: Apache-2.0
"""The fast dispatcher serves exactly as the slow and obvious one does."""

import contextlib
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conflicts import Motion, build_graph
from sim.coordinators.dispatch import BY_ARRIVAL
from sim.errors import InputError
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions
from sim.kernels.dispatch import dispatch_events
from tests.sim.coordinators.slow_dispatch import dispatch_slowly
from tests.sim.tiny_instances import (
    CELLWISE,
    SEEDS,
    SIDE,
    bounded,
    graphs,
    random_walk,
    region,
    routes_of,
)


def assert_same(graph: CoordinationGraph, rank: np.ndarray, careful: bool) -> None:
    sequence, time_ms = dispatch_events(graph.arrays, rank, careful)
    slow_sequence, slow_time_ms = dispatch_slowly(graph, rank, careful)
    np.testing.assert_array_equal(sequence, slow_sequence)
    if not len(rank):
        np.testing.assert_array_equal(time_ms, slow_time_ms)


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data())
def test_by_arrival(kind: str, careful: bool, data: st.DataObject) -> None:
    assert_same(data.draw(graphs(kind, most_robots=6)), BY_ARRIVAL, careful)


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS, ties=st.booleans())
def test_by_rank(kind: str, careful: bool, data: st.DataObject, seed: int, ties: bool) -> None:
    graph = data.draw(graphs(kind, most_robots=6))
    rank = np.random.default_rng(seed).standard_normal(graph.num_events)
    assert_same(graph, np.round(rank) if ties else rank, careful)


@dataclass(frozen=True)
class Crowd:
    """So many robots, with routes of so many cells, that the banker refuses again and again."""

    num_robots: int
    most_cells: int
    side: int = SIDE
    parked_share: float = 0.0
    bounds: tuple[int, ...] = ()
    draws: int = 15

    def draw(self, rng: np.random.Generator) -> CoordinationGraph:
        while True:
            lengths = rng.integers(1, self.most_cells + 1, self.num_robots)
            durations = [[*rng.integers(3, 7, length), 0] for length in lengths]
            motion = Motion(
                duration_ms=np.concatenate(durations).astype(np.int32),
                release_ms=rng.integers(0, 7, self.num_robots).astype(np.int32),
                headway_ms=3,
                parked=rng.random(self.num_robots) < self.parked_share,
            )
            routes = routes_of([random_walk(length, rng, self.side) for length in lengths])
            cells = [rng.permutation(self.side**2)[:4] for _ in self.bounds]
            regions = [region(*c, bound=b) for c, b in zip(cells, self.bounds, strict=True)]
            with contextlib.suppress(InputError):  # they park in each other's way
                return build_graph(routes, motion, regions=tuple(regions))


CROWDS = {
    "bays": Crowd(9, 12),
    "density": Crowd(9, 12, bounds=(1, 2, 2)),
    "loose density": Crowd(9, 12, side=4, bounds=(2, 3, 3, 4)),
    "parked": Crowd(5, 16, side=6, parked_share=1.0, draws=25),  # deadlocks less often
    "some parked": Crowd(8, 16, side=5, parked_share=0.3),
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS.keys())
def test_in_a_crowd(crowd: Crowd) -> None:
    deadlocks = 0
    for seed in range(crowd.draws):
        rng = np.random.default_rng(seed)
        graph = crowd.draw(rng)
        for rank in (BY_ARRIVAL, rng.standard_normal(graph.num_events)):
            assert_same(graph, rank, careful=True)
            deadlocks += bool((dispatch_events(graph.arrays, rank, careful=False)[0] < 0).any())
    assert deadlocks >= crowd.draws  # half of them, were it not for the banker


@pytest.mark.parametrize("floor", FloorKind)
@pytest.mark.parametrize(
    "instance",
    [InstanceOptions(), InstanceOptions(density_bound=2, density_block_cells=4)],
    ids=["cells", "density"],
)
def test_on_floors(floor: FloorKind, instance: InstanceOptions) -> None:
    """Aisles, where whole groups wait for each other."""
    options = FamilyOptions((11, 11), (2, 2), FloorOptions(cells_per_robot=(6, 6)), instance)
    for seed in range(2):
        graph = draw_instance(floor, options, np.random.default_rng(seed)).graph
        assert_same(graph, BY_ARRIVAL, careful=True)


@pytest.mark.slow
@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS.keys())
def test_thousands_of_crowds(crowd: Crowd) -> None:
    for seed in range(1000):
        rng = np.random.default_rng([1, seed])
        size = int(rng.integers(2, crowd.num_robots + 3))
        graph = replace(crowd, num_robots=size).draw(rng)
        for rank in (BY_ARRIVAL, rng.standard_normal(graph.num_events)):
            assert_same(graph, rank, careful=True)
