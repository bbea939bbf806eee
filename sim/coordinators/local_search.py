# SPDX-License-Identifier: Apache-2.0
"""Local search: improve a schedule until the deadline by moving a few robots at a time."""

import numpy as np

from sim.coordinators.incumbent import feasible_start
from sim.coordinators.insertion import require_cells
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.graph import CoordinationGraph
from sim.kernels.local_search import (
    MAKESPAN,
    MEAN,
    Search,
    restore_best,
    search_steps,
    start_search,
)
from sim.schedule import Assignment, Objective, evaluate
from sim.times import assignment_from_times

MOST_REMOVED = 12
"""Robots taken out in one step, at most."""
START_TEMPERATURE = 0.02
"""Of the annealing, as a share of the start's cost per robot; falls to 0 with the square."""
PATIENCE_STEPS = 20
"""Steps without improvement, per robot, after which it heats up again."""
HOPE = 0.5
"""Mean of what compaction is hoped to bring to a step, as a share of one robot's mean delay. From
0.05 to 1.5 the results are the same within noise."""
CHUNK_STEPS = 20
"""Steps between two looks at the clock; about 10 ms at 250 robots."""


def local_search(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Large-neighbourhood search with simulated annealing, see :mod:`sim.kernels.local_search`.

    A step takes out 2 to 12 robots that hinder each other and inserts them again. The result is
    never worse than its start.

    Raises:
        InputError: the granularity is ``merged``.
    """
    require_cells(graph, "local_search")
    clock = Clock(budget)
    kind = MAKESPAN if objective is Objective.MAKESPAN else MEAN
    start = feasible_start(graph, clock, objective, rng, incumbent)
    search = start_search(graph.arrays, evaluate(graph, start).time_ms.copy(), kind)
    if graph.num_conflicts == 0:
        return Outcome(start, Status.FEASIBLE, bound_s=None, steps=0)
    steps = _anneal(graph, search, kind, clock, rng)
    found = assignment_from_times(graph, search.best)
    better = evaluate(graph, found).cost_s(objective) <= evaluate(graph, start).cost_s(objective)
    status = Status.FEASIBLE if budget.steps else Status.DEADLINE
    return Outcome(found if better else start, status, bound_s=None, steps=steps)


def _anneal(
    graph: CoordinationGraph, search: Search, kind: int, clock: Clock, rng: np.random.Generator
) -> int:
    """Run the search to the end of the budget; returns steps done.

    The temperature falls to zero with the budget. Where nothing improves for long, the search
    goes back to its best schedule, heats up once more and cools within that time.
    """
    hottest_ms = START_TEMPERATURE * float(search.cost[0]) / graph.num_robots
    patience = PATIENCE_STEPS * graph.num_robots
    steps, best, changed_at, heated_at = 0, float(search.cost[1]), 0, -1
    while clock.allows(steps):
        chunk = CHUNK_STEPS
        if clock.budget.steps is not None:
            chunk = min(chunk, clock.budget.steps - steps)
        spent = clock.spent_share(steps) if heated_at < 0 else (steps - heated_at) / patience
        temperature_ms = hottest_ms * max(0.0, 1.0 - spent) ** 2
        hope_ms = compaction_hope_ms(graph, search, kind)
        search_steps(graph.arrays, search, chunk, kind, MOST_REMOVED, temperature_ms, hope_ms, rng)
        steps += chunk
        if search.cost[1] < best:
            best, changed_at = float(search.cost[1]), steps
        elif steps - changed_at >= patience:
            restore_best(graph.arrays, search)
            changed_at = heated_at = steps
    return steps


def compaction_hope_ms(graph: CoordinationGraph, search: Search, kind: int) -> float:
    """``HOPE`` in milliseconds of cost, for :func:`sim.kernels.local_search.search_steps`."""
    delay_ms = max(0.0, float(search.cost[0]) - float(graph.free_ms.mean()))
    return HOPE * (delay_ms / graph.num_robots if kind == MEAN else delay_ms)
