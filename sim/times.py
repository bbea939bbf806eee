# SPDX-License-Identifier: Apache-2.0
"""From feasible event times back to an assignment."""

import numpy as np

from sim.graph import CoordinationGraph, Int32s
from sim.schedule import Assignment


def assignment_from_times(graph: CoordinationGraph, time_ms: Int32s) -> Assignment:
    """The assignment that a feasible schedule obeys: who came first was first.

    Args:
        time_ms: ``[E]`` times in which no two robots share a cell.
    """
    order = np.zeros(graph.num_conflicts, dtype=np.int8)
    later = time_ms[graph.overlap_u] > time_ms[graph.overlap_v]
    order[graph.overlap_conflict] = later
    following = graph.following_allowed.copy()
    for region in range(graph.num_regions):
        _type_region(graph, time_ms, region, order, following)
    return Assignment(order, following)


def _type_region(
    graph: CoordinationGraph,
    time_ms: Int32s,
    region: int,
    order: "np.ndarray[tuple[int], np.dtype[np.int8]]",
    following: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> None:
    """Give every visit one of D slots; visits of one slot exclude each other.

    D chains of mutually exclusive visits are the least that keeps D + 1 robots out under any
    delay, so everything else stays free to overlap.
    """
    conflicts = np.flatnonzero(graph.conflict_region == region)
    u, v = graph.conflict_u[conflicts], graph.conflict_v[conflicts]
    enter, leave = time_ms[graph.interval_enter], time_ms[graph.interval_exit]
    order[conflicts] = enter[u] > enter[v]
    slot = np.full(graph.num_intervals, -1)
    free_ms = np.full(graph.region_bound[region], np.iinfo(np.int64).min)
    visits = graph.region_visits[graph.region_ptr[region] : graph.region_ptr[region + 1]]
    for visit in visits[np.argsort(enter[visits], kind="stable")]:
        slot[visit] = free_ms.argmin()
        free_ms[slot[visit]] = leave[visit] + graph.headway_ms
    following[conflicts] = slot[u] != slot[v]
