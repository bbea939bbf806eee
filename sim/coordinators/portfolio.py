# SPDX-License-Identifier: Apache-2.0
"""All coordinators by name, the portfolio that picks one, and the floor under each of them."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from sim.certificate import Certificate, certify
from sim.coordinators.cma import cma
from sim.coordinators.dive_search import dive_search
from sim.coordinators.fcfs import first_come_first_served
from sim.coordinators.incumbent import no_conflict_bound_s
from sim.coordinators.insertion import rank_insertion
from sim.coordinators.interface import Budget, Clock, Coordinator, Outcome, Status
from sim.coordinators.local_search import local_search
from sim.coordinators.milp import milp
from sim.coordinators.priority import fixed_priority
from sim.coordinators.tree_search import tree_search
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate


class CoordinatorName(StrEnum):
    """The coordinators that can be asked for."""

    FCFS = "fcfs"
    PRIORITY = "priority"
    INSERTION = "insertion"
    DIVE = "dive"
    MILP = "milp"
    TREE_SEARCH = "tree_search"
    CMA = "cma"
    LOCAL_SEARCH = "local_search"
    PORTFOLIO = "portfolio"


class CertificateError(RuntimeError):
    """A coordinator returned an assignment that must not drive robots: a bug of ours."""


@dataclass(frozen=True, eq=False)
class Decision(Outcome):
    """A certified outcome, never worse than first come first served.

    Args:
        bound_s: proven; that of robots alone on the floor if the coordinator proves none.
        cost_s: of the assignment.
        own_cost_s: of what the coordinator itself found; higher than ``cost_s`` on a fallback.
        certificate: valid.
    """

    bound_s: float
    cost_s: float
    own_cost_s: float
    certificate: Certificate


DIVE_S_PER_CONFLICT = 1e-5
"""The portfolio begins with a dive when there is so much time: most take a fifth of it."""
SEARCH_SHARE = 0.25
"""Part of the budget that local search gets before a proof is tried."""
PROOF_CONFLICTS = 1000
"""The portfolio tries to prove optimality up to this many conflicts ..."""
PROOF_DEADLINE_S = 0.2
"""... and from this deadline on."""


def portfolio(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """A dive, then local search from it for large fleets and short deadlines; else a tree search
    then proves or improves its result.

    Local search proves nothing by itself, and the tree search is the quicker of the two that do
    on fleets this small.
    """
    if graph.merged:
        return tree_search(graph, budget, objective, rng, incumbent=incumbent)
    clock = Clock(budget)
    if budget.steps is not None or budget.deadline_s > DIVE_S_PER_CONFLICT * graph.num_conflicts:
        dived = dive_search(graph, Budget(steps=1), objective, rng, incumbent=incumbent)
        incumbent, budget = dived.assignment, clock.rest()
    hurried = budget.steps is None and budget.deadline_s < PROOF_DEADLINE_S
    if hurried or graph.num_conflicts > PROOF_CONFLICTS:
        return local_search(graph, budget, objective, rng, incumbent=incumbent)
    first = replace(budget, deadline_s=budget.deadline_s * SEARCH_SHARE)
    found = local_search(graph, first, objective, rng, incumbent=incumbent)
    rest = clock.rest()
    proof = tree_search(graph, rest, objective, rng, incumbent=found.assignment)
    return replace(proof, steps=found.steps + proof.steps)


COORDINATORS: dict[CoordinatorName, Coordinator] = {
    CoordinatorName.FCFS: first_come_first_served,
    CoordinatorName.PRIORITY: fixed_priority,
    CoordinatorName.INSERTION: rank_insertion,
    CoordinatorName.DIVE: dive_search,
    CoordinatorName.MILP: milp,
    CoordinatorName.TREE_SEARCH: tree_search,
    CoordinatorName.CMA: cma,
    CoordinatorName.LOCAL_SEARCH: local_search,
    CoordinatorName.PORTFOLIO: portfolio,
}


def coordinate(
    name: CoordinatorName,
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
) -> Decision:
    """:func:`decide` with one of ours, by its name."""
    return decide(COORDINATORS[name], graph, budget, objective, rng)


def decide(
    coordinator: Coordinator,
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
) -> Decision:
    """Decide every conflict: certified, and never worse than first come first served.

    The time for first come first served is part of the deadline.

    Args:
        coordinator: ours or anybody's; what it returns is not trusted.

    Raises:
        InputError: the coordinator cannot serve this kind of graph.
        CertificateError: it returned something unsafe.
    """
    clock = Clock(budget)
    floor = first_come_first_served(graph, budget, objective, rng)
    outcome = floor
    if coordinator is not first_come_first_served:
        outcome = coordinator(graph, clock.rest(), objective, rng, incumbent=floor.assignment)
    return _above_floor(graph, objective, outcome, floor)


def _above_floor(
    graph: CoordinationGraph, objective: Objective, outcome: Outcome, floor: Outcome
) -> Decision:
    """The cheaper of the two, with its certificate."""
    own_cost_s, certificate = _certified_cost_s(graph, outcome.assignment, objective)
    chosen, status, cost_s = outcome.assignment, outcome.status, own_cost_s
    if evaluate(graph, floor.assignment).cost_s(objective) < own_cost_s:
        chosen, status = floor.assignment, Status.FALLBACK
        cost_s, certificate = _certified_cost_s(graph, chosen, objective)
    bound_s = max(no_conflict_bound_s(graph, objective), outcome.bound_s or 0.0)
    return Decision(
        assignment=chosen,
        status=status,
        bound_s=bound_s,
        steps=outcome.steps,
        cost_s=cost_s,
        own_cost_s=own_cost_s,
        certificate=certificate,
    )


def _certified_cost_s(
    graph: CoordinationGraph, assignment: Assignment, objective: Objective
) -> tuple[float, Certificate]:
    certificate = certify(graph, assignment)
    if not certificate.valid:
        raise CertificateError(f"not certified: {certificate.violation}")
    return evaluate(graph, assignment).cost_s(objective), certificate
