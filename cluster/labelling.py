# SPDX-License-Identifier: Apache-2.0
"""The trial of ``label``: draw an instance, solve it, keep a pool of its best assignments."""

import time
from dataclasses import dataclass

import numpy as np

from agents.coordination.packing import LabelledInstance, pack
from cluster.trials import Result, Shared, Trial, attempt
from sim.coordinators.fcfs import first_come_first_served
from sim.coordinators.interface import Budget, Status
from sim.coordinators.pool import Pool, PoolOptions, diversity
from sim.coordinators.pool_search import solution_pool
from sim.families import FamilyOptions, Floor, draw_instance
from sim.floors import FloorKind
from sim.instances import Instance
from sim.schedule import Objective, evaluate

DECIMALS = 6


@dataclass(frozen=True)
class Terms:
    """What all trials of a run have in common."""

    family: FamilyOptions
    pool: PoolOptions
    budget: Budget
    objective: Objective


def make_trial(number: int, floor: str, terms: Terms) -> Trial:
    """One instance; the floor is a shared value under its name."""
    name = f"i{number:05d}"
    return Trial(name, label, {"name": name, "floor": Shared(floor), "terms": terms})


def label(rng: np.random.Generator, name: str, floor: Floor, terms: Terms) -> Result:
    """Everything about one instance, from its floor to its pool."""
    started_s = time.perf_counter()
    instance = draw_instance(floor, terms.family, rng)
    graph = instance.graph
    pool = solution_pool(graph, terms.budget, terms.objective, terms.pool, rng)
    baseline = first_come_first_served(graph, terms.budget, terms.objective, rng).assignment
    seconds = time.perf_counter() - started_s
    labelled = _labelled(name, instance, pool)
    record = {
        "instance": name,
        "floor": instance.layout.name,
        "robots": graph.num_robots,
        "conflicts": graph.num_conflicts,
        "cost": round(float(pool.cost_s[0]), DECIMALS),
        "fcfs": round(evaluate(graph, baseline).cost_s(terms.objective), DECIMALS),
        "bound": round(pool.bound_s, DECIMALS),
        "gap": round(labelled.gap, DECIMALS),
        "pool": len(pool.assignments),
        "diversity": round(diversity(graph, pool.order), DECIMALS),
        "seconds": round(seconds, 4),
        "status": str(_status(pool, terms.budget)),
    }
    return Result(record, pack([labelled]))


def _labelled(name: str, instance: Instance, pool: Pool) -> LabelledInstance:
    return LabelledInstance(
        name=name,
        floor=instance.layout.name,
        graph=instance.graph,
        order=pool.order,
        following=np.stack([assignment.following for assignment in pool.assignments]),
        cost_s=pool.cost_s,
        bound_s=pool.bound_s,
        proven=pool.proven,
    )


def _status(pool: Pool, budget: Budget) -> Status:
    if pool.proven:
        return Status.OPTIMAL
    return Status.DEADLINE if budget.steps is None else Status.FEASIBLE


def warm_up() -> None:
    """Load the compiled code on a tiny instance, so that no deadline pays for it.

    What fails here will fail again in a trial, and be reported there.
    """
    budget = Budget(deadline_s=1.0, steps=100)
    terms = Terms(FamilyOptions(robots=(6, 6)), PoolOptions(), budget, Objective.MEAN_TRAVEL)
    arguments = {"name": "warm-up", "floor": FloorKind.RANDOM, "terms": terms}
    attempt("warm-up", label, 0, arguments)
