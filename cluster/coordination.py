# SPDX-License-Identifier: Apache-2.0
"""The trial of the ``coordinate`` command: decide, certify, evaluate, execute under delays."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cluster.coordinators import LearnedName, Name, coordinator_of
from cluster.trials import Record, Result, Shared, Trial, attempt, resolve, trial_rng
from sim.coordinators.interface import Budget, Coordinator
from sim.coordinators.portfolio import CoordinatorName, Decision, decide
from sim.delays import DelayModel, DelayOptions, sample_durations_ms
from sim.execution_summary import summarise
from sim.generate import WarehouseOptions, generate_warehouse
from sim.graph import CoordinationGraph, Int32s
from sim.instances import InstanceOptions, make_instance
from sim.robust import Criterion, choose_robust
from sim.schedule import Assignment, Objective

if TYPE_CHECKING:
    from agents.coordination.model import CoordinationVAE

DECIMALS = 6
WARM_UP_ROBOTS = 12
ROBUST_CANDIDATES = 8
"""Assignments that a robust choice is made from; each gets its share of the budget."""

DETERMINISTIC = (CoordinatorName.FCFS, CoordinatorName.PRIORITY, CoordinatorName.MILP)
"""Their second assignment would be the first one again."""

MODEL = "learned model"
"""Name of the shared value that the learned coordinators ask."""


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


def make_trial(instance: str, robots: int, coordinator: Name, terms: Terms) -> Trial:
    """One instance under one coordinator.

    The graph is a shared value named by the instance; the model, if any is asked, is ``MODEL``.
    """
    arguments = {
        "instance": instance,
        "robots": robots,
        "coordinator": coordinator,
        "graph": Shared(instance),
        "terms": terms,
        "model": Shared(MODEL) if isinstance(coordinator, LearnedName) else None,
    }
    return Trial(f"{instance}/{coordinator}", solve, arguments)


def solve(
    rng: np.random.Generator,
    instance: str,
    robots: int,
    coordinator: Name,
    graph: CoordinationGraph,
    terms: Terms,
    model: "CoordinationVAE | None",
) -> Result:
    """Let a coordinator decide, measuring its time, and show what its decision is worth."""
    solver = coordinator_of(coordinator, model)
    criterion: Criterion = "nominal" if coordinator in DETERMINISTIC else terms.criterion
    started_s = time.perf_counter()
    decision = _decide(rng, instance, solver, graph, terms, criterion)
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
    coordinator: Coordinator,
    graph: CoordinationGraph,
    terms: Terms,
    criterion: Criterion,
) -> Decision:
    if criterion == "nominal":
        return decide(coordinator, graph, terms.budget, terms.objective, rng)
    share = _share(terms.budget)
    children = rng.spawn(ROBUST_CANDIDATES)
    outcomes = [decide(coordinator, graph, share, terms.objective, r) for r in children]
    durations_ms = terms.durations_ms(graph, instance, "choice")
    candidates = [outcome.assignment for outcome in outcomes]
    chosen = choose_robust(graph, candidates, durations_ms, criterion, terms.objective)
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


def warm_up(coordinators: Sequence[Name], model: "CoordinationVAE | None" = None) -> None:
    """Load the compiled code of these on a small instance, so that no deadline pays for it.

    Its robots are in each other's way: where nobody is, little code would run.

    A model computes in one thread, as a worker has one core.

    What fails here will fail again in a trial, and be reported there.
    """
    if model is not None:
        import torch  # takes seconds, and only learned coordinators need it

        torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    floor = generate_warehouse(WarehouseOptions(rack_columns=2, num_pick_points=0), rng)
    graph = make_instance(floor, WARM_UP_ROBOTS, InstanceOptions(), rng).graph
    budget = Budget(deadline_s=1.0, steps=20)
    terms = Terms(0, budget, Objective.MEAN_TRAVEL, "nominal", DelayOptions(), 2)
    for coordinator in coordinators:
        trial = make_trial("warm-up", WARM_UP_ROBOTS, coordinator, terms)
        attempt(trial.key, solve, 0, resolve(trial.arguments, {"warm-up": graph, MODEL: model}))
