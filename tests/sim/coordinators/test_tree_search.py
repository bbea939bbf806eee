# SPDX-License-Identifier: Apache-2.0
import time

import networkx as nx
import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.interface import Budget, Status
from sim.coordinators.tree_search import root, search_tree, tree_search
from sim.kernels.branching import UNBOUNDED, has_circle, raise_times, search
from sim.schedule import Objective, evaluate
from sim.times import assignment_from_times
from tests.sim.coordinators.tiny_graphs import KINDS, least_cost_s, random_graph, tiny_graphs


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("kind", KINDS)
def test_an_exhausted_tree_proves_the_optimum(kind: str, objective: Objective) -> None:
    for graph in tiny_graphs(kind, 10):
        outcome = tree_search(graph, Budget(steps=10**6), objective, np.random.default_rng(0))
        assert certify(graph, outcome.assignment).valid
        optimum_s = least_cost_s(graph, objective)
        assert evaluate(graph, outcome.assignment).cost_s(objective) == pytest.approx(optimum_s)
        assert outcome.status is Status.OPTIMAL
        assert outcome.bound_s == pytest.approx(optimum_s)


@pytest.mark.parametrize("steps", [1, 3, 10, 30])
@pytest.mark.parametrize("kind", ["overlaps", "loose density"])
def test_a_cut_off_search_still_bounds_and_certifies(kind: str, steps: int) -> None:
    for graph in tiny_graphs(kind, 10):
        outcome = tree_search(
            graph, Budget(steps=steps), Objective.MEAN_TRAVEL, np.random.default_rng(0)
        )
        assert outcome.steps <= steps
        assert certify(graph, outcome.assignment).valid
        assert outcome.bound_s is not None
        assert outcome.bound_s <= least_cost_s(graph, Objective.MEAN_TRAVEL) + 1e-9


def test_searching_in_pieces_changes_nothing() -> None:
    graph = random_graph("loose density", 0, num_robots=12, side=8)
    assert graph is not None
    tree = search_tree(graph, Objective.MEAN_TRAVEL)
    never_ms = np.full(graph.num_events, 10**6, dtype=np.int32)
    whole = search(tree, root(graph, tree, never_ms), 500)
    pieces = root(graph, tree, never_ms)
    for _ in range(100):
        pieces = search(tree, pieces, 5)
    assert whole.nodes == pieces.nodes == 500
    assert whole.best_ms == pieces.best_ms < UNBOUNDED
    np.testing.assert_array_equal(whole.best_time, pieces.best_time)


@pytest.mark.parametrize("kind", KINDS)
def test_the_times_of_a_leaf_are_its_earliest_schedule(kind: str) -> None:
    for graph in tiny_graphs(kind, 5):
        tree = search_tree(graph, Objective.MEAN_TRAVEL)
        state = root(graph, tree, np.full(graph.num_events, 10**6, dtype=np.int32))
        state = search(tree, state, 10_000)
        leaf = assignment_from_times(graph, state.best_time)
        np.testing.assert_array_equal(evaluate(graph, leaf).time_ms, state.best_time)


def test_raised_times_equal_longest_paths_and_can_be_taken_back() -> None:
    rng = np.random.default_rng(1)
    for graph in tiny_graphs("overlaps", 20):
        tree = search_tree(graph, Objective.MEAN_TRAVEL)
        state = root(graph, tree, np.zeros(graph.num_events, dtype=np.int32))
        decision, time_ms, trail, trailed = state.decision, state.time, state.trail, 0
        arcs = nx.DiGraph([(e, e + 1) for e in np.flatnonzero(graph.cell >= 0).tolist()])
        for conflict in rng.permutation(graph.num_conflicts).tolist():
            key = 2 * conflict + int(rng.integers(2))
            chosen = slice(tree.arc_ptr[key], tree.arc_ptr[key + 1])
            arcs.add_edges_from(zip(tree.before[chosen], tree.after[chosen], strict=True))
            decision[conflict] = key % 2
            acyclic, trail, trailed = raise_times(
                tree, decision, time_ms, key, UNBOUNDED, trail, trailed
            )
            assert acyclic == nx.is_directed_acyclic_graph(arcs) == (not has_circle(tree, decision))
            if not acyclic:
                break
            np.testing.assert_array_equal(time_ms, _longest_paths(graph, arcs))
        for event, before_ms in trail[:trailed][::-1]:
            time_ms[event] = before_ms
        np.testing.assert_array_equal(time_ms, graph.nominal_ms)


def _longest_paths(graph, arcs):  # type: ignore[no-untyped-def]
    time_ms = graph.nominal_ms.copy()
    robot = graph.event_robot
    for event in nx.topological_sort(arcs):
        for before in arcs.predecessors(event):
            along = robot[before] == robot[event]
            lag_ms = graph.duration_ms[before] if along else graph.headway_ms
            time_ms[event] = max(time_ms[event], time_ms[before] + lag_ms)
    return time_ms


def test_it_stops_at_the_deadline() -> None:
    graph = random_graph("overlaps", 5, num_robots=40, side=10)
    assert graph is not None
    rng = np.random.default_rng(0)
    tree_search(graph, Budget(steps=1), Objective.MEAN_TRAVEL, rng)  # compiles the kernels
    started_s = time.monotonic()
    outcome = tree_search(graph, Budget(0.3), Objective.MEAN_TRAVEL, rng)
    assert time.monotonic() - started_s < 0.8
    assert outcome.status is Status.DEADLINE
    assert certify(graph, outcome.assignment).valid
