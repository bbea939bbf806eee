# SPDX-License-Identifier: Apache-2.0
"""Instances by hand and at random, small enough for slow and obvious checks."""

from collections.abc import Sequence

import networkx as nx
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from sim.conflicts import DensityRegion, Granularity, Motion, build_graph
from sim.coordinators.priority import strict_order
from sim.coordinators.robot_order import robot_order
from sim.errors import InputError
from sim.graph import CoordinationGraph, Int32s
from sim.routes import Routes
from sim.schedule import Assignment

bounded = settings(max_examples=50)

KINDS = ["overlaps", "merged", "parked", "parked merged", "density", "merged density"]
CELLWISE = ["overlaps", "parked", "density"]
"""The kinds whose gaps can be found cell by cell."""

SIDE, PARKING_SIDE = 3, 5
"""Random robots live on a floor of 3 x 3 cells, where everybody meets everybody; those that park
need 5 x 5 to be well-posed."""


def routes_of(routes: Sequence[Sequence[int]]) -> Routes:
    offsets = np.cumsum([0, *map(len, routes)], dtype=np.int64)
    return Routes(np.concatenate(routes).astype(np.int32), offsets)


def graph_of(
    *routes: Sequence[int],
    duration_ms: int | Sequence[Sequence[int]] = 1000,
    release_ms: Sequence[int] | None = None,
    headway_ms: int = 100,
    parked: bool = False,
    granularity: Granularity = Granularity.OVERLAPS,
    regions: tuple[DensityRegion, ...] = (),
) -> CoordinationGraph:
    """The graph of routes written down cell by cell; durations for all cells or for each."""
    durations = [
        [duration_ms] * len(route) if isinstance(duration_ms, int) else duration_ms[robot]
        for robot, route in enumerate(routes)
    ]
    motion = Motion(
        duration_ms=np.array([ms for cells in durations for ms in (*cells, 0)], dtype=np.int32),
        release_ms=np.array(release_ms or [0] * len(routes), dtype=np.int32),
        headway_ms=headway_ms,
        parked=np.full(len(routes), parked),
    )
    return build_graph(routes_of(routes), motion, granularity, regions)


def region(*cells: int, bound: int) -> DensityRegion:
    return DensityRegion(np.array(cells, dtype=np.int32), bound)


def decided(graph: CoordinationGraph, *order: int, following: bool = True) -> Assignment:
    """Orders by hand; following wherever it is legal, or nowhere."""
    return Assignment(np.array(order, dtype=np.int8), graph.following_allowed & following)


SEEDS = st.integers(0, 2**32 - 1)


def random_walk(num_cells: int, rng: np.random.Generator, side: int = SIDE) -> list[int]:
    """A walk over a small floor that may come back, and turn on the spot."""
    place = rng.integers(0, side, 2)
    cells = [int(place[0] * side + place[1])]
    for axis, step in zip(
        rng.integers(0, 2, num_cells - 1), rng.choice([-1, 1], num_cells - 1), strict=True
    ):
        place[axis] += step if 0 <= place[axis] + step < side else -step
        cells.append(int(place[0] * side + place[1]))
    return cells


@st.composite
def walks(draw: st.DrawFn, most_robots: int = 5, most_cells: int = 10) -> list[list[int]]:
    """Some random walks; fewer and shorter ones are tried first when a test fails."""
    lengths = draw(st.lists(st.integers(1, most_cells), min_size=1, max_size=most_robots))
    rng = np.random.default_rng(draw(SEEDS))
    return [random_walk(length, rng) for length in lengths]


@st.composite
def graphs(
    draw: st.DrawFn, kind: str, most_robots: int = 4, most_cells: int = 7
) -> CoordinationGraph:
    """A graph of random walks; times are a few milliseconds, so that ties happen."""
    more = 2 if "parked" in kind else 0  # they meet less often
    num_robots = draw(st.integers(2, most_robots + more))
    num_cells = draw(st.integers(2, most_cells + more))
    return random_graph(kind, num_robots, num_cells, np.random.default_rng(draw(SEEDS)))


