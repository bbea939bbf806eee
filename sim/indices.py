# SPDX-License-Identifier: Apache-2.0
"""Indices that the compiled kernels need beside the coordination graph itself."""

import numpy as np

from sim.graph import CoordinationGraph, GraphArrays, Int32s


def graph_arrays(graph: CoordinationGraph) -> GraphArrays:
    """All kernel inputs of a graph; see :class:`sim.graph.GraphArrays`."""
    resource, visit_ptr, visits = visits_by_cell(graph.cell)
    region_enter = graph.interval_enter[graph.region_visits]
    by_robot = np.argsort(region_enter, kind="stable")
    region = np.repeat(np.arange(graph.num_regions, dtype=np.int32), np.diff(graph.region_ptr))
    region_exit = graph.interval_exit[graph.region_visits]
    enter, leave = graph.interval_enter, graph.interval_exit
    return GraphArrays(
        offsets=graph.offsets.copy(),
        robot=graph.event_robot.copy(),
        exits=_exits(graph),
        resource=resource,
        duration_ms=graph.duration_ms.copy(),
        release_ms=graph.release_ms.copy(),
        free_ms=graph.free_ms,
        headway_ms=graph.headway_ms,
        base_rank=_earlier_visits_of_same_robot(graph, visits),
        visit_ptr=visit_ptr,
        visits=visits,
        overlap_u=graph.overlap_u.copy(),
        overlap_v=graph.overlap_v.copy(),
        overlap_length=graph.overlap_length.copy(),
        overlap_direction=graph.overlap_direction.copy(),
        overlap_conflict=graph.overlap_conflict.copy(),
        enter_u=enter[graph.conflict_u],
        exit_u=leave[graph.conflict_u],
        enter_v=enter[graph.conflict_v],
        exit_v=leave[graph.conflict_v],
        explicit=_explicit_conflicts(graph),
        parked=graph.parked.copy(),
        region_bound=graph.region_bound.copy(),
        region_ptr=graph.region_ptr.copy(),
        region_enter=region_enter,
        region_exit=region_exit,
        stay_ptr=np.searchsorted(region_enter[by_robot], graph.offsets).astype(np.int32),
        stay_at=_stay_entered_by(graph.num_events, region_enter[by_robot]),
        stay_region=region[by_robot],
        stay_enter=region_enter[by_robot],
        stay_exit=region_exit[by_robot],
    )


def _exits(graph: CoordinationGraph) -> Int32s:
    """``[E]`` the event that frees an event's cell; -1 where the robot parks, and at exits."""
    exits = np.arange(1, graph.num_events + 1, dtype=np.int32)
    exits[graph.cell < 0] = -1
    exits[graph.offsets[1:][graph.parked] - 2] = -1
    return exits


def _stay_entered_by(num_events: int, stay_enter: Int32s) -> Int32s:
    """``[E]`` the first stay in a region that an event begins, -1 for none."""
    first = np.full(num_events, -1, dtype=np.int32)
    events, stays = np.unique(stay_enter, return_index=True)
    first[events] = stays
    return first


def visits_by_cell(cell: Int32s) -> tuple[Int32s, Int32s, Int32s]:
    """Group events by the cell they enter.

    Returns:
        ``resource [E]`` (dense number of the cell, -1 for exits), ``visit_ptr`` and ``visits``:
        the events on cell number ``k`` are ``visits[visit_ptr[k]:visit_ptr[k + 1]]``, ascending.
    """
    entering = np.flatnonzero(cell >= 0)
    _, dense = np.unique(cell[entering], return_inverse=True)
    resource = np.full(len(cell), -1, dtype=np.int32)
    resource[entering] = dense
    order = np.argsort(dense, kind="stable")
    counts = np.bincount(dense)
    visit_ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return resource, visit_ptr, entering[order].astype(np.int32)


def _earlier_visits_of_same_robot(graph: CoordinationGraph, visits: Int32s) -> Int32s:
    """``[E]`` how often the robot itself was on this cell before (errands revisit cells)."""
    rank = np.zeros(graph.num_events, dtype=np.int32)
    robot = graph.event_robot[visits]
    same = (robot[1:] == robot[:-1]) & (graph.cell[visits][1:] == graph.cell[visits][:-1])
    for index in np.flatnonzero(same):  # ascending: the predecessor's rank is known
        rank[visits[index + 1]] = rank[visits[index]] + 1
    return rank


def _explicit_conflicts(graph: CoordinationGraph) -> Int32s:
    """Conflicts whose exclusive type says more than the order of the shared cells.

    It says nothing more where the interval is exactly one overlap of one cell or in opposite
    direction: then the exclusive edge is the strongest of the cell edges.
    """
    num_overlaps = np.bincount(graph.overlap_conflict, minlength=graph.num_conflicts)
    single = num_overlaps == 1
    implied = np.zeros(graph.num_conflicts, dtype=bool)
    for_conflict = graph.overlap_conflict
    exact = (graph.interval_enter[graph.conflict_u][for_conflict] == graph.overlap_u) & (
        graph.interval_exit[graph.conflict_u][for_conflict]
        == graph.overlap_u + graph.overlap_length
    )
    first_v = graph.overlap_v_first
    exact &= (graph.interval_enter[graph.conflict_v][for_conflict] == first_v) & (
        graph.interval_exit[graph.conflict_v][for_conflict] == first_v + graph.overlap_length
    )
    implied[for_conflict] = exact & (graph.overlap_direction <= 0)
    return np.flatnonzero(~(implied & single)).astype(np.int32)
