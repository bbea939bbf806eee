# SPDX-License-Identifier: Apache-2.0
"""Whether an order would make events wait for each other in a circle, from the times alone."""

from sim.jit import kernel
from sim.kernels.branching import NOBODY, Tree
from sim.kernels.dive_state import ALONG, UNSEEN, Dive


@kernel
def closing_arc(g: Tree, d: Dive, key: int) -> int:
    """An arc of an order not yet decided that closes a circle, or NOBODY.

    Times never fall along arcs that hold, so whoever is later than the arc's first event is not on
    the way back to it; the search looks at the few events between the two. One arc at a time is
    enough: the arcs of a key end on one route, so of several on a circle the one that ends first
    closes a circle alone.

    ``reached_by`` tells the way round until it is wiped.
    """
    for closing in range(g.arc_ptr[key], g.arc_ptr[key + 1]):
        wipe(d)
        first = g.before[closing]
        reach(d, g.after[closing], closing, first)
        done = 0
        while done < d.waiting[0]:
            done += 1
            e = d.waiting[done]
            if e == first:
                return closing
            if e + 1 < g.offsets[g.robot[e] + 1]:
                reach(d, e + 1, ALONG, first)
            for x in range(g.out_ptr[e], g.out_ptr[e + 1]):
                a = g.out_arcs[x]
                if d.decision[g.key[a] // 2] == g.key[a] % 2:
                    reach(d, g.after[a], a, first)
    return NOBODY


@kernel
def reach(d: Dive, e: int, by: int, first: int) -> None:
    """Put an event on the list, unless it is there or too late; ``waiting[0]`` is the length."""
    if d.reached_by[e] == UNSEEN and d.time[e] <= d.time[first]:
        d.reached_by[e] = by
        d.waiting[0] += 1
        d.waiting[d.waiting[0]] = e


@kernel
def wipe(d: Dive) -> None:
    """Forget the last search."""
    for x in range(1, d.waiting[0] + 1):
        d.reached_by[d.waiting[x]] = UNSEEN
    d.waiting[0] = 0
