# SPDX-License-Identifier: Apache-2.0
"""How a solution pool is found.

First the best assignment: a tree search at a glance, local search from several starts, and a long
tree search that may prove optimality. Then a walk from each start whose cost is near the best:
every step of local search that stays below the limit is accepted, for better or worse, so the walk
spreads over all that is almost as good instead of falling back into one optimum.
"""

from collections.abc import Iterator

import numpy as np

from sim.coordinators.dive_search import different_dives
from sim.coordinators.incumbent import no_conflict_bound_s
from sim.coordinators.insertion import require_cells
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.coordinators.local_search import MOST_REMOVED, compaction_hope_ms, local_search
from sim.coordinators.pool import Pool, PoolOptions, Priced, make_pool, priced
from sim.coordinators.tree_search import tree_search
from sim.graph import CoordinationGraph
from sim.kernels.local_search import MAKESPAN, MEAN, search_steps, start_search
from sim.schedule import Objective, evaluate
from sim.times import assignment_from_times

GLANCE, STARTS, PROOF, WALKS = 0.05, 0.35, 0.4, 0.2
"""Shares of the budget: first tree search, local search, second tree search, walks. The middle
two are skipped where the first proves its result."""
NUM_STARTS = 8
"""Independent local searches; at equal time eight end 0.2 % below four, and 0.4 % below one."""
STRIDE, MOST_STRIDES = 5, 100
"""Steps of a walk between two looks at where it is, per robot; and the most looks."""


def solution_pool(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    options: PoolOptions,
    rng: np.random.Generator,
) -> Pool:
    """The best assignment that the budget allows, and others that are almost as good.

    Ends before the deadline where the best is proven at once and the walks have looked around.
    Steps are those of local search and nodes of tree search, which take about as long.

    Raises:
        InputError: the granularity is ``merged``.
        CertificateError: a search returned something unsafe.
    """
    require_cells(graph, "a solution pool")
    starts, bound_s = _search(graph, budget, objective, rng)
    limit_s = options.ratio * min(start.cost_s for start in starts)
    near = [start for start in starts if start.cost_s <= limit_s]
    part = budget.part(WALKS / len(near))
    met = [one for start in near for one in _walk(graph, start, limit_s, part, objective, rng)]
    return make_pool(graph, [*starts, *met], bound_s, options)


def _search(
    graph: CoordinationGraph, budget: Budget, objective: Objective, rng: np.random.Generator
) -> tuple[list[Priced], float]:
    """Good assignments, and the proven bound."""
    glance = tree_search(graph, budget.part(GLANCE), objective, rng)
    bound_s = _bound_s(graph, objective, glance)
    best = priced(graph, glance.assignment, objective)
    if glance.status is Status.OPTIMAL:
        return [best], bound_s
    part = budget.part(STARTS / NUM_STARTS)
    starts = [best]
    for dived in different_dives(graph, NUM_STARTS, objective, rng):
        run = local_search(graph, part, objective, rng, incumbent=dived)
        starts.append(priced(graph, run.assignment, objective))
    incumbent = min(starts, key=lambda start: start.cost_s).assignment
    proof = tree_search(graph, budget.part(PROOF), objective, rng, incumbent=incumbent)
    starts.append(priced(graph, proof.assignment, objective))
    return starts, max(bound_s, _bound_s(graph, objective, proof))


def _walk(
    graph: CoordinationGraph,
    start: Priced,
    limit_s: float,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
) -> Iterator[Priced]:
    """What a walk from one assignment meets that costs no more than the limit."""
    kind = MAKESPAN if objective is Objective.MAKESPAN else MEAN
    times_ms = evaluate(graph, start.assignment).time_ms.copy()
    state = start_search(graph.arrays, times_ms, kind)
    # The kernel's cost is another: the mean delay lacks free travel, the makespan has a trace more.
    limit_ms = state.cost[0] + 1000 * (limit_s - start.cost_s) + 1e-6
    hope_ms = compaction_hope_ms(graph, state, kind)
    clock, stride = Clock(budget), STRIDE * graph.num_robots
    for look in range(MOST_STRIDES):
        if not clock.allows(look * stride):
            break
        for _ in range(stride):
            state.cost[0] = limit_ms  # what the next step is compared with
            search_steps(graph.arrays, state, 1, kind, MOST_REMOVED, 0.0, hope_ms, rng)
        yield priced(graph, assignment_from_times(graph, state.time), objective)
    yield priced(graph, assignment_from_times(graph, state.best), objective)


def _bound_s(graph: CoordinationGraph, objective: Objective, outcome: Outcome) -> float:
    return max(no_conflict_bound_s(graph, objective), outcome.bound_s or 0.0)
