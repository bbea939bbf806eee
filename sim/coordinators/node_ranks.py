# SPDX-License-Identifier: Apache-2.0
"""Ranks of intervals in, a feasible assignment out, whatever the ranks.

Touching and overlapping intervals of a robot form a block. Blocks are put into a total order that
follows the ranks but respects routes and forced orders, and every conflict goes to whoever's block
comes first. Driving block after block in that order is possible with one robot in all conflict
zones at a time, so it breaks no order and no density bound; hence the event graph has no circle,
and any pairs of a region may be made exclusive.

With merged intervals (and no regions) a block is an interval, the picture of arXiv 2503.02954.
Finer intervals are served too, as coarsely; :mod:`sim.coordinators.dispatch` does them justice.
"""

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.alternatives import default_following
from sim.errors import InputError
from sim.graph import FREE, U_FIRST, Bools, CoordinationGraph, Int32s
from sim.kernels.chains import least_prefix
from sim.kernels.sequence import positions_by_rank
from sim.schedule import Assignment

Floats = NDArray[np.float64]


def assignment_from_node_ranks(
    graph: CoordinationGraph, rank: Floats, confidence: Floats | None = None
) -> Assignment:
    """The assignment that low ranks go first.

    Args:
        rank: ``[V]`` one per interval; NaN counts as 0.
        confidence: ``[C]`` how much a conflict of a region should be exclusive; without it, pairs
            far apart in the total order are exclusive first.

    Raises:
        InputError: forced orders contradict each other on the graph's blocks, which happens only
            with robots that park on the floor and intervals that are not merged.
    """
    block = blocks_of_intervals(graph)
    position = _positions(graph, block, np.nan_to_num(np.asarray(rank, dtype=np.float64)))
    order = (position[graph.conflict_u] > position[graph.conflict_v]).astype(np.int8)
    following = default_following(graph)
    for region in range(graph.num_regions):
        _type_region(graph, region, position, confidence, following)
    return Assignment(order, following)


def blocks_of_intervals(graph: CoordinationGraph) -> Int32s:
    """``[V]`` the block of each interval, ascending along every route."""
    by_enter = np.argsort(graph.interval_enter, kind="stable")
    reach = np.maximum.accumulate(graph.interval_exit[by_enter])
    fresh = graph.interval_enter[by_enter][1:] > reach[:-1]
    block = np.zeros(graph.num_intervals, dtype=np.int32)
    block[by_enter[1:]] = np.cumsum(fresh)
    return block


def _positions(graph: CoordinationGraph, block: Int32s, rank: Floats) -> Int32s:
    """``[V]`` place of each interval's block in the total order."""
    if not len(block):
        return block
    num_blocks = int(block.max()) + 1
    least = np.full(num_blocks, np.inf)
    np.minimum.at(least, block, rank)
    owner = np.zeros(num_blocks, dtype=np.int32)
    owner[block] = graph.event_robot[graph.interval_enter]
    along = np.flatnonzero(owner[1:] == owner[:-1])
    first, second = _forced_pairs(graph, block)
    tails, heads = np.concatenate([along, first]), np.concatenate([along + 1, second])
    by_tail = np.argsort(tails, kind="stable")
    ptr = np.searchsorted(tails[by_tail], np.arange(num_blocks + 1)).astype(np.int32)
    position = positions_by_rank(least, ptr, heads[by_tail].astype(np.int32))
    if (position < 0).any():
        raise InputError(
            "robots that park on the floor force contradictory orders on whole blocks of "
            "intervals; use bays, merged intervals, or another coordinator"
        )
    return position[block]


def _forced_pairs(graph: CoordinationGraph, block: Int32s) -> tuple[Int32s, Int32s]:
    forced = graph.forced != FREE
    u, v = block[graph.conflict_u[forced]], block[graph.conflict_v[forced]]
    u_first = graph.forced[forced] == U_FIRST
    return np.where(u_first, u, v), np.where(u_first, v, u)


def _type_region(
    graph: CoordinationGraph,
    region: int,
    position: Int32s,
    confidence: Floats | None,
    following: Bools,
) -> None:
    """Make the most confident pairs exclusive until no D + 1 visits can coincide."""
    visits = graph.region_visits[graph.region_ptr[region] : graph.region_ptr[region + 1]]
    visits = visits[np.lexsort((graph.interval_enter[visits], position[visits]))]
    place = np.full(graph.num_intervals, -1, dtype=np.int32)
    place[visits] = np.arange(len(visits))
    conflicts = np.flatnonzero(graph.conflict_region == region)
    pair = place[np.stack([graph.conflict_u[conflicts], graph.conflict_v[conflicts]])]
    first, second = pair.min(axis=0), pair.max(axis=0)
    wanted = second - first if confidence is None else np.nan_to_num(confidence[conflicts])
    turn = np.argsort(-wanted, kind="stable")
    robot = graph.event_robot[graph.interval_enter[visits]]
    same_robot = np.triu(robot[:, None] == robot[None, :], k=1)
    bound = int(graph.region_bound[region])
    needed = least_prefix(same_robot, first[turn], second[turn], bound)
    following[conflicts] = True
    following[conflicts[turn[:needed]]] = False
