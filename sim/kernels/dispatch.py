# SPDX-License-Identifier: Apache-2.0
"""First come first served on the floor itself, with a banker's check against deadlock.

Robots ask for their next cell; whoever comes first gets it, provided that afterwards everybody
could still finish. Without that proviso ("plain") the fleet deadlocks on two-way aisles.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

from sim.graph import GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.banker import (
    first_disturbed,
    in_circle,
    rearrange,
    search_anew,
)
from sim.kernels.finishing import Search, make_search
from sim.kernels.floor_state import (
    NOWHERE,
    Floor,
    cross,
    cross_back,
    fills_region,
    full_region,
    make_floor,
    move,
)
from sim.kernels.proof import UNRANKED, Proof, enrol, make_proof
from sim.kernels.requests import Requests, ask, call_waiting, make_requests, must_wait
from sim.kernels.watches import (
    Watches,
    make_watches,
    wake,
    watch_circle,
    watch_region,
    watch_search,
)


@kernel
def _open_requests(
    g: GraphArrays, f: Floor, r: Requests, rank: NDArray[np.float64], sequence: Int32s, time: Int32s
) -> None:
    """Put parked robots on their first cells and let everybody ask for the next one."""
    for i in range(len(f.position)):
        e = g.offsets[i]
        if g.parked[i]:
            move(f, i, e, g.resource[e])
            sequence[e] = 0
            time[e] = g.release_ms[i]
            e += 1
        if len(rank) > 0:
            r.arrived[i] = rank[e]
        else:
            r.arrived[i] = g.release_ms[i] + (g.duration_ms[e - 1] if g.parked[i] else 0)
        ask(r.queue, r.arrived, r.arrived[i], i)


@kernel
def _kept_out(g: GraphArrays, f: Floor, w: Watches, i: int, e: int) -> bool:
    """Whether event ``e`` of robot ``i`` enters a full region; ``i`` then watches for a change."""
    q = full_region(g, f, i, e)
    if q == NOWHERE:
        return False
    watch_region(w, i, q)
    return True


@kernel
def _is_hopeless(p: Proof, s: Search, w: Watches, i: int) -> bool:
    """Whether somebody could never finish; robot ``i``, whose move it is, watches for a change."""
    if in_circle(p.blocker, i):
        watch_circle(w, i, p.blocker)
        return True
    if search_anew(p, s, i):
        return False
    watch_search(w, s, i)
    return True


@kernel
def dispatch_events(
    g: GraphArrays, rank: NDArray[np.float64], careful: bool
) -> tuple[Int32s, Int32s]:
    """Let all robots drive, first come first served.

    What is done for every event takes arrays one by one, as a tuple would cost more than that.

    Args:
        rank: ``[E]`` the smaller the earlier served; need not ascend along a route. Empty for
            the real thing, served by time of arrival.
        careful: with the banker's check.

    Returns:
        ``[E]`` the sequence number of every event, -1 where the fleet was deadlocked (only when
        not careful); and its time in milliseconds, meaningless with ``rank``.
    """
    timed = len(rank) == 0
    f, r = make_floor(g), make_requests(g)
    s, w = make_search(g, f), make_watches(g, f)
    sequence = np.full(len(g.robot), -1, np.int32)
    time = np.full(len(g.robot), -1, np.int32)
    _open_requests(g, f, r, rank, sequence, time)
    p = make_proof(g, f, s)
    queue, arrived, free_at, first, next_ = r.queue, r.arrived, r.free_at, r.first, r.next
    counter = 0
    while len(queue) > 0:
        now, _, asking = heapq.heappop(queue)
        i = int(asking)
        e = f.position[i]
        k = g.resource[e]
        if k < 0 and g.parked[i]:  # arrived for good: it stays on its last cell
            sequence[e] = counter + 1
            time[e] = time[e - 1] + g.duration_ms[e - 1]
            continue
        if k >= 0 and must_wait(
            queue, arrived, free_at, first, next_, f.occupant, now, i, k, timed
        ):
            continue
        if f.boundary[e] and _kept_out(g, f, w, i, e):
            continue
        left = f.cell[i]
        move(f, i, e, k)
        if f.boundary[e]:
            cross(g, f, i, e)
        if careful and k >= 0:
            if p.rank[i] == UNRANKED:
                enrol(p, i)
            low = first_disturbed(g.visit_ptr, g.visits, g.robot, f.position, p.rank, i, k)
            if f.boundary[e] and fills_region(g, f, i, e):
                low = 0
            if low < p.rank[i] and not rearrange(p, i, low) and _is_hopeless(p, s, w, i):
                if f.boundary[e]:
                    cross_back(g, f, i, e)
                move(f, i, e - 1, left)
                continue
        counter += 1
        sequence[e] = counter
        time[e] = int(now)
        if left >= 0:
            free_at[left] = int(now) + g.headway_ms
            call_waiting(queue, arrived, free_at, first, next_, left, timed)
        if w.watched[i] > 0:
            for a in range(wake(w, i, r.woken)):
                ask(queue, arrived, now if timed else arrived[r.woken[a]], r.woken[a])
        if k >= 0:
            arrived[i] = now + g.duration_ms[e] if timed else rank[e + 1]
            ask(queue, arrived, arrived[i], i)
    return sequence, time
