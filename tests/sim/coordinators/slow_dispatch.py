# SPDX-License-Identifier: Apache-2.0
"""First come first served as one would write it down: at every step ask everybody.

Shares nothing with the kernels: no queue, nobody is called or woken, and whether all can finish is
tried from scratch at every request.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.graph import CoordinationGraph, Int32s
from tests.sim.tiny_instances import visits_of

Key = tuple[float, float, int]


@dataclass
class State:
    """``position`` is the next event of every robot."""

    graph: CoordinationGraph
    position: list[int]

    def cell(self, i: int) -> int:
        """The cell that robot ``i`` holds; -1 in its bay, before or after."""
        start = int(self.graph.offsets[i])
        return -1 if self.position[i] == start else int(self.graph.cell[self.position[i] - 1])

    @cached_property
    def stays(self) -> list[list[tuple[int, int, int]]]:
        """The region, first and last event of every stay of every robot."""
        stays: list[list[tuple[int, int, int]]] = [[] for _ in self.position]
        for q in range(self.graph.num_regions):
            for enter, leave in visits_of(self.graph, q):
                stays[self.graph.event_robot[enter]].append((q, enter, leave))
        return stays

    def inside(self, i: int, q: int) -> bool:
        """Whether robot ``i`` is in region ``q``."""
        return any(r == q and a < self.position[i] <= b for r, a, b in self.stays[i])

    def has_room(self, i: int, e: int, others: set[int]) -> bool:
        """Whether event ``e`` of robot ``i`` enters no region that ``others`` fill."""
        return all(
            sum(self.inside(j, q) for j in others) < self.graph.region_bound[q]
            for q, enter, _ in self.stays[i]
            if enter == e
        )

    def can_finish(self, i: int, others: set[int]) -> bool:
        """Whether robot ``i`` can drive on to its end while all ``others`` stay where they are."""
        graph, end = self.graph, int(self.graph.offsets[i + 1]) - 1
        taken = {self.cell(j) for j in others} - {-1}
        to_come = range(self.position[i], end)
        if any(graph.cell[e] in taken or not self.has_room(i, e, others) for e in to_come):
            return False
        goal = graph.cell[end - 1]
        return not graph.parked[i] or not any(
            graph.cell[e] == goal
            for j in others
            for e in range(self.position[j], graph.offsets[j + 1])
        )

    def is_safe(self) -> bool:
        """Whether all can finish one after another."""
        left = set(range(self.graph.num_robots))
        while True:
            finishing = {i for i in left if self.can_finish(i, left - {i})}
            if not finishing:
                return not left
            left.remove(min(finishing))


def dispatch_slowly(
    graph: CoordinationGraph, rank: NDArray[np.float64], careful: bool
) -> tuple[Int32s, Int32s]:
    """As :func:`sim.kernels.dispatch.dispatch_events`."""
    sequence = np.full(graph.num_events, -1, dtype=np.int32)
    time_ms = np.full(graph.num_events, -1, dtype=np.int32)
    start = graph.offsets[:-1] + graph.parked
    state, arrived, free_at = State(graph, start.tolist()), {}, dict[int, float]()
    for i in range(graph.num_robots):
        begin, first = graph.offsets[i], start[i]
        sequence[begin:first], time_ms[begin:first] = 0, graph.release_ms[i]
        waited = graph.duration_ms[begin] if graph.parked[i] else 0
        arrived[i] = float(rank[first]) if len(rank) else float(graph.release_ms[i] + waited)
    counter, now = 0, -np.inf

    def key(i: int) -> Key:
        cell = int(graph.cell[state.position[i]])
        when = arrived[i] if len(rank) else max(arrived[i], free_at.get(cell, 0.0), now)
        return when, arrived[i], i

    waiting = set(range(graph.num_robots))
    while granted := next(
        (k for k in sorted(map(key, waiting)) if _may(state, k[2], careful)), None
    ):
        when, _, i = granted
        e, left = state.position[i], state.cell(i)
        arrives_for_good = graph.parked[i] and graph.cell[e] < 0
        sequence[e] = counter + 1
        time_ms[e] = 0 if len(rank) else int(when)
        if arrives_for_good:
            waiting.remove(i)
            continue
        counter, now = counter + 1, when
        state.position[i] += 1
        if left >= 0:
            free_at[left] = when + graph.headway_ms
        if graph.cell[e] < 0:
            waiting.remove(i)
        else:
            arrived[i] = float(rank[e + 1]) if len(rank) else when + int(graph.duration_ms[e])
    return sequence, time_ms


def _may(state: State, i: int, careful: bool) -> bool:
    """Whether robot ``i`` may have its next event now."""
    graph, e = state.graph, state.position[i]
    others = set(range(graph.num_robots)) - {i}
    if graph.cell[e] < 0:
        return True
    if graph.cell[e] in {state.cell(j) for j in others} or not state.has_room(i, e, others):
        return False
    state.position[i] += 1
    safe = not careful or state.is_safe()
    state.position[i] -= 1
    return safe
