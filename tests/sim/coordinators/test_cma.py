# SPDX-License-Identifier: Apache-2.0
import time
from pathlib import Path

import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators import cma as module
from sim.coordinators.cma import cma, decode, event_delays_s
from sim.coordinators.interface import Budget
from sim.schedule import Objective, evaluate
from tests.sim.coordinators.tiny_graphs import KINDS, random_graph, tiny_graphs


@pytest.mark.parametrize("kind", KINDS)
def test_it_never_ends_above_its_start(kind: str) -> None:
    for graph in tiny_graphs(kind, 2):
        outcome = cma(graph, Budget(steps=60), Objective.MEAN_TRAVEL, np.random.default_rng(0))
        assert outcome.steps == 60
        assert certify(graph, outcome.assignment).violation is None
        start = evaluate(graph, decode(graph, np.zeros(max(graph.num_intervals, 2)))).cost_s()
        assert evaluate(graph, outcome.assignment).cost_s() <= start


@pytest.mark.parametrize("kind", ["overlaps", "merged density"])
def test_a_step_budget_makes_it_deterministic_and_leaves_no_trace(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    graph = random_graph(kind, 1, num_robots=10, side=8)
    assert graph is not None
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (
        cma(graph, Budget(steps=80), Objective.MEAN_TRAVEL, np.random.default_rng(5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.assignment.order, second.assignment.order)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["overlaps", "merged"])
def test_large_graphs_are_searched_by_robot(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(kind, 1, num_robots=10, side=8)
    assert graph is not None
    monkeypatch.setattr(module, "MAX_INTERVALS", 3)
    outcome = cma(graph, Budget(steps=40), Objective.MAKESPAN, np.random.default_rng(0))
    assert certify(graph, outcome.assignment).violation is None


def test_events_take_the_delay_of_the_interval_entered_last() -> None:
    graph = random_graph("overlaps", 1, num_robots=6, side=6)
    assert graph is not None
    delay_s = np.random.default_rng(0).normal(size=graph.num_intervals)
    for event, found in enumerate(event_delays_s(graph, delay_s)):
        start = graph.offsets[graph.event_robot[event]]
        entered = [
            (graph.interval_enter[i], i)
            for i in range(graph.num_intervals)
            if start <= graph.interval_enter[i] <= event
        ]
        assert found == (delay_s[max(entered)[1]] if entered else 0.0)


def test_it_stops_at_the_deadline() -> None:
    graph = random_graph("overlaps", 5, num_robots=40, side=10)
    assert graph is not None
    rng = np.random.default_rng(0)
    cma(graph, Budget(steps=2), Objective.MEAN_TRAVEL, rng)  # compiles the kernels
    started_s = time.monotonic()
    cma(graph, Budget(0.3), Objective.MEAN_TRAVEL, rng)
    assert time.monotonic() - started_s < 0.8
