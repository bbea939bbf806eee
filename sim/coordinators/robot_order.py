# SPDX-License-Identifier: Apache-2.0
"""Total orders of robots in which they could drive one after another."""

import heapq

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.conflicts import sequential_precedences
from sim.graph import Bools, CoordinationGraph, Int32s
from sim.jit import kernel

Rank = NDArray[np.floating | np.integer]


def robot_order(graph: CoordinationGraph, rank: Rank) -> Int32s:
    """Robots by ascending rank; with parking on the floor, as far as parked robots allow.

    Of the robots that nobody must go before, the one of least rank is next, and so on.

    Args:
        rank: ``[N]`` any finite numbers; ties go to the lower robot number.
    """
    order = np.argsort(rank, kind="stable").astype(np.int32)
    if not graph.parked.any():
        return order
    arrays = graph.arrays
    return _by_place(graph.offsets, arrays.resource, arrays.visit_ptr, arrays.visits,
                     graph.event_robot, graph.parked, order)  # fmt: skip


def robot_order_reference(graph: CoordinationGraph, rank: Rank) -> Int32s:
    """The same by networkx, slow and obvious; for tests."""
    place = np.argsort(np.argsort(rank, kind="stable"))
    before = nx.DiGraph(
        list(sequential_precedences(graph.offsets, graph.cell, graph.event_robot, graph.parked))
    )
    before.add_nodes_from(range(graph.num_robots))
    robots = nx.lexicographical_topological_sort(before, key=lambda robot: int(place[robot]))
    return np.fromiter(robots, dtype=np.int32)


@kernel
def _by_place(
    offsets: Int32s,
    resource: Int32s,
    visit_ptr: Int32s,
    visits: Int32s,
    robot_of: Int32s,
    parked: Bools,
    order: Int32s,
) -> Int32s:
    """Who starts on the route of another goes before it, who parks there after it.

    A pair may be counted several times, once for each visit; it is taken back as often.
    """
    num_robots = len(offsets) - 1
    place = np.empty(num_robots, dtype=np.int32)
    for index in range(num_robots):
        place[order[index]] = index
    waits_for = np.zeros(num_robots, dtype=np.int64)
    parks_at = np.full(len(visit_ptr) - 1, -1, dtype=np.int32)
    for owner in range(num_robots):
        if parked[owner]:
            start, goal = resource[offsets[owner]], resource[offsets[owner + 1] - 2]
            parks_at[goal] = owner
            for index in range(visit_ptr[start], visit_ptr[start + 1]):
                other = robot_of[visits[index]]
                waits_for[other] += other != owner
            for index in range(visit_ptr[goal], visit_ptr[goal + 1]):
                waits_for[owner] += robot_of[visits[index]] != owner
    heap = [np.int64(place[robot]) for robot in range(num_robots) if waits_for[robot] == 0]
    heapq.heapify(heap)
    found = np.empty(num_robots, dtype=np.int32)
    count = 0
    while len(heap) > 0:
        robot = order[heapq.heappop(heap)]
        found[count] = robot
        count += 1
        if parked[robot]:  # those that pass its start
            start = resource[offsets[robot]]
            for index in range(visit_ptr[start], visit_ptr[start + 1]):
                other = robot_of[visits[index]]
                if other != robot:
                    waits_for[other] -= 1
                    if waits_for[other] == 0:
                        heapq.heappush(heap, np.int64(place[other]))
        for event in range(offsets[robot], offsets[robot + 1] - 1):  # who parks on its route
            owner = parks_at[resource[event]]
            if owner >= 0 and owner != robot:
                waits_for[owner] -= 1
                if waits_for[owner] == 0:
                    heapq.heappush(heap, np.int64(place[owner]))
    return found
