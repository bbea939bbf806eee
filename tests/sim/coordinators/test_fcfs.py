# SPDX-License-Identifier: Apache-2.0
"""First come first served: by arrival where that is safe, and never into a deadlock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.coordinators.fcfs import first_come_first_served, plain_first_come_first_served
from sim.coordinators.interface import Budget, Outcome, Status
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Objective, evaluate
from tests.sim.tiny_instances import KINDS, bounded, graph_of, graphs

AISLE = [0, 1, 2, 3, 4]


def serve(graph: CoordinationGraph) -> Outcome:
    return first_come_first_served(
        graph, Budget(steps=1), Objective.MEAN_TRAVEL, np.random.default_rng(0)
    )


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_it_is_always_certified(kind: str, data: st.DataObject) -> None:
    outcome_graph = data.draw(graphs(kind, most_robots=6))
    outcome = serve(outcome_graph)
    assert certify(outcome_graph, outcome.assignment).violation is None
    assert (outcome.status, outcome.bound_s) == (Status.FEASIBLE, None)


@bounded
@given(st.lists(st.integers(0, 20_000), min_size=2, max_size=6, unique=True))
def test_a_crossing_is_served_by_arrival(release_ms: list[int]) -> None:
    """Robots from all sides meet on one cell; each comes there a second after its release."""
    graph = graph_of(
        *([10 * i, 1, 10 * i + 5] for i in range(1, len(release_ms) + 1)), release_ms=release_ms
    )
    assignment = serve(graph).assignment
    robot = graph.event_robot[graph.interval_enter]
    u_came_first = [
        release_ms[robot[u]] < release_ms[robot[v]]
        for u, v in zip(graph.conflict_u, graph.conflict_v, strict=True)
    ]
    assert (assignment.order == 0).tolist() == u_came_first


def test_who_waits_longest_is_next() -> None:
    """The third comes to the crossing while the second already waits for it."""
    graph = graph_of(
        [10, 1, 11], [20, 1, 21], [30, 1, 31],
        duration_ms=[[1000, 5000, 1000], [2000, 1000, 1000], [3000, 1000, 1000]],
    )  # fmt: skip
    times = evaluate(graph, serve(graph).assignment).time_ms
    assert times[[1, 5, 9]].tolist() == [1000, 6100, 7200]


def test_head_on_in_an_aisle_plain_service_deadlocks_and_the_careful_one_does_not() -> None:
    graph = graph_of(AISLE, AISLE[::-1])
    plain = plain_first_come_first_served(graph)
    assert plain.deadlocked
    assert plain.robots_stuck == 2
    assert plain.at_s == 2.0  # one stands on the middle cell, the other before it
    finish_ms = evaluate(graph, serve(graph).assignment).finish_ms
    assert sorted(finish_ms.tolist()) == [5000, 10_100]


def test_four_around_a_block_plain_service_deadlocks_and_the_careful_one_does_not() -> None:
    ring = [0, 1, 2, 3]
    graph = graph_of(*([ring[i - 1], ring[i], ring[(i + 1) % 4]] for i in range(4)))
    assert plain_first_come_first_served(graph).robots_stuck == 4
    assert certify(graph, serve(graph).assignment).valid


def test_who_is_not_in_the_deadlock_drives_on() -> None:
    graph = graph_of(AISLE, AISLE[::-1], [20, 21, 22, 23, 24, 25])
    plain = plain_first_come_first_served(graph)
    assert (plain.deadlocked, plain.robots_stuck, plain.at_s) == (True, 2, 6.0)


def test_without_two_way_aisles_plain_service_arrives() -> None:
    graph = graph_of([0, 1, 2], [5, 1, 6], [7, 8])
    plain = plain_first_come_first_served(graph)
    assert (plain.deadlocked, plain.robots_stuck) == (False, 0)
    assert plain.at_s == evaluate(graph, serve(graph).assignment).cost_s(Objective.MAKESPAN)


def test_needlessly_nobody_is_held_back() -> None:
    """Two in one direction follow each other at once, the second by a cell and a headway."""
    graph = graph_of(AISLE, [9, *AISLE[1:]], release_ms=[0, 500])
    times = evaluate(graph, serve(graph).assignment).time_ms
    assert times[6:].tolist() == [500, 2100, 3100, 4100, 5100, 6100]


@bounded
@given(graphs("merged"))
def test_merged_it_goes_by_the_arrival_of_robots_that_are_never_held_up(
    graph: CoordinationGraph,
) -> None:
    if graph.num_conflicts == 1:
        order = serve(graph).assignment.order[0]
        enter_ms = graph.nominal_ms[graph.interval_enter]
        came = (enter_ms[graph.conflict_u[0]], enter_ms[graph.conflict_v[0]])
        assert came[order] <= came[1 - order]


def test_it_needs_no_luck() -> None:
    graph = graph_of(AISLE, AISLE[::-1], [9, 2, 8])
    orders = [
        first_come_first_served(
            graph, Budget(1e-9), Objective.MAKESPAN, np.random.default_rng(seed)
        ).assignment.order.tolist()
        for seed in range(3)
    ]
    assert orders[0] == orders[1] == orders[2]


def test_budgets_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"deadline_s is 0.0; it must be greater than 0"):
        Budget(deadline_s=0.0)
    with pytest.raises(InputError, match="deadline_s is nan"):
        Budget(deadline_s=float("nan"))
    with pytest.raises(InputError, match="steps is 0; it must be at least 1"):
        Budget(steps=0)
