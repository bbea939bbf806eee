# SPDX-License-Identifier: Apache-2.0
"""The banker's check: may this robot move, and could everybody still finish afterwards?

Dijkstra's banker, with cells and density regions as what is lent. Robots finish in thought one
after another; one that is blocked waits for what blocks it and goes on scanning its route from
there, so that each route is scanned at most once.
"""

from typing import NamedTuple

import numpy as np

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel

NOBODY = -1
CLEAR = -1


class Floor(NamedTuple):
    """Who is where.

    ``occupant [cells]``; ``position [N]`` next event; ``active [N]`` holds a cell; ``inside
    [Q, N]`` is in the region. The check's own: ``removed [N]`` has finished in thought;
    ``resume [N]`` how far a route is clear; ``first [N + Q]`` and ``waiter [N]``: linked lists of
    robots that wait for a robot or a region; ``crowd [Q]`` robots inside and not removed;
    ``blocker [N]`` what each robot was last found to wait for.
    """

    occupant: Int32s
    position: Int32s
    active: Bools
    inside: Bools
    removed: Bools
    resume: Int32s
    waiter: Int32s
    first: Int32s
    crowd: Int32s
    blocker: Int32s


@kernel
def make_floor(g: GraphArrays) -> Floor:
    """Everybody in a bay, except robots that park on the floor: on their first cell."""
    n = len(g.offsets) - 1
    return Floor(
        np.full(len(g.visit_ptr) - 1, NOBODY, np.int32),
        g.offsets[:-1].copy(),
        np.zeros(n, np.bool_),
        np.zeros((len(g.region_bound), n), np.bool_),
        np.zeros(n, np.bool_),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n + len(g.region_bound), np.int32),
        np.zeros(len(g.region_bound), np.int32),
        np.empty(n, np.int32),
    )


@kernel
def _full_region(g: GraphArrays, f: Floor, i: int, e: int) -> int:
    """A full region that ``i`` would enter with event ``e``, or CLEAR."""
    stay = g.stay_at[e]
    while 0 <= stay < g.stay_ptr[i + 1] and g.stay_enter[stay] == e:
        q = g.stay_region[stay]
        if f.crowd[q] - f.inside[q, i] >= g.region_bound[q]:
            return int(q)
        stay += 1
    return CLEAR


@kernel
def _blocker(g: GraphArrays, f: Floor, i: int) -> int:
    """What keeps ``i`` from finishing now: a robot, N + a full region, or CLEAR.

    Remembers how far the route is clear.
    """
    last = g.offsets[i + 1] - 1
    for e in range(f.resume[i], last):
        f.resume[i] = e
        k = g.resource[e]
        other = f.occupant[k]
        if other >= 0 and other != i and not f.removed[other]:
            return int(other)
        stay = g.stay_at[e]  # written out here: a call for every cell would cost more than the scan
        while 0 <= stay < g.stay_ptr[i + 1] and g.stay_enter[stay] == e:
            q = g.stay_region[stay]
            if f.crowd[q] - f.inside[q, i] >= g.region_bound[q]:
                return int(len(f.active) + q)
            stay += 1
    if g.parked[i]:  # it will never leave its goal, so everybody else must have passed there
        k = g.resource[last - 1]
        for a in range(g.visit_ptr[k], g.visit_ptr[k + 1]):
            x = g.visits[a]
            other = g.robot[x]
            if other != i and x >= f.position[other] and not f.removed[other]:
                return int(other)
    return CLEAR


@kernel
def _wake(f: Floor, obstacle: int, stack: Int32s, depth: int) -> int:
    """Put everybody who waits for the obstacle on the stack."""
    w = f.first[obstacle]
    f.first[obstacle] = NOBODY
    while w >= 0:
        stack[depth] = w
        depth += 1
        w = f.waiter[w]
    return depth


@kernel
def _can_finish_chain(g: GraphArrays, f: Floor, mover: int) -> bool:
    """:func:`_can_finish` where only robots block: follow who blocks whom.

    Each robot on the chain needs the next one gone, so a chain that meets itself is hopeless.
    On failure ``first`` marks the chain: unless one of these moves, the answer stays the same.
    """
    chain = f.waiter
    f.removed[:] = False
    f.first[:] = NOBODY
    f.resume[:] = f.position
    chain[0] = mover
    f.first[mover] = mover
    length = 1
    while length > 0:
        i = chain[length - 1]
        blocker = _blocker(g, f, i)
        if blocker == CLEAR:
            f.removed[i] = True
            f.first[i] = NOBODY
            length -= 1
        elif f.first[blocker] != NOBODY:
            return False
        else:
            chain[length] = blocker
            f.first[blocker] = blocker
            length += 1
    return True


