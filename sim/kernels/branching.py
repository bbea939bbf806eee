# SPDX-License-Identifier: Apache-2.0
"""Depth-first branch and bound over passing orders, resumable after any number of nodes.

A node's times are the longest paths under the orders decided so far, so they bound from below
every schedule beneath it. Only a conflict that these times violate in both orders needs a
decision; where they violate none, they are a schedule. Times are kept by raising them where a
decision demands it and taking the raises back; a circle would raise them for ever, so it is
looked for when there are suspiciously many raises.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Bools, Int8s, Int32s
from sim.jit import kernel

Int64s = NDArray[np.int64]

UNDECIDED, TOGETHER, NOBODY = -1, 2, -1
"""Decisions beside the orders 0 and 1; together: two visits of a region may overlap."""

UNBOUNDED = 2**62


class Tree(NamedTuple):
    """What does not change during the search; A alternative arcs sorted by conflict and side.

    Args:
        arc_ptr: ``[2 C + 1]`` arcs of order ``s`` of conflict ``c``: from ``arc_ptr[2 c + s]`` on.
        key: ``[A]`` 2 c + s; before, after: ``[A]`` events.
        out_ptr, out_arcs: CSR by event of the arcs that leave it.
        typed: ``[C]`` conflicts of density regions.
        conflict_u, conflict_v: ``[C]`` intervals; region_conflict_ptr: ``[Q + 1]`` and
            region_conflicts: the conflicts of each region.
        makespan: whether the cost is the last finish instead of the sum of finishes.
    """

    offsets: Int32s
    robot: Int32s
    duration_ms: Int32s
    nominal_ms: Int32s
    headway_ms: int
    arc_ptr: Int32s
    key: Int32s
    before: Int32s
    after: Int32s
    out_ptr: Int32s
    out_arcs: Int32s
    typed: Bools
    interval_enter: Int32s
    interval_exit: Int32s
    conflict_u: Int32s
    conflict_v: Int32s
    region_bound: Int32s
    region_ptr: Int32s
    region_visits: Int32s
    region_conflict_ptr: Int32s
    region_conflicts: Int32s
    makespan: bool


class Search(NamedTuple):
    """Where the search stands; arrays are changed in place.

    Args:
        time: ``[E]`` of the present node; decision: ``[C]``.
        best_time: ``[E]`` of the cheapest schedule found; best_ms: its cost, or the incumbent's.
        conflict, first, tried, mark, bound_ms: ``[C]`` by depth: the conflict branched on, the
            order tried first, how many were tried, the trail's length before, the lower bound.
        trail: ``[., 2]`` raised events and their times before.
        depth, trailed, nodes: lengths; fresh: whether the present node is yet to be looked at.
    """

    time: Int32s
    decision: Int8s
    best_time: Int32s
    best_ms: int
    conflict: Int32s
    first: Int8s
    tried: Int8s
    mark: Int64s
    bound_ms: Int64s
    trail: Int32s
    trailed: int
    depth: int
    nodes: int
    fresh: bool


@kernel
def cost_ms(g: Tree, time: Int32s) -> int:
    """Sum of finishes, or the last."""
    total = 0
    for i in range(len(g.offsets) - 1):
        finish = time[g.offsets[i + 1] - 1]
        total = max(total, finish) if g.makespan else total + finish
    return total


@kernel
def has_circle(g: Tree, decision: Int8s) -> bool:
    """Whether the orders decided make events wait for each other in a circle."""
    size = len(g.robot)
    missing = np.zeros(size, dtype=np.int32)
    ready = np.empty(size, dtype=np.int32)
    for e in range(size):
        missing[e] += e != g.offsets[g.robot[e]]
    for a in range(len(g.key)):
        missing[g.after[a]] += decision[g.key[a] // 2] == g.key[a] % 2
    count = 0
    for e in range(size):
        if missing[e] == 0:
            ready[count] = e
            count += 1
    done = 0
    while done < count:
        e = ready[done]
        done += 1
        if e + 1 < g.offsets[g.robot[e] + 1]:
            missing[e + 1] -= 1
            if missing[e + 1] == 0:
                ready[count] = e + 1
                count += 1
        for x in range(g.out_ptr[e], g.out_ptr[e + 1]):
            a = g.out_arcs[x]
            if decision[g.key[a] // 2] == g.key[a] % 2:
                missing[g.after[a]] -= 1
                if missing[g.after[a]] == 0:
                    ready[count] = g.after[a]
                    count += 1
    return count < size


@kernel
def raise_times(
    g: Tree,
    decision: Int8s,
    time: Int32s,
    key: int,
    best_ms: int,
    trail: Int32s,
    trailed: int,
) -> tuple[bool, Int32s, int]:
    """Make the arcs of ``key`` hold, and whatever follows.

    Returns:
        Whether the cost stays below ``best_ms`` (if not, times are partly raised), and the trail.
    """
    total = cost_ms(g, time)
    suspicious = trailed + 2 * len(time)
    waiting = np.empty(len(time), dtype=np.int32)
    queued = np.zeros(len(time), dtype=np.bool_)
    head, count = 0, 0
    for a in range(g.arc_ptr[key], g.arc_ptr[key + 1]):
        if not queued[g.before[a]]:
            waiting[count] = g.before[a]
            queued[g.before[a]] = True
            count += 1
    while count > 0 and total < best_ms:
        source = waiting[head]
        head, count = (head + 1) % len(waiting), count - 1
        queued[source] = False
        if trailed > suspicious:
            if has_circle(g, decision):
                return False, trail, trailed
            suspicious += trailed
        for x in range(g.out_ptr[source], g.out_ptr[source + 1]):
            a = g.out_arcs[x]
            if decision[g.key[a] // 2] != g.key[a] % 2:
                continue
            e = g.after[a]
            now = time[source] + g.headway_ms
            last = g.offsets[g.robot[e] + 1] - 1
            while time[e] < now:
                if trailed == len(trail):
                    longer = np.empty((2 * len(trail), 2), dtype=np.int32)
                    longer[:trailed] = trail
                    trail = longer
                trail[trailed, 0], trail[trailed, 1] = e, time[e]
                trailed += 1
                if e == last:
                    total = max(total, now) if g.makespan else total + now - time[e]
                time[e] = now
                if not queued[e] and g.out_ptr[e + 1] > g.out_ptr[e]:
                    waiting[(head + count) % len(waiting)] = e
                    queued[e] = True
                    count += 1
                if e < last:
                    now += g.duration_ms[e]
                    e += 1
    return total < best_ms, trail, trailed


@kernel
def demand_ms(g: Tree, time: Int32s, key: int) -> tuple[int, int]:
    """What activating ``key`` would add at once: to some event, and to a robot's finish."""
    at_event, at_finish = 0, 0
    for a in range(g.arc_ptr[key], g.arc_ptr[key + 1]):
        e = g.after[a]
        late = time[g.before[a]] + g.headway_ms - time[e]
        if late > at_event:
            at_event = late
        last = g.offsets[g.robot[e] + 1] - 1
        slack = (time[last] - g.nominal_ms[last]) - (time[e] - g.nominal_ms[e])
        if late - slack > at_finish:
            at_finish = late - slack
    return at_event, at_finish


