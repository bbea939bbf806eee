# SPDX-License-Identifier: Apache-2.0
"""Every coordinator by name: certified, never worse than first come first served, repeatable."""

from typing import Any

import numpy as np
import pytest

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators import portfolio as door
from sim.coordinators.fcfs import first_come_first_served
from sim.coordinators.interface import Budget, Outcome, Status
from sim.coordinators.portfolio import (
    COORDINATORS,
    CertificateError,
    CoordinatorName,
    Decision,
    coordinate,
    portfolio,
)
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate
from tests.sim.coordinators.tiny_graphs import KINDS, least_cost_s, tiny_graphs
from tests.sim.tiny_instances import decided, graph_of, random_graph

CELLS_ONLY = {CoordinatorName.INSERTION, CoordinatorName.LOCAL_SEARCH}
PROVERS = {CoordinatorName.MILP, CoordinatorName.TREE_SEARCH, CoordinatorName.PORTFOLIO}
STEPS = Budget(steps=60)


def decide(
    name: CoordinatorName,
    graph: CoordinationGraph,
    objective: Objective = Objective.MEAN_TRAVEL,
    budget: Budget = STEPS,
    seed: int = 0,
) -> Decision:
    return coordinate(name, graph, budget, objective, np.random.default_rng(seed))


def serves(name: CoordinatorName, graph: CoordinationGraph) -> bool:
    return not (graph.merged and name in CELLS_ONLY)


def test_every_name_has_its_coordinator() -> None:
    assert set(COORDINATORS) == set(CoordinatorName)


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("name", CoordinatorName)
@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_is_certified_bounded_and_no_worse_than_first_come_first_served(
    kind: str, name: CoordinatorName, objective: Objective
) -> None:
    for graph in tiny_graphs(kind, 3):
        if not serves(name, graph):
            with pytest.raises(InputError, match=f"{name} needs granularity overlaps"):
                decide(name, graph, objective)
            continue
        decision = decide(name, graph, objective)
        floor = first_come_first_served(graph, STEPS, objective, np.random.default_rng(0))
        floor_s = evaluate(graph, floor.assignment).cost_s(objective)
        assert certify(graph, decision.assignment).valid
        assert decision.certificate.valid
        assert decision.cost_s == evaluate(graph, decision.assignment).cost_s(objective)
        assert decision.cost_s == min(floor_s, decision.own_cost_s)
        assert decision.bound_s is not None
        assert decision.bound_s <= least_cost_s(graph, objective) + 1e-6
        assert (decision.status is Status.FALLBACK) == (floor_s < decision.own_cost_s)
        assert decision.status is not Status.DEADLINE
        if decision.status is Status.OPTIMAL:
            assert name in PROVERS
            assert decision.cost_s == pytest.approx(least_cost_s(graph, objective))
            assert decision.bound_s == pytest.approx(decision.cost_s)


@pytest.mark.parametrize("name", CoordinatorName)
@pytest.mark.parametrize("kind", ["overlaps", "parked", "density"])
def test_the_same_seed_gives_the_same_arrays(kind: str, name: CoordinatorName) -> None:
    graph = random_graph(kind, 6, 8, np.random.default_rng(3))
    once, again = (decide(name, graph, seed=11) for _ in range(2))
    np.testing.assert_array_equal(once.assignment.order, again.assignment.order)
    np.testing.assert_array_equal(once.assignment.following, again.assignment.following)
    assert (once.cost_s, once.own_cost_s, once.bound_s) == (
        again.cost_s,
        again.own_cost_s,
        again.bound_s,
    )
    assert (once.status, once.steps) == (again.status, again.steps)


def returning(monkeypatch: pytest.MonkeyPatch, assignment: Assignment) -> None:
    """From now on insertion finds this."""

    def careless(*_: Any, **__: Any) -> Outcome:
        return Outcome(assignment, Status.FEASIBLE, bound_s=None, steps=3)

    monkeypatch.setitem(door.COORDINATORS, CoordinatorName.INSERTION, careless)


TWICE = graph_of([0, 1, 2, 3, 4], [4, 3, 9, 1, 0])


@pytest.mark.parametrize(
    ("orders", "problem"),
    [
        ((1, 0), "not certified: robots 0, 1 wait for each other in a circle"),
        ((0, -1), "not certified: conflict 1 has order -1"),
        ((0, 0, 0), "not certified: 2 conflicts but"),
    ],
)
def test_an_unsafe_assignment_never_leaves(
    monkeypatch: pytest.MonkeyPatch, orders: tuple[int, ...], problem: str
) -> None:
    order = np.array(orders, dtype=np.int8)
    returning(monkeypatch, Assignment(order, np.zeros(len(orders), dtype=bool)))
    with pytest.raises(CertificateError, match=problem):
        decide(CoordinatorName.INSERTION, TWICE)


def test_a_costly_assignment_gives_way_to_first_come_first_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = graph_of([0, 1, 2], [5, 6, 7, 1, 8])
    returning(monkeypatch, decided(graph, 1))
    decision = decide(CoordinatorName.INSERTION, graph)
    assert decision.status is Status.FALLBACK
    assert decision.assignment.order.tolist() == [0]
    assert (decision.cost_s, decision.own_cost_s) == (4.0, (6.1 + 5.0) / 2)
    assert decision.steps == 3


def test_a_proof_of_optimality_survives() -> None:
    graph = graph_of([0, 1, 2], [5, 6, 7, 1, 8])
    decision = decide(CoordinatorName.PORTFOLIO, graph)
    assert (decision.status, decision.bound_s, decision.cost_s) == (Status.OPTIMAL, 4.0, 4.0)


@pytest.mark.parametrize("name", sorted(set(CoordinatorName) - {"fcfs", "priority"}))
def test_out_of_time_there_is_still_a_decision(name: CoordinatorName) -> None:
    graph = random_graph("overlaps", 8, 12, np.random.default_rng(0))
    decision = decide(name, graph, budget=Budget(deadline_s=1e-3))
    assert decision.certificate.valid
    assert decision.status in {Status.DEADLINE, Status.FALLBACK, Status.OPTIMAL}


@pytest.mark.parametrize("name", CoordinatorName)
def test_where_nobody_meets_everything_is_free(name: CoordinatorName) -> None:
    for granularity in Granularity:
        graph = graph_of([0, 1], [2, 3, 4], granularity=granularity)
        if serves(name, graph):
            decision = decide(name, graph)
            assert decision.cost_s == decision.bound_s == 2.5
            assert decision.certificate.valid


def test_the_portfolio_searches_what_is_too_large_to_prove(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = random_graph("overlaps", 6, 10, np.random.default_rng(1))
    monkeypatch.setattr(door, "PROOF_CONFLICTS", 0)
    outcome = portfolio(graph, STEPS, Objective.MEAN_TRAVEL, np.random.default_rng(0))
    assert (outcome.status, outcome.steps) == (Status.FEASIBLE, 60)
