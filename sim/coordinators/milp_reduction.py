# SPDX-License-Identifier: Apache-2.0
"""What an incumbent leaves to decide: the program needs to hold nothing that costs more.

The incumbent's cost bounds every robot's delay. An arc that no such delay can make bind is
dropped, a conflict one side of which costs nothing (or is out of reach) is settled, and the
arcs that remain get the smallest big-M.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.alternatives import Arcs, alternative_arcs, typed_conflicts
from sim.graph import FREE, Bools, CoordinationGraph, Int8s, Int32s
from sim.schedule import Objective, Schedule

Seconds = NDArray[np.float64]


class Reduced(NamedTuple):
    """The open part of a problem.

    Args:
        arcs: ``[A]`` the arcs that may bind, ascending by ``after``.
        gap_s: ``[A]`` delay that an active arc demands of ``after`` beyond that of ``before``.
        order: ``[C]`` settled orders, -1 where open.
        apart: ``[C]`` visits of a region that no such delay can bring together.
        heads: ``[H]`` events at which a robot may have to wait, ascending.
        head_before, head_after: ``[A]`` the head whose delay the event has; -1 for no delay.
        head_last: ``[N]`` the last head of each robot, -1 for none.
        limit_s: ``[H]`` most delay at each head.
    """

    arcs: Arcs
    gap_s: Seconds
    order: Int8s
    apart: Bools
    heads: Int32s
    head_before: Int32s
    head_after: Int32s
    head_last: Int32s
    limit_s: Seconds


def delay_limits_s(graph: CoordinationGraph, objective: Objective, schedule: Schedule) -> Seconds:
    """``[N]`` most delay of each robot in any schedule that costs no more than this one."""
    if objective is Objective.MAKESPAN:
        return np.asarray((schedule.finish_ms.max() - graph.free_ms) / 1000.0)
    total_ms = (schedule.finish_ms.astype(np.int64) - graph.free_ms).sum()
    return np.full(graph.num_robots, total_ms / 1000.0)


def reduce_problem(graph: CoordinationGraph, limit_s: Seconds) -> Reduced:
    """Settle what the limits ``[N]`` on delays settle, and keep the arcs of the rest."""
    arcs = alternative_arcs(graph)
    arcs = arcs.take(np.argsort(arcs.after, kind="stable"))
    nominal = graph.nominal_ms.astype(np.int64)
    gap_s = (nominal[arcs.before] + graph.headway_ms - nominal[arcs.after]) / 1000.0
    robot = graph.event_robot
    binding = gap_s + limit_s[robot[arcs.before]] > 0
    beyond = gap_s > limit_s[robot[arcs.after]]
    costs = _any_of_side(arcs, binding, graph.num_conflicts)
    typed = typed_conflicts(graph)
    order = _settle(graph.forced, costs, _any_of_side(arcs, beyond, graph.num_conflicts), typed)
    apart = typed & ~costs.all(axis=1)
    needless = apart | _never_crowded(graph)
    settled = order[arcs.conflict]
    keep = binding & ~needless[arcs.conflict] & ((settled == FREE) | (settled == arcs.side))
    arcs = arcs.take(keep)
    heads = np.unique(arcs.after)
    return Reduced(
        arcs=arcs,
        gap_s=gap_s[keep],
        order=order,
        apart=apart,
        heads=heads,
        head_before=_last_head(graph, heads, arcs.before),
        head_after=_last_head(graph, heads, arcs.after),
        head_last=_last_head(graph, heads, graph.offsets[1:] - 1),
        limit_s=limit_s[robot[heads]],
    )


def _any_of_side(arcs: Arcs, which: Bools, num_conflicts: int) -> Bools:
    """``[C, 2]`` whether any arc of that conflict and side is marked."""
    marked = np.zeros((num_conflicts, 2), dtype=bool)
    marked[arcs.conflict[which], arcs.side[which]] = True
    return marked


def _settle(forced: Int8s, costs: Bools, out_of_reach: Bools, typed: Bools) -> Int8s:
    """A side that costs nothing is taken, and one whose opposite is out of reach."""
    order = forced.copy()
    for side in (0, 1):
        order[(order == FREE) & ~costs[:, side]] = side
        order[(order == FREE) & out_of_reach[:, 1 - side] & ~typed] = side
    return order


def _never_crowded(graph: CoordinationGraph) -> Bools:
    """``[C]`` conflicts of regions with no more visits than their bound."""
    roomy = np.append(np.diff(graph.region_ptr) <= graph.region_bound, False)
    return np.asarray(roomy[graph.conflict_region])  # NO_REGION picks the False at the end


def _last_head(graph: CoordinationGraph, heads: Int32s, events: Int32s) -> Int32s:
    """``[len(events)]`` last head of the same robot at or before each event, -1 for none."""
    index = np.searchsorted(heads, events, side="right") - 1
    robot = graph.event_robot
    same = (index >= 0) & (robot[heads[np.maximum(index, 0)]] == robot[events])
    return np.where(same, index, -1).astype(np.int32)
