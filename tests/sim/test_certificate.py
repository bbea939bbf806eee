# SPDX-License-Identifier: Apache-2.0
"""The certificate against slow and obvious oracles: what it passes is safe, what it names is so."""

import itertools
from collections.abc import Iterable

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import Certificate, certify
from sim.coordinators.priority import strict_order
from sim.coordinators.robot_order import robot_order
from sim.execution import event_times_ms
from sim.graph import CoordinationGraph
from sim.kernels.execution import NEVER
from sim.schedule import Assignment, evaluate
from tests.sim.tiny_instances import (
    KINDS,
    assignments,
    bounded,
    crowds,
    decided,
    graph_of,
    graphs,
    region,
    visits_of,
    waits,
)

DENSE = [kind for kind in KINDS if "density" in kind]


def most_at_once(visits: Iterable[tuple[int, int]], before: "nx.DiGraph[int]") -> int:
    """The largest set of visits of which none has to be over before another begins."""
    reach = {leave: {leave} | nx.descendants(before, leave) for _, leave in visits}
    free: nx.Graph[tuple[int, int]] = nx.Graph()
    free.add_nodes_from(visits)
    free.add_edges_from(
        (a, b)
        for a, b in itertools.combinations(visits, 2)
        if a[0] not in reach[b[1]] and b[0] not in reach[a[1]]
    )
    return max((len(clique) for clique in nx.find_cliques(free)), default=0)