@kernel
def robot_delayed(g: Tree, key: int) -> int:
    """The robot that goes second under ``key``."""
    return int(g.robot[g.after[g.arc_ptr[key]]])


@kernel
def most_constrained(g: Tree, time: Int32s, decision: Int8s) -> tuple[int, int, int]:
    """The violated conflict whose cheaper order costs most, that order, and a lower bound.

    The bound adds to the cost what violated conflicts of disjoint pairs of robots must add.
    """
    chosen, side, worst, worst_event = NOBODY, 0, -1, -1
    used = np.zeros(len(g.offsets) - 1, dtype=np.bool_)
    bound = cost_ms(g, time)
    base = bound
    for c in range(len(decision)):
        if decision[c] != UNDECIDED or g.typed[c]:
            continue
        event_u, finish_u = demand_ms(g, time, 2 * c)
        if event_u == 0:
            continue
        event_v, finish_v = demand_ms(g, time, 2 * c + 1)
        if event_v == 0:
            continue
        i, j = robot_delayed(g, 2 * c), robot_delayed(g, 2 * c + 1)
        least = min(finish_u, finish_v)
        if g.makespan:
            after_u = time[g.offsets[i + 1] - 1] + finish_u
            after_v = time[g.offsets[j + 1] - 1] + finish_v
            bound = max(bound, min(after_u, after_v))
            least = max(min(after_u, after_v) - base, 0)
        elif least > 0 and not used[i] and not used[j]:
            used[i] = used[j] = True
            bound += least
        if (least, min(event_u, event_v)) > (worst, worst_event):
            chosen, worst, worst_event = c, least, min(event_u, event_v)
            side = 0 if (finish_u, event_u) <= (finish_v, event_v) else 1
    return chosen, side, bound


