# SPDX-License-Identifier: Apache-2.0
"""From times back to orders: nobody gets later, and what was safe stays safe."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.coordinators.priority import strict_order
from sim.coordinators.robot_order import robot_order
from sim.graph import NO_REGION
from sim.schedule import evaluate
from sim.times import assignment_from_times
from tests.sim.tiny_instances import (
    KINDS,
    assignments,
    bounded,
    decided,
    graph_of,
    graphs,
    region,
)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_a_schedule_tells_its_orders(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    assignment = data.draw(assignments(graph))
    if not certify(graph, assignment).valid:
        return
    schedule = evaluate(graph, assignment)
    back = assignment_from_times(graph, schedule.time_ms)
    on_cells = graph.conflict_region == NO_REGION
    np.testing.assert_array_equal(back.order[on_cells], assignment.order[on_cells])
    assert certify(graph, back).violation is None
    assert (evaluate(graph, back).time_ms <= schedule.time_ms).all()


@pytest.mark.parametrize("kind", ["overlaps", "merged", "parked", "density"])
@bounded
@given(data=st.data())
def test_one_after_another_always_works(kind: str, data: st.DataObject) -> None:
    """Only the sequence counts: event numbers of robots that drive in turn serve as times.

    Not where parked robots start inside merged intervals: there each may have to make a move
    before the other can drive on.
    """
    graph = data.draw(graphs(kind))
    robots = robot_order(graph, np.array(data.draw(st.permutations(range(graph.num_robots)))))
    sequence = np.empty(graph.num_events, dtype=np.int32)
    turn = np.concatenate(
        [np.arange(graph.offsets[i], graph.offsets[i + 1], dtype=np.int32) for i in robots]
    )
    sequence[turn] = np.arange(graph.num_events)
    back = assignment_from_times(graph, sequence)
    assert certify(graph, back).acyclic
    on_cells = graph.conflict_region == NO_REGION
    np.testing.assert_array_equal(back.order[on_cells], strict_order(graph, robots).order[on_cells])


def test_following_wherever_it_is_allowed() -> None:
    graph = graph_of([0, 1, 2, 3], [5, 1, 2, 6], [9, 3, 8])
    back = assignment_from_times(graph, evaluate(graph, decided(graph, 1, 0)).time_ms)
    assert back.order.tolist() == [1, 0]
    assert back.following.tolist() == [True, False]


def test_a_region_gets_as_many_slots_as_robots_may_be_inside() -> None:
    """Whoever enters takes the slot that is free for longest, and excludes who had it before."""
    graph = graph_of(
        *([2 * i, 2 * i + 1] for i in range(4)),
        release_ms=[0, 500, 2500, 3000],
        regions=(region(*range(8), bound=2),),
    )
    back = assignment_from_times(graph, graph.nominal_ms)
    robot = graph.event_robot[graph.interval_enter]
    exclusive = np.flatnonzero(~back.following)
    pairs = {(int(robot[graph.conflict_u[c]]), int(robot[graph.conflict_v[c]])) for c in exclusive}
    assert pairs == {(0, 2), (1, 3)}
    assert certify(graph, back).valid
    np.testing.assert_array_equal(evaluate(graph, back).time_ms, graph.nominal_ms)
