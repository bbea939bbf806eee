# SPDX-License-Identifier: Apache-2.0
"""The way out of a dead end of a dive: a decision on the circle is taken back, not all of them."""

import numpy as np

from sim.graph import Int32s
from sim.jit import kernel
from sim.kernels.branching import NOBODY, UNDECIDED, Tree
from sim.kernels.circles import closing_arc
from sim.kernels.dive_state import ALONG, Dive


@kernel
def make_room(g: Tree, d: Dive, c: int, order: int, turn: int) -> bool:
    """Decide a conflict, take back what it then makes impossible, and set the times anew.

    Of the decisions on a circle that goes which was least often taken back; of these the latest.

    Returns:
        False where a circle has no decision that could be taken back; nothing is of use then.
    """
    key = 2 * c + order
    closing = closing_arc(g, d, key)
    while closing != NOBODY:
        q = weakest(g, d, closing)
        if q == NOBODY:
            return False
        d.decision[q], d.turn[q], d.wanted[q] = UNDECIDED, 0, UNDECIDED
        d.undone[q] += 1
        closing = closing_arc(g, d, key)
    d.decision[c], d.turn[c] = order, turn
    set_times(g, d)
    return True


@kernel
def weakest(g: Tree, d: Dive, closing: int) -> int:
    """The decision on the circle just found to take back, or NOBODY."""
    chosen = NOBODY
    e = g.before[closing]
    while d.reached_by[e] != closing:
        a = d.reached_by[e]
        if a == ALONG:
            e -= 1
            continue
        q, e = g.key[a] // 2, g.before[a]
        if d.turn[q] == 0:
            continue
        if chosen == NOBODY or (d.undone[q], -d.turn[q]) < (d.undone[chosen], -d.turn[chosen]):
            chosen = q
    return chosen


@kernel
def set_times(g: Tree, d: Dive) -> None:
    """The earliest times under all decisions, from the start: every event once, after all that it
    waits for."""
    d.time[:] = d.start
    missing = np.zeros(len(d.time), np.int32)
    for e in range(len(d.time)):
        missing[e] += e != g.offsets[g.robot[e]]
    for a in range(len(g.key)):
        missing[g.after[a]] += d.decision[g.key[a] // 2] == g.key[a] % 2
    ready = np.empty(len(d.time), np.int32)
    done, count = 0, 0
    for e in range(len(d.time)):
        if missing[e] == 0:
            ready[count], count = e, count + 1
    while done < count:
        e, done = ready[done], done + 1
        if e + 1 < g.offsets[g.robot[e] + 1]:
            count = serve(d, e + 1, d.time[e] + g.duration_ms[e], missing, ready, count)
        for x in range(g.out_ptr[e], g.out_ptr[e + 1]):
            a = g.out_arcs[x]
            if d.decision[g.key[a] // 2] == g.key[a] % 2:
                count = serve(d, g.after[a], d.time[e] + g.headway_ms, missing, ready, count)


@kernel
def serve(d: Dive, e: int, time: int, missing: Int32s, ready: Int32s, count: int) -> int:
    """An event waits for one less; returns how many are ready."""
    d.time[e] = max(d.time[e], time)
    missing[e] -= 1
    if missing[e] == 0:
        ready[count] = e
        count += 1
    return count