@kernel
def overfull(g: Tree, time: Int32s, decision: Int8s) -> tuple[int, int, bool]:
    """A pair of visits to part where a region holds too many, and its cheaper order.

    Returns:
        The conflict (NOBODY for none), the order, and whether the node can still be repaired.
    """
    inside = np.zeros(len(g.interval_enter), dtype=np.bool_)
    for q in range(len(g.region_bound)):
        visits = g.region_visits[g.region_ptr[q] : g.region_ptr[q + 1]]
        for a in visits:
            now = time[g.interval_enter[a]]
            count = 0
            for b in visits:
                leaves = time[g.interval_exit[b]] + g.headway_ms
                inside[b] = time[g.interval_enter[b]] <= now < leaves
                count += inside[b]
            if count > g.region_bound[q]:
                c, side = cheapest_parting(g, time, decision, q, inside)
                return c, side, c != NOBODY
        inside[visits] = False
    return NOBODY, 0, True


@kernel
def cheapest_parting(
    g: Tree, time: Int32s, decision: Int8s, region: int, inside: Bools
) -> tuple[int, int]:
    """The undecided pair among the visits marked ``inside`` that is cheapest to part."""
    chosen, side, least = NOBODY, 0, UNBOUNDED
    for x in range(g.region_conflict_ptr[region], g.region_conflict_ptr[region + 1]):
        c = g.region_conflicts[x]
        if decision[c] == UNDECIDED and inside[g.conflict_u[c]] and inside[g.conflict_v[c]]:
            for s in range(2):
                demand = demand_ms(g, time, 2 * c + s)[0]
                if demand < least:
                    chosen, side, least = c, s, demand
    return chosen, side


@kernel
def search(g: Tree, s: Search, max_nodes: int) -> Search:
    """Look at up to ``max_nodes`` further nodes; the tree is exhausted when depth is 0 after."""
    best_ms, trail, trailed = s.best_ms, s.trail, s.trailed
    depth, nodes, fresh = s.depth, s.nodes, s.fresh
    limit = nodes + max_nodes
    while fresh or depth > 0:
        if fresh:
            if nodes == limit:
                break
            nodes += 1
            fresh = False
            c, side, bound = most_constrained(g, s.time, s.decision)
            repairable = True
            if c == NOBODY:
                c, side, repairable = overfull(g, s.time, s.decision)
            if bound >= best_ms or not repairable:
                continue
            if c == NOBODY:
                best_ms = bound
                s.best_time[:] = s.time
                continue
            s.conflict[depth], s.first[depth], s.tried[depth] = c, side, 0
            s.mark[depth], s.bound_ms[depth] = trailed, bound
            depth += 1
        top = depth - 1
        c = s.conflict[top]
        while trailed > s.mark[top]:
            trailed -= 1
            s.time[trail[trailed, 0]] = trail[trailed, 1]
        s.decision[c] = UNDECIDED
        if s.tried[top] == (3 if g.typed[c] else 2) or s.bound_ms[top] >= best_ms:
            depth -= 1
            continue
        if s.tried[top] == 2:
            s.decision[c] = TOGETHER
            fresh = True
        else:
            side = s.first[top] if s.tried[top] == 0 else 1 - s.first[top]
            s.decision[c] = side
            fresh, trail, trailed = raise_times(
                g, s.decision, s.time, 2 * c + side, best_ms, trail, trailed
            )
        s.tried[top] += 1
    return Search(
        s.time,
        s.decision,
        s.best_time,
        best_ms,
        s.conflict,
        s.first,
        s.tried,
        s.mark,
        s.bound_ms,
        trail,
        trailed,
        depth,
        nodes,
        fresh,
    )
