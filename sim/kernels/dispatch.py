# SPDX-License-Identifier: Apache-2.0
"""First come first served on the floor itself, with a banker's check against deadlock.

Robots ask for their next cell; whoever comes first gets it, provided that afterwards everybody
could still finish. Without that proviso ("plain") the fleet deadlocks on two-way aisles.
"""

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.banker import NOBODY, Floor, make_floor, move, refused

Queue = list[tuple[float, float, np.int64]]


class Requests(NamedTuple):
    """Who waits for what.

    ``arrived [N]`` when a robot first asked for its next cell (or its rank); ``free_at [cells]``;
    ``first [cells]`` and ``next [N]``: linked lists of robots that wait for an occupied cell;
    ``turned_away [N]`` by the banker, until a robot in its row of ``stuck [N, N]`` moves.
    """

    queue: Queue
    arrived: NDArray[np.float64]
    free_at: Int32s
    first: Int32s
    next: Int32s
    turned_away: Bools
    stuck: Bools


@kernel
def _make_requests(g: GraphArrays) -> Requests:
    n = len(g.offsets) - 1
    queue = [(0.0, 0.0, np.int64(0))]
    queue.clear()
    return Requests(
        queue,
        np.zeros(n),
        np.zeros(len(g.visit_ptr) - 1, np.int32),
        np.full(len(g.visit_ptr) - 1, NOBODY, np.int32),
        np.full(n, NOBODY, np.int32),
        np.zeros(n, np.bool_),
        np.zeros((n, n), np.bool_),
    )


@kernel
def _ask(r: Requests, when: float, i: int) -> None:
    """Robot ``i`` asks for its next cell at ``when``; ties go to who has waited longer."""
    heapq.heappush(r.queue, (float(when), r.arrived[i], np.int64(i)))


@kernel
def _open_requests(
    g: GraphArrays, f: Floor, r: Requests, rank: NDArray[np.float64], sequence: Int32s, time: Int32s
) -> None:
    """Put parked robots on their first cells and let everybody ask for the next one."""
    for i in range(len(f.position)):
        if g.parked[i]:
            move(g, f, i, g.offsets[i])
            sequence[g.offsets[i]] = 0
            time[g.offsets[i]] = g.release_ms[i]
        e = f.position[i]
        if len(rank) > 0:
            r.arrived[i] = rank[e]
        else:
            r.arrived[i] = g.release_ms[i] + (g.duration_ms[e - 1] if g.parked[i] else 0)
        _ask(r, r.arrived[i], i)


@kernel
def _must_wait(g: GraphArrays, f: Floor, r: Requests, now: float, i: int, timed: bool) -> bool:
    """Whether the cell that ``i`` asks for is taken; it is then called when it may be free."""
    k = g.resource[f.position[i]]
    if k < 0:
        return False
    if f.occupant[k] >= 0 and f.occupant[k] != i:
        r.next[i] = r.first[k]
        r.first[k] = i
        return True
    if timed and r.free_at[k] > now:
        _ask(r, r.free_at[k], i)
        return True
    return False


@kernel
def _call(g: GraphArrays, r: Requests, now: float, i: int, e: int, timed: bool) -> None:
    """Robot ``i`` has made event ``e`` happen: call all who may profit."""
    if e > g.offsets[i]:
        left = g.resource[e - 1]
        r.free_at[left] = int(now) + g.headway_ms
        w = r.first[left]
        r.first[left] = NOBODY
        while w >= 0:
            _ask(r, r.free_at[left] if timed else r.arrived[w], w)
            w = r.next[w]
    for j in range(len(r.arrived)):
        if r.turned_away[j] and r.stuck[j, i]:
            r.turned_away[j] = False
            _ask(r, now if timed else r.arrived[j], j)


@kernel
def dispatch_events(
    g: GraphArrays, rank: NDArray[np.float64], careful: bool
) -> tuple[Int32s, Int32s]:
    """Let all robots drive, first come first served.

    Args:
        rank: ``[E]`` the smaller the earlier served; need not ascend along a route. Empty for
            the real thing, served by time of arrival.
        careful: with the banker's check.

    Returns:
        ``[E]`` the sequence number of every event, -1 where the fleet was deadlocked (only when
        not careful); and its time in milliseconds, meaningless with ``rank``.
    """
    timed = len(rank) == 0
    f = make_floor(g)
    r = _make_requests(g)
    sequence = np.full(len(g.robot), -1, np.int32)
    time = np.full(len(g.robot), -1, np.int32)
    _open_requests(g, f, r, rank, sequence, time)
    counter = 0
    while len(r.queue) > 0:
        now, _, robot = heapq.heappop(r.queue)
        i = int(robot)
        e = f.position[i]
        entering = g.resource[e] >= 0
        if g.parked[i] and not entering:  # arrived for good: it stays on its last cell
            sequence[e] = counter + 1
            time[e] = time[e - 1] + g.duration_ms[e - 1]
            continue
        if _must_wait(g, f, r, now, i, timed):
            continue
        if refused(g, f, i, e, careful, r.stuck[i]):
            r.turned_away[i] = True
            continue
        counter += 1
        sequence[e] = counter
        time[e] = int(now)
        _call(g, r, now, i, e, timed)
        if entering:
            r.arrived[i] = now + g.duration_ms[e] if timed else rank[e + 1]
            _ask(r, r.arrived[i], i)
    return sequence, time
