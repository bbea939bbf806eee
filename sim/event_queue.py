# SPDX-License-Identifier: Apache-2.0
"""The plain event queue: how one run by precedence is executed without any preparation.

It is the slow and obvious twin of :mod:`sim.execution`, and the pace that its benchmark is
measured against.
"""

import heapq

import numpy as np

from sim.graph import CoordinationGraph, Int32s
from sim.kernels.execution import NEVER
from sim.schedule import Assignment, cell_edges, exclusive_edges


def waiting_events(graph: CoordinationGraph, assignment: Assignment) -> list[list[int]]:
    """For every event, those of other robots that wait for it: the next visitor's entry."""
    arrays = graph.arrays
    earlier = np.bincount(cell_edges(graph, assignment.order)[1], minlength=graph.num_events)
    visits = np.lexsort((earlier + arrays.base_rank, arrays.resource))
    visits = visits[arrays.resource[visits] >= 0]
    next_on_cell = arrays.resource[visits][1:] == arrays.resource[visits][:-1]
    before, after = visits[:-1][next_on_cell] + 1, visits[1:][next_on_cell]
    implied = np.ones(graph.num_conflicts, dtype=bool)
    implied[arrays.explicit] = False
    exclusive = exclusive_edges(graph, Assignment(assignment.order, assignment.following | implied))
    waiting: list[list[int]] = [[] for _ in range(graph.num_events)]
    for earlier_event, later_event in zip(
        np.concatenate([before, exclusive[0]]).tolist(),
        np.concatenate([after, exclusive[1]]).tolist(),
        strict=True,
    ):
        waiting[earlier_event].append(later_event)
    return waiting


def execute_reference(
    graph: CoordinationGraph, waiting: list[list[int]], duration_ms: Int32s
) -> list[int]:
    """``[E]`` times of one run with durations ``[E]``, NEVER where a deadlock prevents an event.

    Args:
        waiting: from :func:`waiting_events`.
    """
    starts, ends = set(graph.offsets[:-1].tolist()), set((graph.offsets[1:] - 1).tolist())
    missing = [int(event not in starts) for event in range(graph.num_events)]
    for events in waiting:
        for event in events:
            missing[event] += 1
    ready = [0] * graph.num_events
    for start, release in zip(graph.offsets.tolist(), graph.release_ms.tolist(), strict=False):
        ready[start] = release
    durations = duration_ms.tolist()
    queue = [(ready[start], start) for start in starts if missing[start] == 0]
    heapq.heapify(queue)
    time = [NEVER] * graph.num_events
    while queue:
        now, event = heapq.heappop(queue)
        time[event] = now
        reached = [(later, now + graph.headway_ms) for later in waiting[event]]
        if event not in ends:
            reached.append((event + 1, now + durations[event]))
        for later, at in reached:
            ready[later] = max(ready[later], at)
            missing[later] -= 1
            if missing[later] == 0:
                heapq.heappush(queue, (ready[later], later))
    return time
