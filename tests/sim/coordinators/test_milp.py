# SPDX-License-Identifier: Apache-2.0
import time

import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.interface import Budget, Status
from sim.coordinators.milp import milp
from sim.coordinators.milp_solvers import available_solvers
from sim.schedule import Objective, evaluate
from tests.sim.coordinators.tiny_graphs import KINDS, least_cost_s, random_graph, tiny_graphs


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_and_proves_the_optimum(kind: str, objective: Objective) -> None:
    for graph in tiny_graphs(kind, 6):
        outcome = milp(graph, Budget(steps=10_000), objective, np.random.default_rng(0))
        assert certify(graph, outcome.assignment).valid
        optimum_s = least_cost_s(graph, objective)
        assert evaluate(graph, outcome.assignment).cost_s(objective) == pytest.approx(optimum_s)
        assert outcome.status is Status.OPTIMAL
        assert outcome.bound_s == pytest.approx(optimum_s)


@pytest.mark.skipif("cbc" not in available_solvers(), reason="PuLP's bundled CBC cannot run here")
@pytest.mark.parametrize("kind", ["overlaps", "merged", "loose density"])
def test_cbc_proves_the_same_optimum(kind: str) -> None:
    for graph in tiny_graphs(kind, 3):
        outcome = milp(
            graph, Budget(), Objective.MEAN_TRAVEL, np.random.default_rng(0), solver="cbc"
        )
        optimum_s = least_cost_s(graph, Objective.MEAN_TRAVEL)
        assert evaluate(graph, outcome.assignment).cost_s() == pytest.approx(optimum_s)
        assert outcome.status is Status.OPTIMAL
        assert outcome.bound_s == pytest.approx(optimum_s)


@pytest.mark.parametrize("solver", available_solvers())
def test_a_step_budget_makes_it_deterministic(solver: str) -> None:
    graph = random_graph("overlaps", 3, num_robots=14, side=8)
    assert graph is not None
    first, second = (
        milp(
            graph,
            Budget(steps=2),
            Objective.MEAN_TRAVEL,
            np.random.default_rng(0),
            solver=solver,  # type: ignore[arg-type]
        )
        for _ in range(2)
    )
    assert (first.assignment.order == second.assignment.order).all()
    assert (first.bound_s, first.steps) == (second.bound_s, second.steps)
    assert certify(graph, first.assignment).valid
    assert first.bound_s is not None
    assert first.bound_s <= evaluate(graph, first.assignment).cost_s() + 1e-9


def test_what_is_too_large_for_the_deadline_comes_back_as_the_incumbent() -> None:
    graph = random_graph("overlaps", 5, num_robots=40, side=10)
    assert graph is not None
    rng = np.random.default_rng(0)
    milp(graph, Budget(0.01), Objective.MEAN_TRAVEL, rng)  # compiles the kernels
    started_s = time.monotonic()
    outcome = milp(graph, Budget(0.05), Objective.MEAN_TRAVEL, rng)
    assert time.monotonic() - started_s < 1.0
    assert outcome.status is Status.DEADLINE
    assert outcome.bound_s is not None
    assert graph.free_ms.mean() / 1000 <= outcome.bound_s
    assert outcome.bound_s <= evaluate(graph, outcome.assignment).cost_s()
    assert certify(graph, outcome.assignment).valid


def test_the_deadline_holds_while_the_solver_is_in_its_first_round() -> None:
    graph = random_graph("overlaps", 5, num_robots=40, side=10)
    assert graph is not None
    rng = np.random.default_rng(0)
    milp(graph, Budget(steps=1), Objective.MEAN_TRAVEL, rng)  # compiles the kernels
    started_s = time.monotonic()
    outcome = milp(graph, Budget(1.5), Objective.MEAN_TRAVEL, rng)
    assert time.monotonic() - started_s < 2.2
    assert certify(graph, outcome.assignment).valid
    assert outcome.bound_s is not None
    assert outcome.bound_s <= evaluate(graph, outcome.assignment).cost_s()


def test_a_given_incumbent_is_never_made_worse() -> None:
    graph = random_graph("overlaps", 3, num_robots=14, side=8)
    assert graph is not None
    rng = np.random.default_rng(0)
    good = milp(graph, Budget(2.0), Objective.MAKESPAN, rng).assignment
    again = milp(graph, Budget(steps=1), Objective.MAKESPAN, rng, incumbent=good).assignment
    makespans_s = [evaluate(graph, a).cost_s(Objective.MAKESPAN) for a in (again, good)]
    assert makespans_s[0] <= makespans_s[1]
