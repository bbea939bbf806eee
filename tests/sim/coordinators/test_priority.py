# SPDX-License-Identifier: Apache-2.0
"""Fixed priority, and the total orders of robots that it and others rest on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.interface import Budget, Status
from sim.coordinators.priority import fixed_priority, strict_order
from sim.coordinators.robot_order import robot_order
from sim.graph import NO_REGION, CoordinationGraph
from sim.schedule import Objective, evaluate
from tests.sim.tiny_instances import KINDS, bounded, graph_of, graphs

ANY_NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_it_is_always_certified(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind, most_robots=6))
    outcome = fixed_priority(
        graph, Budget(steps=1), Objective.MEAN_TRAVEL, np.random.default_rng(0)
    )
    assert certify(graph, outcome.assignment).violation is None
    assert (outcome.status, outcome.bound_s, outcome.steps) == (Status.FEASIBLE, None, 1)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_any_order_of_robots_is_certified(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    rank = data.draw(st.lists(ANY_NUMBERS, min_size=graph.num_robots, max_size=graph.num_robots))
    robots = robot_order(graph, np.array(rank))
    assert sorted(robots.tolist()) == list(range(graph.num_robots))
    assert certify(graph, strict_order(graph, robots)).violation is None


@pytest.mark.parametrize("kind", ["overlaps", "merged", "density"])
@bounded
@given(data=st.data())
def test_one_robot_goes_before_another_everywhere(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    robots = data.draw(st.permutations(range(graph.num_robots)))
    assignment = strict_order(graph, np.array(robots, dtype=np.int32))
    owner = graph.event_robot[graph.interval_enter]
    for conflict in range(graph.num_conflicts):
        pair = owner[graph.conflict_u[conflict]], owner[graph.conflict_v[conflict]]
        first = pair[assignment.order[conflict]]
        assert robots.index(first) == min(robots.index(robot) for robot in pair)
    inside = graph.conflict_region != NO_REGION
    assert (assignment.following == (graph.following_allowed & ~inside)).all()


def test_merged_intervals_that_start_robots_go_first_even_against_the_list() -> None:
    """The first two each start inside an interval that the other crosses later."""
    graph = graph_of(
        *([0, 1, 2, 11, 3], [10, 11, 12, 1, 13], [20, 0, 21], [22, 10, 23]),
        parked=True,
        granularity=Granularity.MERGED,
    )
    assignment = strict_order(graph, robot_order(graph, np.arange(4)))
    assert certify(graph, assignment).violation is None


def test_the_shortest_route_goes_first() -> None:
    graph = graph_of([0, 1, 2, 3], [9, 1, 8], [7, 6, 1])
    outcome = fixed_priority(
        graph, Budget(steps=1), Objective.MEAN_TRAVEL, np.random.default_rng(0)
    )
    assert evaluate(graph, outcome.assignment).time_ms[[1, 6, 11]].tolist() == [
        2100 + 1000 + 100,
        1000,
        2100,
    ]


def test_ranks_ascend_and_ties_go_to_the_lower_number() -> None:
    graph = graph_of([0], [1], [2], [3])
    assert robot_order(graph, np.array([2.0, 1.0, 1.0, -3.0])).tolist() == [3, 1, 2, 0]
    assert robot_order(graph, np.array([np.inf, np.nan, -np.inf, 0])).tolist() == [2, 3, 0, 1]


def test_on_the_floor_who_stands_in_the_way_drives_first_and_last_who_parks_there() -> None:
    graph = graph_of([0, 1], [5, 0, 6], [7, 1, 8], parked=True)
    for rank in ([9, 0, 0], [0, 9, 9], [0, 9, 0], [9, 0, 9]):
        robots = robot_order(graph, np.array(rank)).tolist()
        assert robots.index(0) < robots.index(1)
        assert robots.index(2) < robots.index(0)


@bounded
@given(graphs("parked", most_robots=6))
def test_on_the_floor_ranks_that_respect_it_are_kept(graph: CoordinationGraph) -> None:
    possible = robot_order(graph, graph.free_ms)
    rank = np.empty(graph.num_robots)
    rank[possible] = np.arange(graph.num_robots)
    assert robot_order(graph, rank).tolist() == possible.tolist()
