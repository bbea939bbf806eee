# SPDX-License-Identifier: Apache-2.0
"""Many dives: certified, never worse with more of them, and cheap beside what they replace."""

import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.dive import IMPULSE, make_diver
from sim.coordinators.dive_search import (
    DiveOptions,
    different_dives,
    dive_search,
    no_advice,
    schedule_of,
    search_dives,
)
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.insertion import rank_insertion
from sim.coordinators.interface import Budget, Clock, Status
from sim.graph import CoordinationGraph
from sim.schedule import Objective, evaluate
from tests.sim.coordinators.test_dive import crowd
from tests.sim.coordinators.tiny_graphs import KINDS, random_graph

MEAN = Objective.MEAN_TRAVEL


def cost_s(graph: CoordinationGraph, steps: int, seed: int = 0) -> float:
    found = dive_search(graph, Budget(steps=steps), MEAN, np.random.default_rng(seed))
    assert certify(graph, found.assignment).valid
    assert found.steps == steps
    return evaluate(graph, found.assignment).cost_s(MEAN)


def test_more_dives_are_never_worse_and_the_first_beats_insertion() -> None:
    gains = []
    for seed in range(3):
        graph = crowd(40, seed)
        one, many = cost_s(graph, 1), cost_s(graph, 60)
        inserted = rank_insertion(graph, Budget(steps=1), MEAN, np.random.default_rng(0))
        assert many <= one
        gains.append(evaluate(graph, inserted.assignment).cost_s(MEAN) - one)
    assert np.mean(gains) > 0


def test_foresight_is_cheaper_than_impulse() -> None:
    costs: dict[str, list[float]] = {"foresight": [], "impulse": []}
    for seed in range(6):
        graph = crowd(50, seed)
        told = no_advice(graph)
        for name, advice in (("foresight", told), ("impulse", told._replace(weight=IMPULSE))):
            found = schedule_of(make_diver(graph), advice)
            costs[name].append(evaluate(graph, found).cost_s(MEAN))
    assert np.mean(costs["foresight"]) < np.mean(costs["impulse"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_graph_is_served(kind: str) -> None:
    rng = np.random.default_rng(0)
    for seed in range(6):
        graph = random_graph(kind, seed)
        if graph is None:
            continue
        found = dive_search(graph, Budget(steps=5), MEAN, rng, incumbent=serve_by_arrival(graph))
        assert certify(graph, found.assignment).valid
        floor_s = evaluate(graph, serve_by_arrival(graph)).cost_s(MEAN)
        assert evaluate(graph, found.assignment).cost_s(MEAN) <= floor_s + 1e-9


def test_the_clock_ends_it_and_the_seed_decides() -> None:
    graph = crowd(60, 4)
    found = dive_search(graph, Budget(deadline_s=0.2), MEAN, np.random.default_rng(0))
    assert found.status is Status.DEADLINE
    assert found.steps > 1
    assert cost_s(graph, 30, seed=1) == cost_s(graph, 30, seed=1)


def test_without_time_one_dive_follows_the_advice() -> None:
    graph = crowd(60, 4)
    diver, late = make_diver(graph), Clock(Budget(deadline_s=1e-9))
    told, rng = no_advice(graph), np.random.default_rng(0)
    (only,), tried = search_dives(diver, [told], late, MEAN, rng, DiveOptions())
    assert tried == 1
    assert only.advice is told


def test_the_few_best_are_different_and_sorted() -> None:
    graph = crowd(60, 5)
    diver, rng = make_diver(graph), np.random.default_rng(0)
    told, options = [no_advice(graph)], DiveOptions(few=4)
    found, tried = search_dives(diver, told, Clock(Budget(steps=80)), MEAN, rng, options)
    costs = [one.cost_s for one in found]
    assert tried == 80
    assert costs == sorted(set(costs))
    assert len(costs) == 4
    assert evaluate(graph, schedule_of(diver, found[0].advice)).cost_s(MEAN) == costs[0]
    assert len(different_dives(graph, 5, MEAN, rng)) == 5
