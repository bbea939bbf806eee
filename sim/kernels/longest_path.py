# SPDX-License-Identifier: Apache-2.0
"""Earliest event times under an assignment, in time linear in events and conflicts."""

import numpy as np

from sim.graph import Bools, GraphArrays, Int8s, Int32s
from sim.jit import kernel

DEADLOCK = -1
NONE = -1


@kernel
def ranks_on_cells(g: GraphArrays, order: Int8s) -> Int32s:
    """``[E]`` how many visitors come before this visit on its cell.

    An overlap adds one to a whole stretch of the second robot's events: differences, then a sum.
    """
    rank = np.zeros(len(g.robot) + 1, dtype=np.int32)
    for r in range(len(g.overlap_u)):
        length = g.overlap_length[r]
        if order[g.overlap_conflict[r]] == 0:
            start = g.overlap_v[r]
            if g.overlap_direction[r] < 0:
                start -= length - 1
        else:
            start = g.overlap_u[r]
        rank[start] += 1
        rank[start + length] -= 1
    running = 0
    for e in range(len(g.robot)):
        running += rank[e]
        rank[e] = running + g.base_rank[e]
    return rank[:-1]


@kernel
def waits_for_by_rank(g: GraphArrays, order: Int8s, waits_for: Int32s) -> bool:
    """Write the exit event of the visitor before each visit (-1 for none).

    False when the orders on some cell are no order at all (a circle of three, say).
    """
    rank = ranks_on_cells(g, order)
    visitor = np.full(len(g.visits), NONE, dtype=np.int32)
    for a in range(len(g.visits)):
        e = g.visits[a]
        k = g.resource[e]
        slot = g.visit_ptr[k] + rank[e]
        if slot >= g.visit_ptr[k + 1] or visitor[slot] != NONE:
            return False
        visitor[slot] = e
    waits_for[:] = NONE
    for k in range(len(g.visit_ptr) - 1):
        for slot in range(g.visit_ptr[k] + 1, g.visit_ptr[k + 1]):
            waits_for[visitor[slot]] = visitor[slot - 1] + 1
    return True


@kernel
def exclusive_predecessors(g: GraphArrays, order: Int8s, following: Bools) -> tuple[Int32s, Int32s]:
    """CSR by event: further events to wait for, from conflicts whose exclusive type matters."""
    ptr = np.zeros(len(g.robot) + 2, dtype=np.int32)
    count = 0
    for c in g.explicit:
        if not following[c]:
            ptr[(g.enter_v[c] if order[c] == 0 else g.enter_u[c]) + 2] += 1
            count += 1
    if count == 0:
        return ptr[:0], ptr[:0]
    for e in range(len(ptr) - 1):
        ptr[e + 1] += ptr[e]
    before = np.empty(count, dtype=np.int32)
    for c in g.explicit:
        if not following[c]:
            enter, leave = (
                (g.enter_v[c], g.exit_u[c]) if order[c] == 0 else (g.enter_u[c], g.exit_v[c])
            )
            before[ptr[enter + 1]] = leave
            ptr[enter + 1] += 1
    return ptr[:-1], before


@kernel
def longest_path(
    g: GraphArrays,
    duration_ms: Int32s,
    waits_for: Int32s,
    extra_ptr: Int32s,
    extra: Int32s,
    time: Int32s,
    sequence: Int32s,
) -> int:
    """Drive every robot as far as it gets, park it at the event it waits for, wake it there.

    Args:
        waits_for: ``[E]`` exit event of the visitor before, or -1.
        extra_ptr, extra: CSR of further events to wait for; both empty when there are none.
        time: ``[E]`` written; sequence: ``[E]`` written, a topological order of the events.

    Returns:
        How many events could be timed: E, or fewer when there is a cycle.
    """
    num_robots = len(g.offsets) - 1
    stack = np.empty(num_robots, dtype=np.int32)
    position = np.empty(num_robots, dtype=np.int32)
    ready = np.empty(num_robots, dtype=np.int32)
    next_waiter = np.empty(num_robots, dtype=np.int32)
    first_waiter = np.full(len(time), NONE, dtype=np.int32)
    time[:] = NONE
    for i in range(num_robots):
        stack[i] = num_robots - 1 - i
        position[i] = g.offsets[i]
        ready[i] = g.release_ms[i]
    depth = num_robots
    done = 0
    has_extra = len(extra_ptr) > 0
    while depth > 0:
        depth -= 1
        i = stack[depth]
        e = position[i]
        end = g.offsets[i + 1]
        now = ready[i]
        while e < end:
            blocker = waits_for[e]
            if blocker >= 0:
                if time[blocker] < 0:
                    next_waiter[i] = first_waiter[blocker]
                    first_waiter[blocker] = i
                    break
                now = max(now, time[blocker] + g.headway_ms)
            if has_extra:
                blocker = NONE
                for x in range(extra_ptr[e], extra_ptr[e + 1]):
                    if time[extra[x]] < 0:
                        blocker = extra[x]
                        break
                    now = max(now, time[extra[x]] + g.headway_ms)
                if blocker >= 0:
                    next_waiter[i] = first_waiter[blocker]
                    first_waiter[blocker] = i
                    break
            time[e] = now
            sequence[done] = e
            done += 1
            waiter = first_waiter[e]
            while waiter >= 0:
                stack[depth] = waiter
                depth += 1
                waiter = next_waiter[waiter]
            now += duration_ms[e]
            e += 1
        position[i] = e
        ready[i] = now
    return done


@kernel
def evaluate_into(
    g: GraphArrays,
    order: Int8s,
    following: Bools,
    waits_for: Int32s,
    time: Int32s,
    sequence: Int32s,
) -> bool:
    """Times of one assignment; False, and ``time[0] == DEADLOCK``, when there is a cycle."""
    timed = 0
    if waits_for_by_rank(g, order, waits_for):
        extra_ptr, extra = exclusive_predecessors(g, order, following)
        timed = longest_path(g, g.duration_ms, waits_for, extra_ptr, extra, time, sequence)
    if timed < len(time):
        time[0] = DEADLOCK
    return timed == len(time)


@kernel
def evaluate_one(g: GraphArrays, order: Int8s, following: Bools) -> Int32s:
    """``[E]`` times; the first is DEADLOCK when there is a cycle."""
    time = np.empty(len(g.robot), dtype=np.int32)
    evaluate_into(g, order, following, np.empty_like(time), time, np.empty_like(time))
    return time


@kernel
def evaluate_many(g: GraphArrays, order: Int8s, following: Bools) -> Int32s:
    """``[B, N]`` finish times; DEADLOCK throughout a row with a cycle."""
    num_robots = len(g.offsets) - 1
    finish = np.full((len(order), num_robots), DEADLOCK, dtype=np.int32)
    time = np.empty(len(g.robot), dtype=np.int32)
    waits_for = np.empty_like(time)
    sequence = np.empty_like(time)
    for b in range(len(order)):
        if evaluate_into(g, order[b], following[b], waits_for, time, sequence):
            for i in range(num_robots):
                finish[b, i] = time[g.offsets[i + 1] - 1]
    return finish
