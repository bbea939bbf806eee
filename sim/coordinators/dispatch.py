# SPDX-License-Identifier: Apache-2.0
"""From ranks of events to an assignment: serve requests by rank, never into a deadlock."""

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.insertion import require_cells
from sim.graph import CoordinationGraph
from sim.kernels.dispatch import dispatch_events
from sim.schedule import Assignment
from sim.times import assignment_from_times

BY_ARRIVAL = np.empty(0)
"""Stands for ranks: serve by time of arrival."""


def dispatch(graph: CoordinationGraph, rank: NDArray[np.float64]) -> Assignment:
    """Serve requests for cells by rank, each only if everybody could still finish after it.

    Feasible for any ranks, hence a decoder for whatever predicts them.

    Args:
        rank: ``[E]`` of every event, lower is served earlier (nan counts as 0); or BY_ARRIVAL.

    Raises:
        InputError: the granularity is ``merged``.
    """
    require_cells(graph, "dispatch")
    sequence, _ = dispatch_events(graph.arrays, np.nan_to_num(rank, nan=0.0), careful=True)
    return assignment_from_times(graph, sequence)
