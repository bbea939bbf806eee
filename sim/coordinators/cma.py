# SPDX-License-Identifier: Apache-2.0
"""CMA-ES over ranks: how much later than nominal everybody ranks, decoded feasibly.

Up to MAX_INTERVALS the search vector holds one delay in seconds for every interval; merged graphs
are decoded by :mod:`sim.coordinators.node_ranks`, others by :mod:`sim.coordinators.dispatch`. With
more intervals it holds one for every robot, because ten thousand numbers learn nothing in the
evaluations that a deadline allows, and robots are decoded by gap insertion, which is also faster.
Zero is the start and always among the candidates. Steps are evaluations.
"""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.dispatch import dispatch
from sim.coordinators.insertion import insert_in_order
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.coordinators.robot_order import robot_order
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate

Floats = NDArray[np.float64]

MAX_INTERVALS = 200
"""With more, one delay is searched for every robot."""

SPREAD = 0.2
"""First standard deviation, as a share of the mean travel time without conflicts."""


def cma(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Evolve ranks until the budget is spent; restarts from the best where it has converged."""
    del incumbent  # an assignment has no ranks to start from
    clock = Clock(budget)
    size = graph.num_intervals if graph.num_intervals <= MAX_INTERVALS else graph.num_robots
    best_delay_s = np.zeros(max(size, 2))  # the cma package wants two numbers or more
    best = decode(graph, best_delay_s[:size])
    best_cost, steps, strategy = evaluate(graph, best).cost_s(objective), 1, None
    while clock.allows(steps) and graph.num_conflicts:
        if strategy is None or strategy.stop():
            strategy = _strategy(best_delay_s, SPREAD * float(graph.free_ms.mean()) / 1000, rng)
        costs: list[float] = []
        candidates = strategy.ask()
        for delay_s in candidates:
            if not clock.allows(steps):
                break
            assignment = decode(graph, delay_s)
            costs.append(evaluate(graph, assignment).cost_s(objective))
            steps += 1
            if costs[-1] < best_cost:
                best, best_cost, best_delay_s = assignment, costs[-1], delay_s
        if len(costs) == len(candidates):
            strategy.tell(candidates, costs)
    return Outcome(best, Status.FEASIBLE if budget.steps else Status.DEADLINE, None, steps)


def decode(graph: CoordinationGraph, delay_s: Floats) -> Assignment:
    """The assignment of a search vector.

    Args:
        delay_s: by interval, or by robot where there are more than MAX_INTERVALS.
    """
    by_interval = graph.num_intervals <= MAX_INTERVALS
    if not by_interval and not graph.merged:
        return insert_in_order(graph, robot_order(graph, graph.free_ms / 1000 + delay_s))
    if graph.merged:
        late_s = delay_s if by_interval else delay_s[graph.event_robot[graph.interval_enter]]
        return assignment_from_node_ranks(
            graph, graph.nominal_ms[graph.interval_enter] / 1000 + late_s
        )
    return dispatch(graph, graph.nominal_ms / 1000 + event_delays_s(graph, delay_s))


def event_delays_s(graph: CoordinationGraph, delay_s: Floats) -> Floats:
    """``[E]``: every event has the delay of the last interval its robot entered, first 0."""
    by_enter = np.argsort(graph.interval_enter, kind="stable")
    enter = graph.interval_enter[by_enter]
    if not len(enter):
        return np.zeros(graph.num_events)
    last = np.searchsorted(enter, np.arange(graph.num_events), side="right") - 1
    entered = (last >= 0) & (graph.event_robot[enter[last]] == graph.event_robot)
    return np.where(entered, delay_s[by_enter[last]], 0.0)


def _strategy(mean: Floats, spread: float, rng: np.random.Generator) -> Any:
    """A strategy that draws from ``rng`` alone, prints nothing and writes no file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for plotting libraries
        from cma import CMAEvolutionStrategy

    return CMAEvolutionStrategy(
        mean,
        spread,
        {
            "seed": math.nan,  # leave numpy's global generator alone
            "randn": lambda *shape: rng.standard_normal(shape),
            "CMA_diagonal": True,  # a full covariance costs more than it finds, from 20 numbers on
            "verbose": -9,
            "verb_log": 0,
        },
    )
