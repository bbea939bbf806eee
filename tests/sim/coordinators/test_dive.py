# SPDX-License-Identifier: Apache-2.0
"""A dive ends in a schedule, follows what it is told, and is the plain procedure, only faster."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.alternatives import Arcs, alternative_arcs, typed_conflicts
from sim.coordinators.dive import Diver, make_diver
from sim.coordinators.interface import Budget
from sim.coordinators.local_search import local_search
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import FREE, CoordinationGraph
from sim.schedule import Objective, evaluate
from sim.times import assignment_from_times
from tests.sim.coordinators.tiny_graphs import KINDS, random_graph

MIXED = np.array([0.2, 0.3])
"""Both parts of the outlook count."""


def crowd(robots: int, seed: int) -> CoordinationGraph:
    floor = FloorOptions(cells_per_robot=(15, 20))
    options = FamilyOptions(robots=(robots, robots), goals=(1, 1), floor=floor)
    return draw_instance(FloorKind.WAREHOUSE, options, np.random.default_rng(seed)).graph


@pytest.mark.parametrize("kind", KINDS)
def test_any_logits_end_in_a_certified_schedule_or_a_dead_end(kind: str) -> None:
    rng = np.random.default_rng(0)
    found, tried = 0, 0
    for seed in range(40):
        graph = random_graph(kind, seed)
        if graph is None or graph.num_conflicts == 0:
            continue
        diver = make_diver(graph)
        for scale in (0.0, 1.0, 1e300, np.inf):
            with np.errstate(invalid="ignore"):
                logit = np.nan_to_num(scale * rng.standard_normal(graph.num_conflicts))
            time_ms = diver.dive(logit, MIXED).time_ms
            tried += 1
            if time_ms is None:
                continue
            found += 1
            assignment = assignment_from_times(graph, time_ms)
            assert certify(graph, assignment).valid
            assert (evaluate(graph, assignment).finish_ms <= time_ms[graph.offsets[1:] - 1]).all()
    assert found > 0.9 * tried > 20


def test_who_knows_the_best_orders_gets_the_best_schedule() -> None:
    for seed in range(4):
        graph = crowd(40, seed)
        best = local_search(
            graph, Budget(steps=2000), Objective.MEAN_TRAVEL, np.random.default_rng(0)
        ).assignment
        certain = np.where(best.order > 0, 1e9, -1e9)
        found = make_diver(graph).dive(certain, np.zeros(2))
        assert found.time_ms is not None
        dived = assignment_from_times(graph, found.time_ms)
        assert evaluate(graph, dived).cost_s() <= evaluate(graph, best).cost_s()
        asked = found.wanted >= 0
        assert 0 < asked.sum() < graph.num_conflicts / 2
        np.testing.assert_array_equal(found.wanted[asked], best.order[asked])


def test_the_same_logits_give_the_same_schedule_again() -> None:
    diver = make_diver(crowd(30, 1))
    logit = np.random.default_rng(0).standard_normal(diver.graph.num_conflicts)
    once, again = diver.dive(logit, MIXED), diver.dive(logit, MIXED)
    np.testing.assert_array_equal(once.time_ms, again.time_ms)
    np.testing.assert_array_equal(once.outlook, again.outlook)


def test_larger_fleets_do_not_end_in_dead_ends() -> None:
    graph = crowd(100, 0)
    diver, rng = make_diver(graph), np.random.default_rng(0)
    for scale in (0.0, 0.3, 1.0):
        logit = scale * rng.logistic(size=graph.num_conflicts)
        assert diver.dive(logit, MIXED).time_ms is not None


@pytest.mark.parametrize("kind", ["overlaps", "merged", "parked", "parked merged"])
def test_it_is_the_plain_procedure(kind: str) -> None:
    rng, compared = np.random.default_rng(1), 0
    for seed in range(60):
        graph = random_graph(kind, seed, num_robots=5)
        if graph is None or graph.num_conflicts == 0:
            continue
        logit = rng.standard_normal(graph.num_conflicts)
        expected = plain_dive(graph, logit)
        if expected is not None:  # the plain one takes nothing back
            compared += 1
            np.testing.assert_array_equal(make_diver(graph).dive(logit, MIXED).time_ms, expected)
    assert compared > 20


def plain_dive(graph: CoordinationGraph, logit: np.ndarray) -> np.ndarray | None:
    """Look at everything again after each decision; None in a dead end."""
    arcs, orders = (
        alternative_arcs(graph),
        {int(c): int(graph.forced[c]) for c in np.flatnonzero(graph.forced != FREE)},
    )
    assert not typed_conflicts(graph).any()
    while True:
        time_ms = times(graph, arcs, orders)
        assert time_ms is not None
        open_ms = still_open(graph, arcs, orders, time_ms)
        if not open_ms:
            return time_ms
        chosen = max(open_ms, key=lambda c: (*open_ms[c], -c))
        tried = [committed_ms(graph, arcs, {**orders, chosen: order}) for order in (0, 1)]
        outlook = np.arcsinh((np.array(tried[0]) - np.array(tried[1])) / 500.0)
        side = int(logit[chosen] + MIXED @ outlook > 0)
        for order in (side, 1 - side):
            if times(graph, arcs, {**orders, chosen: order}) is not None:
                orders[chosen] = order
                break
        else:
            return None


def still_open(
    graph: CoordinationGraph, arcs: Arcs, orders: dict[int, int], time_ms: np.ndarray
) -> dict[int, tuple[int, int]]:
    """The conflicts violated in both orders, with what the cheaper one adds to a finish and to an
    event."""
    found = {}
    for c in set(range(graph.num_conflicts)) - orders.keys():
        demands = [demand(graph, arcs, time_ms, c, side) for side in (0, 1)]
        events, finishes = zip(*demands, strict=True)
        if min(events) > 0:
            found[c] = (min(finishes), min(events))
    return found


def committed_ms(
    graph: CoordinationGraph, arcs: Arcs, orders: dict[int, int]
) -> tuple[float, float]:
    """The sum of finishes, alone and with what all open conflicts must still add."""
    time_ms = times(graph, arcs, orders)
    if time_ms is None:
        return 1e12, 1e12
    cost_ms = float(time_ms[graph.offsets[1:] - 1].sum())
    pending_ms = still_open(graph, arcs, orders, time_ms).values()
    return cost_ms, cost_ms + sum(finish + 500.0 for finish, _ in pending_ms)


def times(graph: CoordinationGraph, arcs: Arcs, orders: dict[int, int]) -> np.ndarray | None:
    """Earliest times of all events under some orders; None where they close a circle."""
    waits = nx.DiGraph()
    waits.add_nodes_from(range(graph.num_events))
    for e in range(graph.num_events - 1):
        if graph.event_robot[e] == graph.event_robot[e + 1]:
            waits.add_edge(e, e + 1, ms=int(graph.duration_ms[e]))
    for c, side, before, after in zip(*(part.tolist() for part in arcs), strict=True):
        if orders.get(c) == side:
            waits.add_edge(before, after, ms=graph.headway_ms)
    if not nx.is_directed_acyclic_graph(waits):
        return None
    time_ms = graph.nominal_ms.copy()
    for e in nx.topological_sort(waits):
        for before, _, ms in waits.in_edges(e, data="ms"):
            time_ms[e] = max(time_ms[e], time_ms[before] + ms)
    return time_ms


def demand(
    graph: CoordinationGraph, arcs: Arcs, time_ms: np.ndarray, conflict: int, side: int
) -> tuple[int, int]:
    """How much an order is violated at some event, and how much it would add to a finish."""
    late_event, late_finish = 0, 0
    for x in np.flatnonzero((arcs.conflict == conflict) & (arcs.side == side)):
        e = arcs.after[x]
        last = graph.offsets[graph.event_robot[e] + 1] - 1
        late = int(time_ms[arcs.before[x]]) + graph.headway_ms - int(time_ms[e])
        slack = int(time_ms[last] - graph.nominal_ms[last]) - int(time_ms[e] - graph.nominal_ms[e])
        late_event, late_finish = max(late_event, late), max(late_finish, late - slack)
    return late_event, late_finish


def test_divers_share_nothing_that_a_dive_changes() -> None:
    diver: Diver = make_diver(crowd(20, 3))
    before = diver.time_ms.copy(), diver.decision.copy()
    diver.dive(np.zeros(diver.graph.num_conflicts), MIXED)
    np.testing.assert_array_equal(before[0], diver.time_ms)
    np.testing.assert_array_equal(before[1], diver.decision)


def test_a_dead_end_is_left_by_taking_back_what_made_it() -> None:
    """Told at random, large fleets get stuck; the way out needs no new start."""
    graph = crowd(100, 0)
    diver, rng, untaken = make_diver(graph), np.random.default_rng(3), 0
    for _ in range(20):
        told = 3.0 * rng.standard_normal(graph.num_conflicts)
        time_ms = diver.dive(told, np.zeros(2)).time_ms
        assert time_ms is not None
        assert certify(graph, assignment_from_times(graph, time_ms)).valid
        untaken += stuck_without_repair(diver, told)
    assert untaken > 0, "no dead end to leave"


def stuck_without_repair(diver: Diver, told: np.ndarray) -> bool:
    return replace(diver, most_repairs=0).dive(told, np.zeros(2)).time_ms is None
