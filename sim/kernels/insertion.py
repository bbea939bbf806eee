# SPDX-License-Identifier: Apache-2.0
"""Gap insertion: one robot takes the earliest free gaps along its fixed route.

Safe-interval path planning (Phillips and Likhachev, ICRA 2011) with the path given, so that the
only choice left is the gap on each cell. A robot may wait on a cell until its gap there closes.
"""

from typing import NamedTuple

import numpy as np

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel

FOREVER = 2**30


class Scratch(NamedTuple):
    """Working memory of :func:`insert_robot`; contents are meaningless between calls."""

    begin: Int32s
    end: Int32s
    next_begin: Int32s
    next_end: Int32s
    window_first: Int32s
    window_last: Int32s
    window_begin: Int32s
    window_end: Int32s
    state_gap: Int32s
    state_ms: Int32s
    state_parent: Int32s
    layer_ptr: Int32s


@kernel
def make_scratch(g: GraphArrays) -> Scratch:
    """Memory large enough for any robot of this graph."""
    crowd = 0
    for k in range(len(g.visit_ptr) - 1):
        crowd = max(crowd, g.visit_ptr[k + 1] - g.visit_ptr[k])
    stays = len(g.region_enter)
    longest = 0
    states = 0
    for i in range(len(g.offsets) - 1):
        longest = max(longest, g.offsets[i + 1] - g.offsets[i])
        total = 0
        for e in range(g.offsets[i], g.offsets[i + 1] - 1):
            k = g.resource[e]
            total += g.visit_ptr[k + 1] - g.visit_ptr[k] + 1 + stays
        states = max(states, total)
    gaps = crowd + stays + 2
    return Scratch(
        np.empty(gaps, np.int32),
        np.empty(gaps, np.int32),
        np.empty(gaps, np.int32),
        np.empty(gaps, np.int32),
        np.empty(stays + 1, np.int32),
        np.empty(stays + 1, np.int32),
        np.empty(stays + 1, np.int32),
        np.empty(stays + 1, np.int32),
        np.empty(states, np.int32),
        np.empty(states, np.int32),
        np.empty(states, np.int32),
        np.empty(longest + 1, np.int32),
    )


@kernel
def _full_windows(g: GraphArrays, i: int, placed: Bools, time: Int32s, s: Scratch) -> int:
    """Times at which a region on the robot's way is full, each with the events it closes."""
    count = 0
    for stay in range(g.stay_ptr[i], g.stay_ptr[i + 1]):
        q = g.stay_region[stay]
        begins = np.empty(g.region_ptr[q + 1] - g.region_ptr[q], np.int32)
        ends = np.empty_like(begins)
        inside = 0
        for visit in range(g.region_ptr[q], g.region_ptr[q + 1]):
            j = g.robot[g.region_enter[visit]]
            if j != i and placed[j]:
                begins[inside] = time[g.region_enter[visit]]
                ends[inside] = time[g.region_exit[visit]] + g.headway_ms
                inside += 1
        begins = np.sort(begins[:inside])
        ends = np.sort(ends[:inside])
        bound = g.region_bound[q]
        for a in range(bound - 1, inside):
            # the (a + 1)-th robot enters; full until the (a + 2 - bound)-th exit
            if ends[a + 1 - bound] > begins[a]:
                s.window_first[count] = g.stay_enter[stay]
                s.window_last[count] = g.stay_exit[stay]
                s.window_begin[count] = begins[a]
                s.window_end[count] = ends[a + 1 - bound]
                count += 1
    return count


@kernel
def _add_window(begin: Int32s, end: Int32s, count: int, b: int, f: int) -> int:
    """Insert a window into two arrays sorted by begin."""
    place = count
    while place > 0 and begin[place - 1] > b:
        begin[place] = begin[place - 1]
        end[place] = end[place - 1]
        place -= 1
    begin[place] = b
    end[place] = f
    return count + 1


@kernel
def _busy_windows(
    visitors: Int32s,
    robot: Int32s,
    exits: Int32s,
    i: int,
    placed: Bools,
    time: Int32s,
    headway_ms: int,
    begin: Int32s,
    end: Int32s,
) -> int:
    """Write when the cell is taken by placed robots, in order of begin; quickest where the
    visitors come in order of time.

    Arrays one by one, not the whole graph: this runs for every cell of every insertion, and the
    reference counts of a graph's arrays would cost more than the work.
    """
    count = 0
    for x in visitors:
        j = robot[x]
        if j != i and placed[j]:
            leave = FOREVER if exits[x] < 0 else time[exits[x]] + headway_ms
            count = _add_window(begin, end, count, time[x], leave)
    return count


@kernel
def _gaps_between(begin: Int32s, end: Int32s, count: int, headway_ms: int) -> int:
    """Turn busy windows, in order of begin, into the gaps between them, in place."""
    gaps = 0
    free_from = 0
    for w in range(count):
        until, busy_to = begin[w] - headway_ms, end[w]
        if until >= free_from:
            begin[gaps], end[gaps] = free_from, until  # gaps <= w: nothing unread is overwritten
            gaps += 1
        free_from = max(free_from, busy_to)
    if free_from < FOREVER:
        begin[gaps], end[gaps] = free_from, FOREVER
        gaps += 1
    return gaps


