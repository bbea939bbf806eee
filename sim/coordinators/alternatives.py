# SPDX-License-Identifier: Apache-2.0
"""The alternative arcs of a coordination graph: what each order of each conflict would demand.

As in the alternative graph of job-shop scheduling, a conflict is two sets of arcs of which one is
chosen. Every arc says: the event ``after`` comes at least a headway later than ``before``. A
conflict outside density regions is followed cell by cell wherever that is allowed, because its
arcs are then implied by the exclusive one, so following never costs more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import NO_REGION, Bools, CoordinationGraph, Int8s, Int32s
from sim.schedule import Assignment, cell_edges, exclusive_edges


class Arcs(NamedTuple):
    """``[A]`` alternative arcs.

    Args:
        conflict: the conflict that the arc belongs to.
        side: the order that activates it (0 u first, 1 v first).
        before, after: events; time[after] >= time[before] + headway when active.
    """

    conflict: Int32s
    side: Int8s
    before: Int32s
    after: Int32s

    def take(self, which: NDArray[np.integer] | Bools) -> "Arcs":
        """Some of the arcs, by index or mask."""
        return Arcs(self.conflict[which], self.side[which], self.before[which], self.after[which])


def typed_conflicts(graph: CoordinationGraph) -> Bools:
    """``[C]`` conflicts of density regions: exclusive or not is a decision of its own."""
    return np.asarray(graph.conflict_region != NO_REGION)


def default_following(graph: CoordinationGraph) -> Bools:
    """``[C]`` following wherever it is allowed outside density regions, exclusive inside."""
    return np.asarray(graph.following_allowed & ~typed_conflicts(graph))


def alternative_arcs(graph: CoordinationGraph) -> Arcs:
    """The arcs of both orders; those of region conflicts apply when they are exclusive."""
    following = default_following(graph)
    by_overlap = np.repeat(graph.overlap_conflict, graph.overlap_length)
    cellwise = following[by_overlap]
    exclusive = np.flatnonzero(~following).astype(np.int32)
    conflict = np.concatenate([by_overlap[cellwise], exclusive])
    ends = []
    for side in (0, 1):
        order = np.full(graph.num_conflicts, side, dtype=np.int8)
        cells = cell_edges(graph, order)
        whole = exclusive_edges(graph, Assignment(order, following))
        ends.append([np.concatenate([c[cellwise], w]) for c, w in zip(cells, whole, strict=True)])
    return Arcs(
        conflict=np.concatenate([conflict, conflict]).astype(np.int32),
        side=np.repeat(np.array([0, 1], dtype=np.int8), len(conflict)),
        before=np.concatenate([ends[0][0], ends[1][0]]).astype(np.int32),
        after=np.concatenate([ends[0][1], ends[1][1]]).astype(np.int32),
    )