def random_graph(
    kind: str, num_robots: int, most_cells: int, rng: np.random.Generator
) -> CoordinationGraph:
    """Shorter walks when parked robots stand in each other's way again and again."""
    headway_ms = int(rng.integers(1, 4))
    side = PARKING_SIDE if "parked" in kind else SIDE
    for attempt in range(100):
        lengths = rng.integers(1, max(1, most_cells - attempt // 5) + 1, num_robots)
        routes = [random_walk(length, rng, side) for length in lengths]
        try:
            return graph_of(
                *routes,
                duration_ms=[rng.integers(headway_ms, 7, length).tolist() for length in lengths],
                release_ms=rng.integers(0, 7, num_robots).tolist(),
                headway_ms=headway_ms,
                parked="parked" in kind,
                granularity=Granularity.MERGED if "merged" in kind else Granularity.OVERLAPS,
                regions=_some_region(rng) if "density" in kind else (),
            )
        except InputError:
            continue
    raise AssertionError("no well-posed instance in 100 draws")


def _some_region(rng: np.random.Generator) -> tuple[DensityRegion, ...]:
    return (region(1, 2, 4, 5, bound=int(rng.integers(1, 3))),)


@st.composite
def assignments(draw: st.DrawFn, graph: CoordinationGraph, most_flips: int = 3) -> Assignment:
    """Robots in some order, except at a few conflicts; types as they like, if legal.

    Entirely random orders would nearly always have a circle, these sometimes do.
    """
    num_flips = draw(st.integers(0, most_flips))
    return random_assignment(graph, num_flips, np.random.default_rng(draw(SEEDS)))


def random_assignment(
    graph: CoordinationGraph, num_flips: int, rng: np.random.Generator
) -> Assignment:
    order = strict_order(graph, robot_order(graph, rng.random(graph.num_robots))).order
    flips = rng.permutation(graph.num_conflicts)[:num_flips]
    order[flips] = 1 - order[flips]
    following = rng.random(graph.num_conflicts) < rng.random()
    return Assignment(order, graph.following_allowed & following)


def cells_kept_apart(graph: CoordinationGraph, time_ms: Int32s) -> bool:
    """Whether no two robots are on one cell at once, headway included; by comparing all visits."""
    stays = [
        (
            int(graph.cell[e]),
            int(graph.event_robot[e]),
            -np.inf if _starts_on_floor(graph, e) else int(time_ms[e]),
            np.inf if _parks_on_floor(graph, e) else int(time_ms[e + 1]),
        )
        for e in np.flatnonzero(graph.cell >= 0).tolist()
    ]
    return not any(
        a != b
        and i != j
        and k == m
        and l_a + graph.headway_ms > e_b
        and l_b + graph.headway_ms > e_a
        for a, (k, i, e_a, l_a) in enumerate(stays)
        for b, (m, j, e_b, l_b) in enumerate(stays)
    )


def _starts_on_floor(graph: CoordinationGraph, event: int) -> bool:
    robot = graph.event_robot[event]
    return bool(graph.parked[robot] and event == graph.offsets[robot])


def _parks_on_floor(graph: CoordinationGraph, event: int) -> bool:
    robot = graph.event_robot[event]
    return bool(graph.parked[robot] and event == graph.offsets[robot + 1] - 2)


def robots_drive(graph: CoordinationGraph, time_ms: Int32s) -> bool:
    """Whether no robot starts before its release or drives faster than it can."""
    driving = np.flatnonzero(graph.cell >= 0)
    fast = time_ms[driving + 1] - time_ms[driving] < graph.duration_ms[driving]
    return not fast.any() and bool((time_ms[graph.offsets[:-1]] >= graph.release_ms).all())


def crowds(graph: CoordinationGraph, time_ms: Int32s) -> list[int]:
    """The most robots that are inside each region at once."""
    most = []
    for q in range(graph.num_regions):
        stays = [(int(time_ms[enter]), int(time_ms[leave])) for enter, leave in visits_of(graph, q)]
        most.append(max((sum(a <= now < b for a, b in stays) for now, _ in stays), default=0))
    return most


def density_kept(graph: CoordinationGraph, time_ms: Int32s) -> bool:
    return bool((np.array(crowds(graph, time_ms)) <= graph.region_bound).all())


def waits(graph: CoordinationGraph, assignment: Assignment) -> "nx.DiGraph[int]":
    """Which event waits for which, cell by cell as the order of every overlap says."""
    events: nx.DiGraph[int] = nx.DiGraph()
    for e in np.flatnonzero(graph.cell >= 0).tolist():
        events.add_edge(e, e + 1)
    for r in range(len(graph.overlap_u)):
        for step in range(graph.overlap_length[r]):
            on_u = int(graph.overlap_u[r]) + step
            on_v = int(graph.overlap_v[r]) + (-step if graph.overlap_direction[r] < 0 else step)
            v_first = assignment.order[graph.overlap_conflict[r]] == 1
            first, second = (on_v, on_u) if v_first else (on_u, on_v)
            events.add_edge(first + 1, second)
    for c in np.flatnonzero(~assignment.following):
        u, v = graph.conflict_u[c], graph.conflict_v[c]
        first, second = (v, u) if assignment.order[c] == 1 else (u, v)
        events.add_edge(int(graph.interval_exit[first]), int(graph.interval_enter[second]))
    return events


def visits_of(graph: CoordinationGraph, q: int) -> list[tuple[int, int]]:
    """The events with which robots enter and leave region ``q``."""
    visits = graph.region_visits[graph.region_ptr[q] : graph.region_ptr[q + 1]]
    return [(int(graph.interval_enter[i]), int(graph.interval_exit[i])) for i in visits]
