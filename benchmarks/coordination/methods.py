# SPDX-License-Identifier: Apache-2.0
"""Who is measured, and for how long each may think."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cluster.coordinators import NAMES, LearnedName, coordinator_of
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.interface import Budget, Clock, Coordinator, Outcome, Status
from sim.coordinators.portfolio import CoordinatorName
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective

if TYPE_CHECKING:  # torch takes seconds to import, and the best known costs do not need it
    from agents.coordination.model import CoordinationVAE

UNLEARNED = "unlearned"
"""Everything but the learning: as ``gnn_vae``, but with logits of 0 instead of a network."""


@dataclass(frozen=True)
class Method:
    """A coordinator and its deadline in seconds of wall-clock time, everything included."""

    name: str
    deadline_s: float

    def __str__(self) -> str:
        plans_nothing = self.name == CoordinatorName.FCFS
        return self.name if plans_nothing else f"{self.name} {self.deadline_s:g} s"

    @property
    def learned(self) -> bool:
        return self.name in list(LearnedName)


GNN_VAE = Method(LearnedName.GNN_VAE, 1.0)
GNN_VAE_LS = Method(LearnedName.GNN_VAE_LS, 1.0)
LOCAL_SEARCH_5 = Method(CoordinatorName.LOCAL_SEARCH, 5.0)
TIMED = (
    Method(CoordinatorName.FCFS, 1.0),
    Method(CoordinatorName.INSERTION, 1.0),
    Method(UNLEARNED, 1.0),
    GNN_VAE,
    GNN_VAE_LS,
    Method(CoordinatorName.LOCAL_SEARCH, 1.0),
    LOCAL_SEARCH_5,
    Method(CoordinatorName.PORTFOLIO, 1.0),
    Method(CoordinatorName.CMA, 1.0),
)
MILP = Method(CoordinatorName.MILP, 60.0)
LONG_SEARCH = Method(CoordinatorName.LOCAL_SEARCH, 60.0)
"""Looks for the best known cost where MILP proves none."""


def coordinator_by(method: Method, model: "CoordinationVAE | None") -> Coordinator:
    """The function behind a method, without the floor of first come first served.

    Raises:
        InputError: a learned method without a model.
    """
    if method.name == UNLEARNED:
        return unlearned
    return coordinator_of(NAMES[method.name], model)


def unlearned(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Samples and climbs as ``gnn_vae`` does, from logits of 0: everything but the learning."""
    from agents.coordination.sampling import SamplingOptions, priced
    from agents.coordination.sampling import unlearned as search

    clock = Clock(budget)
    floor = priced(graph, incumbent or serve_by_arrival(graph), objective)
    found, tried = search(graph, clock, objective, rng, SamplingOptions())
    best = min(found[0], floor, key=lambda one: one.cost_s)
    return Outcome(best.assignment, Status.FEASIBLE, None, tried)
