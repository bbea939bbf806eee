# SPDX-License-Identifier: Apache-2.0
"""The proof that everybody on the floor can finish: an order in which they do, one by one."""

from typing import NamedTuple

import numpy as np

from sim.graph import GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.finishing import Search, finish
from sim.kernels.floor_state import NOBODY, Floor

UNRANKED = -1


class Proof(NamedTuple):
    """An order in which all could finish.

    ``order [N]`` the robots, of which ``length [1]`` are in it: those that have asked to
    leave their bay; all of them where somebody parks. ``rank [N]`` their places, or UNRANKED. The
    check's own: ``blocker [N]`` whom a robot must come after, or NOBODY, or REGION; ``done [N]``,
    of whom ``num_done [1]`` can finish. The others are the graph's and the floor's, and no more of
    them than needed: passing a tuple costs for each of its arrays.
    """

    order: Int32s
    length: Int32s
    rank: Int32s
    blocker: Int32s
    done: Int32s
    num_done: Int32s
    position: Int32s
    cell: Int32s
    crowd: Int32s
    inside: Int32s
    parks_at: Int32s
    next_goal: Int32s
    offsets: Int32s
    robot: Int32s
    resource: Int32s
    visit_ptr: Int32s
    visits: Int32s
    region_bound: Int32s
    stay_ptr: Int32s
    stay_region: Int32s
    stay_enter: Int32s


@kernel
def make_proof(g: GraphArrays, f: Floor, s: Search) -> Proof:
    """The floor is empty, or robots are parked on it and could drive one after another."""
    n = len(g.parked)
    p = Proof(
        np.arange(n).astype(np.int32), np.zeros(1, np.int32), np.full(n, UNRANKED, np.int32),
        np.empty(n, np.int32), np.empty(n, np.int32), np.zeros(1, np.int32),
        f.position, f.cell, f.crowd, f.inside, f.parks_at, f.next_goal,
        g.offsets, g.robot, g.resource, g.visit_ptr, g.visits,
        g.region_bound, g.stay_ptr, g.stay_region, g.stay_enter,
    )  # fmt: skip
    if len(f.parks_at) > 0:
        num_done = finish(s, p.order, 0, NOBODY)
        for i in range(n):
            if not s.removed[i]:  # no graph of ours has such, but then nothing would be proved
                s.done[num_done] = i
                num_done += 1
        p.done[:] = s.done
        take_over(p, 0, n)
    return p


@kernel
def enrol(p: Proof, i: int) -> None:
    """Robot ``i``, in whose way nobody was in its bay, gets a place behind all others."""
    p.rank[i] = p.length[0]
    p.order[p.length[0]] = i
    p.length[0] += 1


@kernel
def take_over(p: Proof, low: int, count: int) -> None:
    """``done`` is the order from now on; below ``low`` and from ``count`` on nothing changes."""
    for t in range(low, count):
        p.order[t] = p.done[t]
        p.rank[p.order[t]] = t
    p.length[0] = max(p.length[0], count)
