# SPDX-License-Identifier: Apache-2.0
"""Execution of assignments under sampled durations: many runs at once, samples innermost.

An assignment is compiled once to a *program*: the events in an order in which they can be timed,
each with the events it waits for. A run is a walk over its program, and the ``LANES`` runs of a
block of samples take every step together, in vector registers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Bools, GraphArrays, Int8s, Int32s
from sim.jit import kernel
from sim.kernels.longest_path import exclusive_predecessors, longest_path, waits_for_by_rank

LANES = 64
"""Samples per block. Fewer leave a step bound by the latency of its instructions, more push the
rows that robots wait for out of the level 2 cache."""

NEVER = -1
"""Time of an event that a deadlock keeps from happening."""


class Programs(NamedTuple):
    """B compiled assignments; events that a deadlock keeps from happening are left out.

    Args:
        num_steps: ``[B]`` events that happen.
        event: ``[B, E]`` the event of each step.
        before_ptr: ``[B, E + 1]`` step ``i`` waits for its robot's last event and for those in
            ``before[b, before_ptr[b, i]:before_ptr[b, i + 1]]``.
        before: ``[B, .]`` exits of earlier visitors.
    """

    num_steps: Int32s
    event: Int32s
    before_ptr: Int32s
    before: Int32s


@kernel
def compile_programs(g: GraphArrays, order: Int8s, following: Bools) -> Programs:
    """Compile assignments ``[B, C]``; one with a circle on a single cell has no steps at all."""
    num_events = len(g.robot)
    num_steps = np.zeros(len(order), dtype=np.int32)
    event = np.empty((len(order), num_events), dtype=np.int32)
    before_ptr = np.zeros((len(order), num_events + 1), dtype=np.int32)
    before = np.empty((len(order), num_events + len(g.explicit)), dtype=np.int32)
    waits_for = np.empty(num_events, dtype=np.int32)
    time = np.empty(num_events, dtype=np.int32)
    for b in range(len(order)):
        if not waits_for_by_rank(g, order[b], waits_for):
            continue
        extra_ptr, extra = exclusive_predecessors(g, order[b], following[b])
        num_steps[b] = longest_path(g, g.duration_ms, waits_for, extra_ptr, extra, time, event[b])
        count = 0
        for i in range(num_steps[b]):
            e = event[b, i]
            if waits_for[e] >= 0:
                before[b, count] = waits_for[e]
                count += 1
            if len(extra_ptr) > 0:
                for x in range(extra_ptr[e], extra_ptr[e + 1]):
                    before[b, count] = extra[x]
                    count += 1
            before_ptr[b, i + 1] = count
    return Programs(num_steps, event, before_ptr, before)


@kernel
def fill_blocks(duration_ms: Int32s, blocks: Int32s) -> int:
    """Copy ``[E, S]`` to ``[ceil(S / LANES), E, LANES]``, so that a block's rows are neighbours.

    Returns:
        A bound of every robot's driving time: the sum over events of the longest duration.
        -1 when a duration is negative.
    """
    num_events, num_samples = duration_ms.shape
    total = 0
    shortest = 0
    for e in range(num_events):
        longest = 0
        for k in range(len(blocks)):
            start = k * LANES
            for s in range(min(LANES, num_samples - start)):
                value = duration_ms[e, start + s]
                blocks[k, e, s] = value
                longest = max(longest, value)
                shortest = min(shortest, value)
        total += longest
    return total if shortest >= 0 else -1


@kernel
def run_block(g: GraphArrays, p: Programs, b: int, duration_ms: Int32s, time_ms: Int32s) -> None:
    """Run program ``b`` on a block of durations; both arrays are ``[E, LANES]``.

    Sums are cast back to 32 bits because numba widens them, which halves the width of a vector.
    """
    headway = np.int32(g.headway_ms)
    for i in range(p.num_steps[b]):
        e = p.event[b, i]
        first, end = p.before_ptr[b, i], p.before_ptr[b, i + 1]
        robot = g.robot[e]
        if e == g.offsets[robot]:
            for s in range(LANES):
                time_ms[e, s] = g.release_ms[robot]
        elif first < end:  # the usual case, in one pass
            x = p.before[b, first]
            first += 1
            for s in range(LANES):
                ready = np.int32(time_ms[e - 1, s] + duration_ms[e - 1, s])
                time_ms[e, s] = max(ready, np.int32(time_ms[x, s] + headway))
        else:
            for s in range(LANES):
                time_ms[e, s] = np.int32(time_ms[e - 1, s] + duration_ms[e - 1, s])
        for other in range(first, end):
            x = p.before[b, other]
            for s in range(LANES):
                time_ms[e, s] = max(time_ms[e, s], np.int32(time_ms[x, s] + headway))


@kernel
def times_of(
    g: GraphArrays, p: Programs, blocks: Int32s, scratch: Int32s, events: Int32s, out: Int32s
) -> None:
    """Run program 0 on every sample and write the times of some events to ``out [., S]``."""
    if p.num_steps[0] < len(scratch):
        scratch[:] = NEVER
    for k in range(len(blocks)):
        run_block(g, p, 0, blocks[k], scratch)
        start = k * LANES
        for i in range(len(events)):
            for s in range(min(LANES, out.shape[1] - start)):
                out[i, start + s] = scratch[events[i], s]


@kernel
def totals_of(
    g: GraphArrays,
    p: Programs,
    blocks: Int32s,
    scratch: Int32s,
    total_ms: NDArray[np.int64],
    last_ms: Int32s,
) -> None:
    """Run every program on every sample; ``[B, S']`` sum and maximum of the finish times.

    ``S'`` is S rounded up to whole blocks, and both results must come in as zeros.
    """
    for k in range(len(blocks)):
        for b in range(len(p.num_steps)):
            run_block(g, p, b, blocks[k], scratch)
            total, last = total_ms[b, k * LANES :], last_ms[b, k * LANES :]
            for i in range(1, len(g.offsets)):
                for s in range(LANES):
                    finish = scratch[g.offsets[i] - 1, s]
                    total[s] += finish
                    last[s] = max(last[s], finish)


@kernel
def times_by_clock(
    g: GraphArrays, planned_ms: Int32s, duration_ms: Int32s, time_ms: Int32s
) -> None:
    """Write ``[E, S]``: no event before its plan, nor before its own robot is ready."""
    num_samples = duration_ms.shape[1]
    for e in range(len(planned_ms)):
        planned = planned_ms[e]
        if e == g.offsets[g.robot[e]]:
            time_ms[e] = planned
        else:
            for s in range(num_samples):
                ready = np.int32(time_ms[e - 1, s] + duration_ms[e - 1, s])
                time_ms[e, s] = max(planned, ready)


@kernel
def count_collisions(g: GraphArrays, enter_ms: Int32s, leave_ms: Int32s) -> Int32s:
    """``[S]`` overlaps in which neither robot leaves every shared cell before the other enters.

    Args:
        enter_ms: ``[E, S]`` when the robot enters the event's cell; leave_ms: when it leaves it.
    """
    num_samples = enter_ms.shape[1]
    count = np.zeros(num_samples, dtype=np.int32)
    u_late = np.empty(num_samples, dtype=np.int32)  # integers: flags would not fill vectors
    v_late = np.empty(num_samples, dtype=np.int32)
    for r in range(len(g.overlap_u)):
        u_late[:] = 0
        v_late[:] = 0
        step = -1 if g.overlap_direction[r] < 0 else 1
        for place in range(g.overlap_length[r]):
            u, v = g.overlap_u[r] + place, g.overlap_v[r] + step * place
            for s in range(num_samples):
                u_late[s] |= np.int32(leave_ms[u, s] > enter_ms[v, s])
                v_late[s] |= np.int32(leave_ms[v, s] > enter_ms[u, s])
        for s in range(num_samples):
            count[s] += u_late[s] & v_late[s]
    return count