@kernel
def _can_finish(g: GraphArrays, f: Floor, mover: int) -> bool:
    """Whether all active robots can finish one after another, given they could before the move.

    It is enough that the mover can: without it the others are as they were. On failure
    ``first >= 0`` marks robots of whom one must move before the answer can change.
    """
    n = len(f.active)
    f.removed[:] = False
    f.first[:] = NOBODY
    f.resume[:] = f.position
    stack = np.empty(n, np.int32)
    crowd = f.crowd.copy()
    possible = False
    for i in range(-1, n):
        if possible or (i >= 0 and (i == mover or f.removed[i] or not f.active[i])):
            continue
        stack[0] = mover if i < 0 else i
        depth = 1
        while depth > 0 and not possible:
            depth -= 1
            j = stack[depth]
            f.blocker[j] = _blocker(g, f, j)
            if f.blocker[j] != CLEAR:
                f.waiter[j] = f.first[f.blocker[j]]
                f.first[f.blocker[j]] = j
                continue
            possible = j == mover
            f.removed[j] = True
            depth = _wake(f, j, stack, depth)
            for stay in range(g.stay_ptr[j], g.stay_ptr[j + 1]):
                if g.stay_enter[stay] < f.position[j] <= g.stay_exit[stay]:
                    f.crowd[g.stay_region[stay]] -= 1
                    depth = _wake(f, n + g.stay_region[stay], stack, depth)
    f.crowd[:] = crowd
    if not possible:
        _mark_obstacles(f, mover, stack)
    return possible


@kernel
def _mark_obstacles(f: Floor, mover: int, stack: Int32s) -> None:
    """Everybody the mover waits for, directly or not, in ``first``."""
    n = len(f.active)
    f.first[:] = NOBODY
    f.first[mover] = mover
    stack[0] = mover
    depth = 1
    while depth > 0:
        depth -= 1
        blocker = f.blocker[stack[depth]]
        low, high = (blocker, blocker + 1) if blocker < n else (0, n)
        for j in range(low, high):
            waits = blocker < n or (f.inside[blocker - n, j] and not f.removed[j])
            if waits and f.first[j] == NOBODY:
                f.first[j] = j
                stack[depth] = j
                depth += 1


@kernel
def _set_inside(g: GraphArrays, f: Floor, i: int, boundary: Int32s, e: int, present: bool) -> None:
    """Count robot ``i`` into, or out of, the regions whose stays have ``boundary`` at ``e``."""
    for stay in range(g.stay_ptr[i], g.stay_ptr[i + 1]):
        if boundary[stay] == e:
            f.inside[g.stay_region[stay], i] = present
            f.crowd[g.stay_region[stay]] += 1 if present else -1


@kernel
def move(g: GraphArrays, f: Floor, i: int, e: int) -> None:
    """Let robot ``i`` happen event ``e``."""
    if e > g.offsets[i]:
        f.occupant[g.resource[e - 1]] = NOBODY
    if g.resource[e] >= 0:
        f.occupant[g.resource[e]] = i
    f.active[i] = g.resource[e] >= 0
    f.position[i] = e + 1
    _set_inside(g, f, i, g.stay_exit, e, False)
    _set_inside(g, f, i, g.stay_enter, e, True)


@kernel
def _undo(g: GraphArrays, f: Floor, i: int, e: int) -> None:
    """Take :func:`move` back."""
    f.position[i] = e
    f.occupant[g.resource[e]] = NOBODY
    f.active[i] = e > g.offsets[i]
    if e > g.offsets[i]:
        f.occupant[g.resource[e - 1]] = i
    _set_inside(g, f, i, g.stay_enter, e, False)
    _set_inside(g, f, i, g.stay_exit, e, True)


@kernel
def refused(g: GraphArrays, f: Floor, i: int, e: int, careful: bool, stuck: Bools) -> bool:
    """Try event ``e``; when it must not happen take it back and note in ``stuck`` whose move
    could change that."""
    f.removed[:] = False
    full = _full_region(g, f, i, e)
    if full != CLEAR:
        stuck[:] = f.inside[full]
        return True
    move(g, f, i, e)
    if not careful or g.resource[e] < 0:
        return False
    if _can_finish_chain(g, f, i) if len(g.region_bound) == 0 else _can_finish(g, f, i):
        return False
    for j in range(len(stuck)):
        stuck[j] = f.first[j] != NOBODY and j != i
    _undo(g, f, i, e)
    return True
