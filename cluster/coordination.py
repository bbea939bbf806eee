# SPDX-License-Identifier: Apache-2.0
"""The trial of the ``coordinate`` command: decide, certify, evaluate, execute under delays."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cluster.trials import Record, Result, Shared, Trial, attempt, resolve, trial_rng
from sim.coordinators.interface import Budget
from sim.coordinators.portfolio import CoordinatorName, Decision, coordinate
from sim.delays import DelayModel, DelayOptions, sample_durations_ms
from sim.execution_summary import summarise
from sim.generate import WarehouseOptions, generate_warehouse
from sim.graph import CoordinationGraph, Int32s
from sim.instances import InstanceOptions, make_instance
from sim.robust import Criterion, choose_robust
from sim.schedule import Assignment, Objective

DECIMALS = 6
ROBUST_CANDIDATES = 8
"""Assignments that a robust choice is made from; each gets its share of the budget."""

DETERMINISTIC = (CoordinatorName.FCFS, CoordinatorName.PRIORITY, CoordinatorName.MILP)
"""Their second assignment would be the first one again."""


@dataclass(frozen=True)
class Terms:
    """What all trials of a run have in common.

    Args:
        seed: of the run; delays are drawn from it and the instance, the same for all coordinators.
        delay_samples: executions of every schedule.
    """

    seed: int
    budget: Budget
    objective: Objective
    criterion: Criterion
    delay_model: DelayModel
    delay_samples: int

    def durations_ms(self, graph: CoordinationGraph, instance: str, purpose: str) -> Int32s:
        """``[E, S]`` durations under delays; those for choosing are not those for reporting."""
        rng = trial_rng(self.seed, f"{instance}/{purpose}")
        return sample_durations_ms(graph.duration_ms, self.delay_model, self.delay_samples, rng)


def instance_key(number: int, robots: int) -> str:
    """The stable name of an instance, such as ``i003-r050``."""
    return f"i{number:03d}-r{robots:03d}"


def make_trial(instance: str, robots: int, coordinator: CoordinatorName, terms: Terms) -> Trial:
    """One instance under one coordinator; the graph is a shared value named by the instance."""
    arguments = {
        "instance": instance,
        "robots": robots,
        "coordinator": coordinator,
        "graph": Shared(instance),
        "terms": terms,
    }
    return Trial(f"{instance}/{coordinator}", solve, arguments)


def solve(
    rng: np.random.Generator,
    instance: str,
    robots: int,
    coordinator: CoordinatorName,
    graph: CoordinationGraph,
    terms: Terms,
) -> Result:
    """Let a coordinator decide, measuring its time, and show what its decision is worth."""
    started_s = time.perf_counter()
    decision = _decide(rng, instance, coordinator, graph, terms)
    seconds = time.perf_counter() - started_s
    assignment = decision.assignment
    record = {
        "instance": instance,
        "robots": robots,
        "coordinator": str(coordinator),
        "cost": round(decision.cost_s, DECIMALS),
        "own_cost": round(decision.own_cost_s, DECIMALS),
        "bound": round(decision.bound_s, DECIMALS),
        "seconds": round(seconds, 4),
        "certified": decision.certificate.valid,
        "status": str(decision.status),
        "execution": _execution(graph, assignment, instance, terms),
    }
    return Result(record, {"order": assignment.order, "following": assignment.following})


def _decide(
    rng: np.random.Generator,
    instance: str,
    coordinator: CoordinatorName,
    graph: CoordinationGraph,
    terms: Terms,
) -> Decision:
    if terms.criterion == "nominal" or coordinator in DETERMINISTIC:
        return coordinate(coordinator, graph, terms.budget, terms.objective, rng)
    share = _share(terms.budget)
    children = rng.spawn(ROBUST_CANDIDATES)
    outcomes = [coordinate(coordinator, graph, share, terms.objective, r) for r in children]
    durations_ms = terms.durations_ms(graph, instance, "choice")
    candidates = [outcome.assignment for outcome in outcomes]
    chosen = choose_robust(graph, candidates, durations_ms, terms.criterion, terms.objective)
    return outcomes[chosen]


def _share(budget: Budget) -> Budget:
    steps = None if budget.steps is None else max(1, budget.steps // ROBUST_CANDIDATES)
    return Budget(budget.deadline_s / ROBUST_CANDIDATES, steps)


def _execution(
    graph: CoordinationGraph, assignment: Assignment, instance: str, terms: Terms
) -> Record:
    durations_ms = terms.durations_ms(graph, instance, "delays")
    record = summarise(graph, assignment, durations_ms).to_record()
    return {name: round(value, DECIMALS) for name, value in record.items()}


def warm_up(coordinators: Sequence[CoordinatorName]) -> None:
    """Load the compiled code of these on a tiny instance, so that no deadline pays for it.

    What fails here will fail again in a trial, and be reported there.
    """
    rng = np.random.default_rng(0)
    floor = generate_warehouse(WarehouseOptions(rack_columns=2, num_pick_points=0), rng)
    graph = make_instance(floor, 4, InstanceOptions(), rng).graph
    budget = Budget(deadline_s=1.0, steps=2)
    terms = Terms(0, budget, Objective.MEAN_TRAVEL, "nominal", DelayOptions(), 2)
    for coordinator in coordinators:
        trial = make_trial("warm-up", 4, coordinator, terms)
        attempt(trial.key, solve, 0, resolve(trial.arguments, {"warm-up": graph}))
