# SPDX-License-Identifier: Apache-2.0
"""Local search: never worse than its start, the same for the same steps, optimal where small."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.fcfs import first_come_first_served
from sim.coordinators.interface import Budget, Outcome, Status
from sim.coordinators.local_search import local_search
from sim.coordinators.priority import fixed_priority
from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.kernels.local_search import MEAN, schedule_cost, search_steps, start_search
from sim.schedule import Assignment, Objective, evaluate
from tests.sim.coordinators.tiny_graphs import least_cost_s, tiny_graphs
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


def search(
    graph: CoordinationGraph,
    steps: int,
    objective: Objective = Objective.MEAN_TRAVEL,
    seed: int = 0,
    incumbent: Assignment | None = None,
) -> Outcome:
    rng = np.random.default_rng(seed)
    return local_search(graph, Budget(steps=steps), objective, rng, incumbent=incumbent)


def warehouse_fleet(num_robots: int) -> CoordinationGraph:
    rng = np.random.default_rng(0)
    layout = generate_warehouse(WarehouseOptions(rack_rows=4, rack_columns=3), rng)
    return make_instance(layout, num_robots, InstanceOptions(), rng).graph


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), objective=st.sampled_from(Objective), seed=SEEDS)
def test_it_is_certified_and_never_worse_than_any_start(
    kind: str, data: st.DataObject, objective: Objective, seed: int
) -> None:
    graph = data.draw(graphs(kind, most_robots=5))
    for start in (first_come_first_served, fixed_priority):
        given_start = start(graph, Budget(steps=1), objective, np.random.default_rng(0)).assignment
        found = search(graph, 15, objective, seed, given_start).assignment
        assert certify(graph, found).violation is None
        cost_s = evaluate(graph, found).cost_s(objective)
        assert cost_s <= evaluate(graph, given_start).cost_s(objective)


@pytest.mark.parametrize("kind", CELLWISE)
@bounded
@given(data=st.data(), seed=SEEDS)
def test_every_schedule_on_the_way_is_possible(kind: str, data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs(kind, most_robots=5))
    rng = np.random.default_rng(seed)
    first = first_come_first_served(graph, Budget(steps=1), Objective.MEAN_TRAVEL, rng)
    state = start_search(graph.arrays, evaluate(graph, first.assignment).time_ms.copy(), MEAN)
    for _ in range(10):
        best_ms = state.cost[1]
        search_steps(graph.arrays, state, 1, MEAN, 8, 5.0, 500.0, rng)
        assert schedule_cost(graph.arrays, state.best, MEAN) == state.cost[1] <= best_ms
        for time_ms in (state.time, state.best):
            assert robots_drive(graph, time_ms)
            assert cells_kept_apart(graph, time_ms)
            assert density_kept(graph, time_ms)


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("kind", ["overlaps", "parked", "density", "loose density"])
def test_it_reaches_the_optimum_of_everything_there_is(kind: str, objective: Objective) -> None:
    for graph in tiny_graphs(kind, 6):
        found = search(graph, 400, objective).assignment
        cost_s = evaluate(graph, found).cost_s(objective)
        assert cost_s == pytest.approx(least_cost_s(graph, objective))


def test_a_bad_start_is_left_behind() -> None:
    """Everybody waits for whoever has the longest way."""
    graph = random_graph("overlaps", 6, 10, np.random.default_rng(1))
    longest_first = -graph.free_ms
    place = np.argsort(np.argsort(longest_first))[graph.event_robot[graph.interval_enter]]
    order = (place[graph.conflict_u] > place[graph.conflict_v]).astype(np.int8)
    worst = Assignment(order, graph.following_allowed.copy())
    found = search(graph, 300, incumbent=worst).assignment
    assert evaluate(graph, found).cost_s() < 0.8 * evaluate(graph, worst).cost_s()


@pytest.mark.parametrize("kind", CELLWISE)
def test_the_same_steps_and_seed_give_the_same_orders(kind: str) -> None:
    graph = random_graph(kind, 6, 8, np.random.default_rng(5))
    once, again = (search(graph, 50, seed=7).assignment for _ in range(2))
    np.testing.assert_array_equal(once.order, again.order)
    np.testing.assert_array_equal(once.following, again.following)


def test_a_step_budget_does_not_look_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = warehouse_fleet(20)
    before = search(graph, 77).assignment
    days_s = itertools.count(0.0, 86_400.0)
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: next(days_s))
        outcome = local_search(
            graph, Budget(1e-3, steps=77), Objective.MEAN_TRAVEL, np.random.default_rng(0)
        )
    assert (outcome.steps, outcome.status) == (77, Status.FEASIBLE)
    np.testing.assert_array_equal(outcome.assignment.order, before.order)


@pytest.mark.parametrize("deadline_s", [0.05, 0.5])
def test_the_deadline_is_honoured(deadline_s: float) -> None:
    graph = warehouse_fleet(30)
    search(graph, 1)  # compiles
    started_s = time.monotonic()
    outcome = local_search(
        graph, Budget(deadline_s), Objective.MEAN_TRAVEL, np.random.default_rng(0)
    )
    assert time.monotonic() - started_s < deadline_s + 0.3
    assert outcome.status is Status.DEADLINE
    assert certify(graph, outcome.assignment).valid


def test_more_time_helps() -> None:
    graph = warehouse_fleet(30)
    costs_s = [evaluate(graph, search(graph, steps).assignment).cost_s() for steps in (1, 2000)]
    assert costs_s[1] < costs_s[0]


def test_where_nobody_meets_there_is_nothing_to_search() -> None:
    outcome = search(graph_of([0, 1], [2, 3]), 10)
    assert (outcome.steps, outcome.status) == (0, Status.FEASIBLE)


def test_merged_intervals_are_refused() -> None:
    with pytest.raises(InputError, match="local_search needs granularity overlaps"):
        search(graph_of([0, 1], [1, 2], granularity=Granularity.MERGED), 1)
