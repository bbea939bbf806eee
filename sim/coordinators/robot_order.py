# SPDX-License-Identifier: Apache-2.0
"""Total orders of robots in which they could drive one after another."""

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.conflicts import sequential_precedences
from sim.graph import CoordinationGraph, Int32s


def robot_order(graph: CoordinationGraph, rank: NDArray[np.floating | np.integer]) -> Int32s:
    """Robots by ascending rank; with parking on the floor, as far as parked robots allow.

    Args:
        rank: ``[N]`` any finite numbers; ties go to the lower robot number.
    """
    order = np.argsort(rank, kind="stable").astype(np.int32)
    if not graph.parked.any():
        return order
    place = np.argsort(order)
    before = nx.DiGraph(
        list(sequential_precedences(graph.offsets, graph.cell, graph.event_robot, graph.parked))
    )
    before.add_nodes_from(range(graph.num_robots))
    robots = nx.lexicographical_topological_sort(before, key=lambda robot: int(place[robot]))
    return np.fromiter(robots, dtype=np.int32)
