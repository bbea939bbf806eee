# SPDX-License-Identifier: Apache-2.0
"""Graphs small enough to try every assignment, and the trying."""

import itertools
from functools import cache

import numpy as np

from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.alternatives import default_following, typed_conflicts
from sim.errors import InputError
from sim.generate import generate_random
from sim.graph import FREE, CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Assignment, Objective, cost_of_finish_s, evaluate_batch

MERGED = Granularity.MERGED

KINDS = {
    "overlaps": InstanceOptions(headway_s=0.3),
    "merged": InstanceOptions(headway_s=0.3, granularity=MERGED),
    "parked": InstanceOptions(headway_s=0.3, parking="floor"),
    "parked merged": InstanceOptions(headway_s=0.3, parking="floor", granularity=MERGED),
    "density": InstanceOptions(headway_s=0.3, density_bound=1, density_block_cells=3),
    "loose density": InstanceOptions(headway_s=0.3, density_bound=2, density_block_cells=4),
    "merged density": InstanceOptions(
        headway_s=0.3, density_bound=2, density_block_cells=4, granularity=MERGED
    ),
}


def random_graph(
    kind: str, seed: int, num_robots: int = 4, side: int = 5
) -> CoordinationGraph | None:
    """A graph of a small random floor; None where the draw is ill-posed."""
    rng = np.random.default_rng(seed)
    layout = generate_random(side, side, 0.25, rng)
    try:
        return make_instance(layout, num_robots, KINDS[kind], rng).graph
    except InputError:
        return None


@cache
def tiny_graphs(kind: str, count: int) -> tuple[CoordinationGraph, ...]:
    """The first ``count`` graphs with something to decide and at most 3000 assignments."""
    robots = 3 if kind == "parked merged" else 4
    drawn = (random_graph(kind, seed, robots) for seed in itertools.count())
    few = (g for g in drawn if g is not None and 4 <= _num_assignments(g) <= 3000)
    return tuple(itertools.islice(few, count))


def _choices(graph: CoordinationGraph) -> list[list[tuple[int, bool]]]:
    """Per conflict the (order, following) worth trying."""
    following, typed = default_following(graph), typed_conflicts(graph)
    choices = []
    for conflict in range(graph.num_conflicts):
        orders = [0, 1] if graph.forced[conflict] == FREE else [int(graph.forced[conflict])]
        both = [(order, bool(following[conflict])) for order in orders]
        choices.append([*both, (0, True)] if typed[conflict] else both)
    return choices


def _num_assignments(graph: CoordinationGraph) -> int:
    return int(np.prod([float(len(choice)) for choice in _choices(graph)]))


def least_cost_s(graph: CoordinationGraph, objective: Objective) -> float:
    """The optimum, by trying everything that the certificate accepts."""
    table = np.array(list(itertools.product(*_choices(graph))))
    orders, following = table[..., 0].astype(np.int8), table[..., 1].astype(bool)
    finish_ms = evaluate_batch(graph, orders, following)
    cost_s = cost_of_finish_s(finish_ms, graph.free_ms, objective)
    cost_s[finish_ms[:, 0] < 0] = np.inf
    for row in np.argsort(cost_s, kind="stable"):
        if certify(graph, Assignment(orders[row], following[row])).valid:
            return float(cost_s[row])
    raise AssertionError("no assignment is feasible")
