# SPDX-License-Identifier: Apache-2.0
"""Gap insertion: any order of robots works, and nobody could have been inserted earlier."""

import contextlib
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.insertion import (
    insert_in_order,
    insertion_times_ms,
    rank_insertion,
)
from sim.coordinators.interface import Budget, Status
from sim.coordinators.priority import strict_order
from sim.coordinators.robot_order import robot_order
from sim.errors import InputError
from sim.graph import CoordinationGraph, Int32s
from sim.kernels.insertion import insert_robot, make_scratch
from sim.schedule import Objective, evaluate
from tests.sim.tiny_instances import (
    CELLWISE,
    SEEDS,
    bounded,
    cells_kept_apart,
    density_kept,
    graph_of,
    graphs,
    region,
    robots_drive,
    visits_of,
)

ANY_NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def ranks(graph: CoordinationGraph) -> st.SearchStrategy[list[float]]:
    return st.lists(ANY_NUMBERS, min_size=graph.num_robots, max_size=graph.num_robots)


def inserted(graph: CoordinationGraph, robots: Sequence[int]) -> list[tuple[int, Int32s]]:
    """Each robot with the times of all events when it was in."""
    placed = np.zeros(graph.num_robots, dtype=np.bool_)
    time_ms = np.zeros(graph.num_events, dtype=np.int32)
    arrays, steps = graph.arrays, []
    scratch = make_scratch(arrays)
    num_visits = np.diff(arrays.visit_ptr).astype(np.int32)
    for robot in robots:
        assert insert_robot(arrays, robot, arrays.visits, num_visits, placed, time_ms, scratch)
        placed[robot] = True
        steps.append((robot, time_ms.copy()))
    return steps


