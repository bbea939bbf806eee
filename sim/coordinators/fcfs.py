# SPDX-License-Identifier: Apache-2.0
"""First come first served: what a warehouse does without a coordinator, kept from deadlock."""

from dataclasses import dataclass

import numpy as np

from sim.coordinators.dispatch import BY_ARRIVAL, dispatch
from sim.coordinators.interface import Budget, Outcome, Status
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.graph import CoordinationGraph
from sim.kernels.dispatch import dispatch_events
from sim.schedule import Assignment, Objective


def first_come_first_served(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """Whoever arrives first passes first; plans nothing, so it needs no budget and no luck."""
    del budget, objective, rng, incumbent
    return Outcome(serve_by_arrival(graph), Status.FEASIBLE, bound_s=None, steps=1)


def serve_by_arrival(graph: CoordinationGraph) -> Assignment:
    """Whoever arrives first passes first, unless that could end in a deadlock.

    With ``merged`` granularity arrival means that of a robot which is never held up.
    """
    if graph.merged:
        nominal_ms = graph.nominal_ms[graph.interval_enter].astype(np.float64)
        return assignment_from_node_ranks(graph, nominal_ms)
    return dispatch(graph, BY_ARRIVAL)


@dataclass(frozen=True)
class PlainOutcome:
    """How first come first served ends without the check: ``stuck`` robots from ``at_s`` on."""

    deadlocked: bool
    at_s: float
    robots_stuck: int


def plain_first_come_first_served(graph: CoordinationGraph) -> PlainOutcome:
    """Serve by arrival and hope; on two-way aisles robots meet head on and stay there."""
    sequence, time_ms = dispatch_events(graph.arrays, BY_ARRIVAL, careful=False)
    stuck = np.unique(graph.event_robot[sequence < 0])
    return PlainOutcome(bool(stuck.size), float(time_ms.max()) / 1000.0, int(stuck.size))
