# SPDX-License-Identifier: Apache-2.0
"""Entry times: the fast evaluator equals the slow one, and both what one counts by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conflicts import Granularity
from sim.graph import CoordinationGraph
from sim.schedule import (
    Assignment,
    DeadlockError,
    Objective,
    Schedule,
    evaluate,
    evaluate_batch,
    evaluate_reference,
)
from tests.sim.tiny_instances import (
    KINDS,
    assignments,
    bounded,
    cells_kept_apart,
    decided,
    graph_of,
    graphs,
    robots_drive,
)

CROSSING = graph_of([0, 1, 2], [3, 1, 5])
BEHIND = graph_of([0, 1, 2, 3], [5, 1, 2, 6], release_ms=[0, 500])


def schedule_or_none(graph: CoordinationGraph, assignment: Assignment) -> Schedule | None:
    try:
        return evaluate(graph, assignment)
    except DeadlockError:
        return None


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_the_fast_evaluator_equals_the_slow_one(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    try:
        slow = evaluate_reference(graph, assignment)
    except DeadlockError:
        with pytest.raises(DeadlockError, match="circle of robots"):
            evaluate(graph, assignment)
    else:
        fast = evaluate(graph, assignment)
        np.testing.assert_array_equal(fast.time_ms, slow.time_ms)
        np.testing.assert_array_equal(fast.finish_ms, slow.finish_ms)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_a_batch_is_its_rows(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    rows = data.draw(st.lists(assignments(graph), min_size=1, max_size=4))
    finish_ms = evaluate_batch(
        graph, np.stack([row.order for row in rows]), np.stack([row.following for row in rows])
    )
    for row, finish in zip(rows, finish_ms, strict=True):
        schedule = schedule_or_none(graph, row)
        expected = np.full(graph.num_robots, -1) if schedule is None else schedule.finish_ms
        np.testing.assert_array_equal(finish, expected)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_robots_drive_no_faster_than_they_can_and_never_meet(
    kind: str, data: st.DataObject
) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph, most_flips=0))
    forced = graph.forced >= 0
    assignment.order[forced] = graph.forced[forced]
    schedule = schedule_or_none(graph, assignment)
    if schedule is not None:
        assert robots_drive(graph, schedule.time_ms)
        assert cells_kept_apart(graph, schedule.time_ms)


def test_the_second_at_a_crossing_waits_for_a_headway() -> None:
    assert evaluate(CROSSING, decided(CROSSING, 0)).time_ms.tolist() == [
        *(0, 1000, 2000, 3000),
        *(0, 2100, 3100, 4100),
    ]
    assert evaluate(CROSSING, decided(CROSSING, 1)).finish_ms.tolist() == [4100, 3000]


def test_following_is_cell_by_cell_and_exclusive_is_not() -> None:
    following = evaluate(BEHIND, decided(BEHIND, 0))
    assert following.time_ms[-5:].tolist() == [500, 2100, 3100, 4100, 5100]
    exclusive = evaluate(BEHIND, decided(BEHIND, 0, following=False))
    assert exclusive.time_ms[-5:].tolist() == [500, 3100, 4100, 5100, 6100]


def test_a_merged_stretch_is_passed_as_a_whole_when_exclusive() -> None:
    graph = graph_of([0, 1, 2, 3], [9, 1, 8, 2, 7], [6, 8, 5], granularity=Granularity.MERGED)
    orders = [0, 0]
    assert evaluate(graph, decided(graph, *orders)).time_ms[5:11].tolist() == [
        *(0, 2100, 3100, 4100, 5100, 6100)
    ]
    exclusive = evaluate(graph, decided(graph, *orders, following=False))
    assert exclusive.time_ms[5:11].tolist() == [0, 3100, 4100, 5100, 6100, 7100]


def test_two_who_let_each_other_pass_are_a_deadlock() -> None:
    graph = graph_of([0, 1, 2, 3, 4], [4, 3, 9, 1, 0])
    polite = decided(graph, 1, 0)
    for evaluator in (evaluate, evaluate_reference):
        with pytest.raises(DeadlockError):
            evaluator(graph, polite)
    assert evaluate_batch(graph, polite.order[None], polite.following[None]).tolist() == [[-1, -1]]


def test_three_in_a_ring_on_one_cell_are_a_deadlock() -> None:
    """Each before the next: on the one cell that they share, that is no order at all."""
    graph = graph_of([1, 0, 2], [3, 0, 4], [5, 0, 6])
    ring = decided(graph, 0, 1, 0)  # 0 before 1, 2 before 0, 1 before 2
    for evaluator in (evaluate, evaluate_reference):
        with pytest.raises(DeadlockError):
            evaluator(graph, ring)


@pytest.mark.parametrize(
    ("objective", "cost_s"),
    [
        (Objective.MEAN_TRAVEL, (3.0 + 4.1) / 2),
        (Objective.MAKESPAN, 4.1),
        (Objective.MEAN_DELAY, 1.1 / 2),
    ],
)
def test_costs_by_hand(objective: Objective, cost_s: float) -> None:
    schedule = evaluate(CROSSING, decided(CROSSING, 0))
    assert schedule.cost_s(objective) == pytest.approx(cost_s)
    assert schedule.free_ms.tolist() == [3000, 3000]