def events_of_robot(graph: CoordinationGraph, robot: int) -> range:
    return range(int(graph.offsets[robot]), int(graph.offsets[robot + 1]))


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data())
def test_any_ranks_give_a_certified_schedule(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    robots = robot_order(graph, np.array(data.draw(ranks(graph))))
    time_ms = insertion_times_ms(graph, robots)
    assert robots_drive(graph, time_ms)
    assert cells_kept_apart(graph, time_ms)
    assert density_kept(graph, time_ms)
    assignment = insert_in_order(graph, robots)
    assert certify(graph, assignment).violation is None
    assert (evaluate(graph, assignment).time_ms <= time_ms).all()


@pytest.mark.parametrize("kind", ["overlaps", "density"])
@bounded
@given(data=st.data())
def test_with_bays_every_permutation_works(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    robots = data.draw(st.permutations(range(graph.num_robots)))
    assignment = insert_in_order(graph, np.array(robots, dtype=np.int32))
    assert certify(graph, assignment).violation is None


@bounded
@given(graphs("parked"), SEEDS)
def test_on_the_floor_an_order_works_or_is_refused(graph: CoordinationGraph, seed: int) -> None:
    robots = np.random.default_rng(seed).permutation(graph.num_robots).astype(np.int32)
    with contextlib.suppress(InputError):
        assert certify(graph, insert_in_order(graph, robots)).violation is None


def test_an_order_that_drives_through_a_parked_robot_is_refused() -> None:
    graph = graph_of([0, 1], [5, 0, 6], parked=True)
    with pytest.raises(InputError, match="a parked robot stands in the way"):
        insert_in_order(graph, np.array([1, 0], dtype=np.int32))
    assert insert_in_order(graph, np.array([0, 1], dtype=np.int32)).order.tolist() == [0]


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_whoever_is_in_stays_where_it_is(kind: str, data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(kind))
    ranking = np.random.default_rng(seed).random(graph.num_robots)
    robots = robot_order(graph, ranking).tolist()
    steps = inserted(graph, robots)
    for (_, before), (robot, after) in itertools.pairwise(steps):
        others = graph.event_robot != robot
        np.testing.assert_array_equal(before[others], after[others])


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_nobody_could_have_been_inserted_to_finish_earlier(
    kind: str, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs(kind))
    robots = robot_order(graph, np.random.default_rng(seed).random(graph.num_robots)).tolist()
    for place, (robot, time_ms) in enumerate(inserted(graph, robots)):
        earliest = earliest_finish_ms(graph, robot, robots[:place], time_ms)
        assert time_ms[graph.offsets[robot + 1] - 1] == earliest


def earliest_finish_ms(
    graph: CoordinationGraph, robot: int, placed: list[int], time_ms: Int32s
) -> int:
    """By trying every millisecond for every event: when could the robot be through?"""
    horizon = int(time_ms.max()) + 1
    first, *_, last = events_of_robot(graph, robot)
    parked = bool(graph.parked[robot])
    blocked = {e: blocked_times(graph, e, placed, time_ms) for e in range(first, last)}
    arrivals = set(range(int(graph.release_ms[robot]), horizon))
    if parked:  # it stands there from the beginning
        arrivals = {t for t in arrivals if not clash(blocked[first], -horizon, t)}
    for e in range(first, last):
        arrivals = {
            leave
            for enter in arrivals
            for leave in range(enter + int(graph.duration_ms[e]), horizon)
            if not clash(blocked[e], enter, leave)
        }
    if parked:  # and for ever where it ends
        arrivals = {t for t in arrivals if not clash(blocked[last - 1], t, 2**31)}
    return min(arrivals)


def blocked_times(
    graph: CoordinationGraph, event: int, placed: list[int], time_ms: Int32s
) -> list[tuple[int, int]]:
    """Spans with which the robot's stay on the cell of ``event`` must not overlap."""
    times, headway = time_ms.tolist(), graph.headway_ms
    spans = []
    for other in placed:
        *cells, after = events_of_robot(graph, other)
        for e in cells:
            if graph.cell[e] == graph.cell[event]:
                for_ever = graph.parked[other] and e + 1 == after
                leaves = 2**30 if for_ever else times[e + 1]
                spans.append((times[e] - headway, leaves + headway))
    return spans + crowded_times(graph, event, placed, times)


def crowded_times(
    graph: CoordinationGraph, event: int, placed: list[int], times: list[int]
) -> list[tuple[int, int]]:
    """Spans in which the region around ``event`` is full, or will be before a headway is over."""
    headway, spans = graph.headway_ms, []
    for q in range(graph.num_regions):
        visits = [
            (times[enter], times[leave] + headway)
            for enter, leave in visits_of(graph, q)
            if graph.event_robot[enter] in placed
        ]
        if any(enter <= event < leave for enter, leave in visits_of(graph, q)):
            for now, _ in visits:
                inside = sorted(end for begin, end in visits if begin <= now < end)
                surplus = len(inside) - int(graph.region_bound[q])
                if surplus >= 0:
                    spans.append((now - headway, inside[surplus]))
    return spans


def clash(spans: list[tuple[int, int]], enter: int, leave: int) -> bool:
    return any(enter < end and begin < leave for begin, end in spans)


def test_a_robot_slips_through_a_gap_between_two() -> None:
    graph = graph_of([0, 1, 2], [10, 11, 12, 13, 1, 14], [20, 1, 21])
    times = insertion_times_ms(graph, np.array([0, 1, 2], dtype=np.int32))
    assert times[-4:].tolist() == [0, 2100, 3100, 4100]
    assert times[[4 + 4, 4 + 5]].tolist() == [4000, 5000]


def test_a_gap_that_is_too_short_is_left_alone() -> None:
    graph = graph_of([0, 1, 2], [10, 11, 12, 1, 14], [20, 1, 21])
    times = insertion_times_ms(graph, np.array([0, 1, 2], dtype=np.int32))
    assert times[-4:].tolist() == [0, 4100, 5100, 6100]


def test_a_gap_may_close_the_moment_the_next_one_opens() -> None:
    """Cell 1 must be left by 2000 ms, and cell 2 may be entered from 2000 ms on."""
    graph = graph_of([9, 1, 8], [2, 7], [0, 1, 2], release_ms=[1100, 900, 0])
    times = insertion_times_ms(graph, np.array([0, 1, 2], dtype=np.int32))
    assert times[-4:].tolist() == [0, 1000, 2000, 3000]


def test_a_robot_waits_where_it_hinders_nobody() -> None:
    """It could enter the aisle's first cell, but the next would come before it could leave."""
    graph = graph_of([0, 1, 2, 3], [3, 2, 1, 9])
    times = insertion_times_ms(graph, np.array([0, 1], dtype=np.int32))
    assert times[-5:].tolist() == [4100, 5100, 6100, 7100, 8100]


def test_merged_intervals_are_refused() -> None:
    graph = graph_of([0, 1], [1, 2], granularity=Granularity.MERGED)
    with pytest.raises(InputError, match="insertion needs granularity overlaps"):
        insertion_times_ms(graph, np.array([0, 1], dtype=np.int32))


def test_insertion_beats_driving_strictly_one_before_the_other() -> None:
    graph = graph_of(
        *([10 * i, 1, 2, 10 * i + 9] for i in range(1, 6)), release_ms=[4000, 3000, 2000, 1000, 0]
    )
    robots = np.arange(5, dtype=np.int32)
    costs_s = [
        evaluate(graph, decide(graph, robots)).cost_s()
        for decide in (insert_in_order, strict_order)
    ]
    assert costs_s[0] < costs_s[1]


@bounded
@given(graphs("density"), st.sampled_from(Objective), SEEDS)
def test_more_orders_are_never_worse(
    graph: CoordinationGraph, objective: Objective, seed: int
) -> None:
    outcomes = [
        rank_insertion(graph, Budget(steps=steps), objective, np.random.default_rng(seed))
        for steps in (1, 4, 16)
    ]
    costs_s = [evaluate(graph, outcome.assignment).cost_s(objective) for outcome in outcomes]
    assert costs_s == sorted(costs_s, reverse=True)
    nothing_to_decide = graph.num_conflicts == 0
    expected_steps = [1, 1, 1] if nothing_to_decide else [1, 4, 16]
    assert [outcome.steps for outcome in outcomes] == expected_steps
    assert {outcome.status for outcome in outcomes} == {Status.FEASIBLE}
    shortest_first = insert_in_order(graph, robot_order(graph, graph.free_ms))
    assert costs_s[0] == evaluate(graph, shortest_first).cost_s(objective)


def test_out_of_time_it_returns_the_best_so_far() -> None:
    graph = graph_of([0, 1, 2], [2, 1, 0], regions=(region(0, 1, bound=1),))
    outcome = rank_insertion(
        graph, Budget(deadline_s=1e-6), Objective.MEAN_TRAVEL, np.random.default_rng(0)
    )
    assert (outcome.status, outcome.steps) == (Status.DEADLINE, 1)
    assert certify(graph, outcome.assignment).valid
