# SPDX-License-Identifier: Apache-2.0
"""Robots that were refused a move, and the least that must happen before they ask again.

A refused robot is in a group in which each waits for another, or for a region that others of the
group fill: a circle, mostly. While each of them still waits as it did the robot would be refused
again, so it need not ask; and only a move of who is waited for can end that.
"""

from typing import NamedTuple

import numpy as np

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.finishing import Search
from sim.kernels.floor_state import NOBODY, Floor

MEMBER = -2


class Watches(NamedTuple):
    """Who was refused, and why.

    ``refused [N]`` robots, the first ``num_refused [1]`` of them. ``blocker [N, N]``, of a refused
    robot and robot ``j``: for whom ``j`` waits, N + q for region ``q``, MEMBER when it only fills a
    region, NOBODY when it is not in the group. ``watched [N]`` in how many groups a robot is. The
    others are the graph's and the floor's.
    """

    refused: Int32s
    num_refused: Int32s
    blocker: Int32s
    watched: Int32s
    position: Int32s
    cell: Int32s
    crowd: Int32s
    inside: Int32s
    offsets: Int32s
    resource: Int32s
    parked: Bools
    visit_ptr: Int32s
    visits: Int32s
    stay_ptr: Int32s
    stay_region: Int32s
    stay_exit: Int32s


@kernel
def make_watches(g: GraphArrays, f: Floor) -> Watches:
    """Nobody was refused."""
    n = len(g.parked)
    return Watches(
        np.empty(n, np.int32), np.zeros(1, np.int32),
        np.full((n, n), NOBODY, np.int32), np.zeros(n, np.int32),
        f.position, f.cell, f.crowd, f.inside,
        g.offsets, g.resource, g.parked, g.visit_ptr, g.visits,
        g.stay_ptr, g.stay_region, g.stay_exit,
    )  # fmt: skip


@kernel
def _refuse(w: Watches, i: int) -> None:
    """Robot ``i`` is refused, its group is noted."""
    w.refused[w.num_refused[0]] = i
    w.num_refused[0] += 1
    for j in range(len(w.watched)):
        w.watched[j] += w.blocker[i, j] != NOBODY


@kernel
def watch_circle(w: Watches, i: int, blocker: Int32s) -> None:
    """Robot ``i`` is refused for the circle in ``blocker [N]``, who waits for whom."""
    j = i
    while w.blocker[i, j] == NOBODY:
        w.blocker[i, j] = blocker[j]
        j = blocker[j]
    _refuse(w, i)


@kernel
def watch_region(w: Watches, i: int, q: int) -> None:
    """Robot ``i`` is refused because region ``q`` is full."""
    w.blocker[i, i] = len(w.watched) + q
    for a in range(w.crowd[q]):
        w.blocker[i, w.inside[q, a]] = MEMBER
    _refuse(w, i)


@kernel
def watch_search(w: Watches, s: Search, i: int) -> None:
    """Robot ``i`` is refused after a search in vain, for all it waits for, directly or not."""
    n = len(w.watched)
    blocker = w.blocker[i]
    blocker[i] = s.blocker[i]
    s.stack[0] = i
    depth = 1
    while depth > 0:
        depth -= 1
        obstacle = s.blocker[s.stack[depth]]
        q = obstacle - n
        for a in range(1 if q < 0 else w.crowd[q]):
            j = obstacle if q < 0 else w.inside[q, a]
            if blocker[j] == NOBODY and not s.removed[j]:
                blocker[j] = s.blocker[j]
                s.stack[depth] = j
                depth += 1
    _refuse(w, i)


@kernel
def wake(w: Watches, mover: int, woken: Int32s) -> int:
    """Write who may ask again after a move of ``mover`` into ``woken [N]``, and return how many."""
    num_woken, kept = 0, 0
    for a in range(w.num_refused[0]):
        i = w.refused[a]
        if w.blocker[i, mover] == NOBODY or (
            _wait_for_robots(
                w.blocker[i], w.position, w.cell, w.offsets, w.resource, w.parked,
                w.visit_ptr, w.visits, i, mover,
            )
            and (len(w.crowd) == 0 or _wait_for_regions(w, i, mover))
        ):  # fmt: skip
            w.refused[kept] = i
            kept += 1
        else:
            woken[num_woken] = i
            num_woken += 1
    w.num_refused[0] = kept
    for a in range(num_woken):
        _forget(w.blocker[woken[a]], w.watched)
    return num_woken


@kernel
def _forget(blocker: Int32s, watched: Int32s) -> None:
    """Dissolve a group."""
    for j in range(len(watched)):
        watched[j] -= blocker[j] != NOBODY
        blocker[j] = NOBODY


@kernel
def _wait_for_robots(
    blocker: Int32s, position: Int32s, cell: Int32s, offsets: Int32s, resource: Int32s,
    parked: Bools, visit_ptr: Int32s, visits: Int32s, i: int, mover: int,
) -> bool:  # fmt: skip
    """Whether ``mover`` and who waits for it in the group of robot ``i`` wait as before.

    ``i`` stands, in thought, on the cell that it was refused. Takes arrays one by one, as a tuple
    would cost more than the rest.
    """
    own = position[i]
    if blocker[mover] == i and not _waits(
        offsets, resource, parked, visit_ptr, visits,
        mover, position[mover], i, own + 1, resource[own],
    ):  # fmt: skip
        return False
    for v in range(len(blocker)):
        if blocker[v] == mover and not _waits(
            offsets, resource, parked, visit_ptr, visits,
            v, position[v], mover, position[mover], cell[mover],
        ):  # fmt: skip
            return False
    return True


@kernel
def _waits(
    offsets: Int32s, resource: Int32s, parked: Bools, visit_ptr: Int32s, visits: Int32s,
    v: int, from_v: int, u: int, from_u: int, k: int,
) -> bool:  # fmt: skip
    """Whether robot ``v``, whose next event is ``from_v``, needs ``u`` gone: from cell ``k``, or
    to pass, before ``v`` parks there, the goal of ``v``."""
    if _will_come(visit_ptr, visits, k, from_v, offsets[v + 1]):
        return True
    goal = resource[offsets[v + 1] - 2]
    return bool(parked[v]) and _will_come(visit_ptr, visits, goal, from_u, offsets[u + 1])


@kernel
def _will_come(visit_ptr: Int32s, visits: Int32s, k: int, begin: int, end: int) -> bool:
    """Whether one of the events ``begin .. end - 1`` is a visit to cell ``k``."""
    if k >= 0:
        for a in range(visit_ptr[k], visit_ptr[k + 1]):
            if begin <= visits[a] < end:
                return True
    return False


@kernel
def _wait_for_regions(w: Watches, i: int, mover: int) -> bool:
    """Whether ``mover`` has left no region that robots in the group of ``i`` wait for.

    Should it have entered one that was full only with ``i``, then ``i`` cannot enter now.
    """
    last = w.position[mover] - 1
    for stay in range(w.stay_ptr[mover], w.stay_ptr[mover + 1]):
        if w.stay_exit[stay] == last:
            for awaited in w.blocker[i]:
                if awaited == len(w.watched) + w.stay_region[stay]:
                    return False
    return True