def by_types_alone(graph: CoordinationGraph, assignment: Assignment, q: int) -> "nx.DiGraph[int]":
    """Which visits must be over before which begin, by the region's exclusive pairs and routes."""
    before: nx.DiGraph[int] = nx.DiGraph()
    for enter, leave in visits_of(graph, q):
        before.add_edge(enter, leave)
        before.add_edges_from(
            (leave, later)
            for later, _ in visits_of(graph, q)
            if later > leave and graph.event_robot[later] == graph.event_robot[leave]
        )
    for c in np.flatnonzero((graph.conflict_region == q) & ~assignment.following):
        u, v = graph.conflict_u[c], graph.conflict_v[c]
        first, second = (v, u) if assignment.order[c] else (u, v)
        before.add_edge(int(graph.interval_exit[first]), int(graph.interval_enter[second]))
    return before


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_it_finds_every_circle_and_no_other(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    certificate = certify(graph, assignment)
    assert certificate.complete
    assert certificate.acyclic == nx.is_directed_acyclic_graph(waits(graph, assignment))
    parts = (certificate.forced_kept, certificate.acyclic, certificate.density_kept)
    assert certificate.valid == all(parts) == (certificate.violation is None)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_robots_named_in_a_circle_do_wait_for_each_other(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    violation = certify(graph, assignment).violation or ""
    if "circle" in violation:
        events = nx.strongly_connected_components(waits(graph, assignment))
        robots = {int(graph.event_robot[e]) for circle in events for e in circle if len(circle) > 1}
        listed = violation.removeprefix("robots ").split(" wait")[0]
        assert {int(robot) for robot in listed.split(", ")} == robots


@pytest.mark.parametrize("kind", ["parked", "parked merged"])
@bounded
@given(data=st.data())
def test_it_finds_every_broken_forced_order_and_no_other(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    broken = [
        c
        for c in range(graph.num_conflicts)
        if graph.forced[c] in (0, 1) and graph.forced[c] != assignment.order[c]
    ]
    certificate = certify(graph, assignment)
    assert certificate.forced_kept == (not broken)
    if broken:
        assert certificate.violation is not None
        assert certificate.violation.startswith(f"conflict {broken[0]} of robots")


@pytest.mark.parametrize("kind", DENSE)
@bounded
@given(data=st.data())
def test_density_is_what_the_types_leave_free_to_coincide(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    certificate = certify(graph, assignment)
    if certificate.acyclic:
        most = most_at_once(visits_of(graph, 0), by_types_alone(graph, assignment, 0))
        assert certificate.density_kept == (most <= graph.region_bound[0])


@pytest.mark.parametrize("kind", DENSE)
@bounded
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_where_density_is_certified_no_delay_breaks_it(
    kind: str, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    if not certify(graph, assignment).valid:
        return
    assert most_at_once(visits_of(graph, 0), waits(graph, assignment)) <= graph.region_bound[0]
    rng = np.random.default_rng(seed)
    stops = rng.integers(0, 100, (graph.num_events, 8)) * (rng.random((graph.num_events, 8)) < 0.3)
    times = event_times_ms(graph, assignment, (graph.duration_ms[:, None] + stops).astype(np.int32))
    for sample in times.T:
        assert crowds(graph, sample)[0] <= graph.region_bound[0]


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_without_a_circle_everybody_finishes_under_any_delay(
    kind: str, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    stops = np.random.default_rng(seed).geometric(0.1, (graph.num_events, 8))
    times = event_times_ms(graph, assignment, (graph.duration_ms[:, None] + stops).astype(np.int32))
    everybody_finishes = (times != NEVER).all(axis=0)
    assert (everybody_finishes == certify(graph, assignment).acyclic).all()


PAIR = graph_of([0, 1, 2, 3], [5, 1, 2, 6])
HEAD_ON = graph_of([0, 1, 2, 3], [5, 2, 1, 6])
TWICE = graph_of([0, 1, 2, 3, 4], [4, 3, 9, 1, 0], [20, 21])
APART = graph_of([0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10], regions=(region(1, 2, 5, 6, 9, bound=2),))


def broken(graph: CoordinationGraph, assignment: Assignment) -> str:
    certificate = certify(graph, assignment)
    assert not certificate.valid
    assert certificate.violation is not None
    return certificate.violation


def test_wrong_shapes_are_named() -> None:
    one, two = decided(PAIR, 0), decided(TWICE, 0, 0)
    assert broken(PAIR, two) == "1 conflicts but (2,) orders, (2,) types"
    assert broken(PAIR, Assignment(one.order, two.following)) == (
        "1 conflicts but (1,) orders, (2,) types"
    )
    assert "(1, 1) orders" in broken(PAIR, Assignment(one.order[None], one.following[None]))


@pytest.mark.parametrize("order", [-1, 2])
def test_an_undecided_conflict_is_named(order: int) -> None:
    assert broken(TWICE, decided(TWICE, 0, order)) == (
        f"conflict 1 has order {order}; 0 or 1 is allowed"
    )


def test_an_illegal_type_is_named() -> None:
    following = Assignment(np.zeros(1, dtype=np.int8), np.ones(1, dtype=bool))
    assert certify(PAIR, following).valid
    assert broken(HEAD_ON, following) == (
        "conflict 0 is typed following, which its directions do not allow"
    )


def test_nothing_is_claimed_of_an_incomplete_assignment() -> None:
    assert certify(PAIR, decided(PAIR, -1)) == Certificate(
        False, False, False, False, "conflict 0 has order -1; 0 or 1 is allowed"
    )


def test_a_broken_forced_order_names_who_must_be_first() -> None:
    graph = graph_of([9, 8], [3, 0, 4], [0, 7], parked=True)
    assert certify(graph, decided(graph, 1)).valid
    assert broken(graph, decided(graph, 0)) == "conflict 0 of robots 1 and 2: robot 2 must be first"


def test_a_circle_names_its_robots_only() -> None:
    assert certify(TWICE, decided(TWICE, 0, 0)).valid
    assert broken(TWICE, decided(TWICE, 1, 0)).startswith("robots 0, 1 wait for each other")


def test_an_overfull_region_says_how_full() -> None:
    assert broken(APART, decided(APART, 0, 0, 0)) == (
        "density region 0: the types let 3 robots in at once; 2 are allowed"
    )
    for exclusive in np.eye(3, dtype=bool):
        assignment = Assignment(np.zeros(3, dtype=np.int8), ~exclusive)
        assert certify(APART, assignment).valid
        assert max(crowds(APART, evaluate(APART, assignment).time_ms)) <= 2


def test_what_excludes_a_third_through_a_second_counts() -> None:
    """Robots 0 and 1 leave before 2 enters, 2 leaves before 3 and 4 enter: never three inside."""
    graph = graph_of(
        *([2 * i, 2 * i + 1] for i in range(5)), regions=(region(*range(10), bound=2),)
    )
    pairs = list(itertools.combinations(range(5), 2))
    order = np.zeros(len(pairs), dtype=np.int8)
    assert certify(graph, Assignment(order, np.array([2 not in pair for pair in pairs]))).valid


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_one_thing_broken_is_found(kind: str, data: st.DataObject) -> None:
    """A valid assignment in which one value becomes impossible."""
    graph = data.draw(graphs(kind))
    robots = data.draw(st.permutations(range(graph.num_robots)))
    valid = strict_order(graph, robot_order(graph, np.array(robots)))
    if not graph.num_conflicts or not certify(graph, valid).valid:
        return
    conflict = data.draw(st.integers(0, graph.num_conflicts - 1))
    undecided = Assignment(valid.order.copy(), valid.following)
    undecided.order[conflict] = data.draw(st.sampled_from([-1, 2]))
    assert f"conflict {conflict} " in broken(graph, undecided)
    if not graph.following_allowed[conflict]:
        illegal = Assignment(valid.order, valid.following.copy())
        illegal.following[conflict] = True
        assert f"conflict {conflict} " in broken(graph, illegal)
    if graph.forced[conflict] >= 0:
        swapped = Assignment(valid.order.copy(), valid.following)
        swapped.order[conflict] = 1 - swapped.order[conflict]
        assert f"conflict {conflict} " in broken(graph, swapped)


@bounded
@given(graphs("density"))
def test_a_region_whose_types_are_forgotten_is_found(graph: CoordinationGraph) -> None:
    every_pair = strict_order(graph, np.arange(graph.num_robots, dtype=np.int32))
    assert certify(graph, every_pair).density_kept
    forgotten = Assignment(every_pair.order, graph.following_allowed)
    visitors = {int(graph.event_robot[enter]) for enter, _ in visits_of(graph, 0)}
    assert certify(graph, forgotten).density_kept == (len(visitors) <= graph.region_bound[0])


def test_an_assignment_without_conflicts_is_valid() -> None:
    alone = graph_of([0, 1], [2, 3])
    assert certify(alone, decided(alone)).valid