@kernel
def _add_full_windows(s: Scratch, full: int, e: int, count: int, begin: Int32s, end: Int32s) -> int:
    """Add the times at which a region around the cell is full."""
    for w in range(full):
        if s.window_first[w] <= e < s.window_last[w]:
            count = _add_window(begin, end, count, s.window_begin[w], s.window_end[w])
    return count


@kernel
def insert_robot(
    g: GraphArrays,
    i: int,
    visits: Int32s,
    num_visits: Int32s,
    placed: Bools,
    time: Int32s,
    s: Scratch,
) -> bool:
    """Write the earliest times of robot ``i`` that leave all placed robots where they are.

    Dynamic programming over (cell, gap), earliest arrival in each; states of one cell ascend in
    gap and in time, so the first to reach a gap is the earliest there.

    Args:
        visits: as ``g.visits``, but in any order within a cell.
        num_visits: how many of a cell's visits, from its first, are worth a look; all placed
            robots are among them.

    Returns:
        False when there is no way (possible only with parking on the floor).
    """
    first, last = g.offsets[i], g.offsets[i + 1] - 1
    full = _full_windows(g, i, placed, time, s)
    begin, end, next_begin, next_end = s.begin, s.end, s.next_begin, s.next_end
    k = g.resource[first]
    visitors = visits[g.visit_ptr[k] : g.visit_ptr[k] + num_visits[k]]
    busy = _busy_windows(visitors, g.robot, g.exits, i, placed, time, g.headway_ms, begin, end)
    if full > 0:
        busy = _add_full_windows(s, full, first, busy, begin, end)
    gaps = _gaps_between(begin, end, busy, g.headway_ms)
    states = 0
    s.layer_ptr[0] = 0
    for q in range(gaps):
        arrive = max(g.release_ms[i], begin[q])
        if arrive + g.duration_ms[first] <= end[q] and (q == 0 or not g.parked[i]):
            s.state_gap[states], s.state_ms[states], s.state_parent[states] = q, arrive, -1
            states += 1
    for e in range(first, last - 1):
        layer = e - first
        s.layer_ptr[layer + 1] = states
        k = g.resource[e + 1]
        visitors = visits[g.visit_ptr[k] : g.visit_ptr[k] + num_visits[k]]
        busy = _busy_windows(
            visitors, g.robot, g.exits, i, placed, time, g.headway_ms, next_begin, next_end
        )
        if full > 0:
            busy = _add_full_windows(s, full, e + 1, busy, next_begin, next_end)
        gaps = _gaps_between(next_begin, next_end, busy, g.headway_ms)
        step, stay = g.duration_ms[e], g.duration_ms[e + 1]
        q = 0
        for parent in range(s.layer_ptr[layer], s.layer_ptr[layer + 1]):
            arrive = s.state_ms[parent] + step
            until = end[s.state_gap[parent]]
            while q < gaps and next_begin[q] <= until:
                enter = max(arrive, next_begin[q])
                if enter + stay <= next_end[q]:
                    s.state_gap[states], s.state_ms[states] = q, enter
                    s.state_parent[states] = parent
                    states += 1
                q += 1
        begin, next_begin = next_begin, begin
        end, next_end = next_end, end
    layer_begin = s.layer_ptr[last - 1 - first]
    for arrival in range(layer_begin, states):
        if g.parked[i] and end[s.state_gap[arrival]] < FOREVER:
            continue
        state = arrival
        time[last] = s.state_ms[state] + g.duration_ms[last - 1]
        for e in range(last - 1, first - 1, -1):
            time[e] = s.state_ms[state]
            state = s.state_parent[state]
        return True
    return False


@kernel
def _join_visits(g: GraphArrays, i: int, visits: Int32s, num_visits: Int32s, time: Int32s) -> None:
    """Add the visits of robot ``i`` to those of its cells, in order of time."""
    for e in range(g.offsets[i], g.offsets[i + 1] - 1):
        k = g.resource[e]
        first, place = g.visit_ptr[k], g.visit_ptr[k] + num_visits[k]
        while place > first and time[visits[place - 1]] > time[e]:
            visits[place] = visits[place - 1]
            place -= 1
        visits[place] = e
        num_visits[k] += 1


@kernel
def insert_all(g: GraphArrays, orders: Int32s, time: Int32s, finish: Int32s) -> bool:
    """Insert all robots in turn, in one order after another.

    Args:
        orders: ``[K, N]`` robots, first to last.
        time: ``[E]`` receives the times of the last order.
        finish: ``[K, N]`` receives when robots finish.

    Returns:
        False when a robot finds no way; what follows is then not written.
    """
    placed = np.zeros(len(g.offsets) - 1, dtype=np.bool_)
    visits = np.empty_like(g.visits)
    num_visits = np.zeros(len(g.visit_ptr) - 1, np.int32)
    scratch = make_scratch(g)
    for row in range(len(orders)):
        placed[:] = False
        num_visits[:] = 0
        for i in orders[row]:
            if not insert_robot(g, i, visits, num_visits, placed, time, scratch):
                return False
            placed[i] = True
            _join_visits(g, i, visits, num_visits, time)
            finish[row, i] = time[g.offsets[i + 1] - 1]
    return True
