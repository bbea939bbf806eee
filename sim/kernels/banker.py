# SPDX-License-Identifier: Apache-2.0
"""The banker's check: may this robot move, and could everybody still finish afterwards?

Dijkstra's banker, with cells and density regions as what is lent. An order in which all could
finish one after another is kept from move to move as proof that they can. A move disturbs it only
where the mover now stands in the way of robots that come before it: they, and who waits for them,
are put behind the mover, the rest stays in order (the one-sided search of Marchetti-Spaccamela,
Nanni and Rohnert for topological orders under insertions, Inf. Proc. Letters 59, 1996). Where only
robots block, the mover itself being put off means a circle. Where a full region blocks, who is let
in first matters, and the thorough search of :mod:`sim.kernels.finishing` decides.
"""

from sim.graph import Int32s
from sim.jit import kernel
from sim.kernels.finishing import Search, finish
from sim.kernels.floor_state import NEVER, NOBODY
from sim.kernels.proof import Proof, take_over

REGION = -2


@kernel
def first_disturbed(
    visit_ptr: Int32s, visits: Int32s, robot: Int32s, position: Int32s, rank: Int32s, i: int, k: int
) -> int:
    """The lowest place of a robot that has yet to come to cell ``k``, or that of robot ``i``.

    When it is its own, ``i`` may go to ``k``. Takes arrays one by one: it is asked at every event.
    """
    low = rank[i]
    for a in range(visit_ptr[k], visit_ptr[k + 1]):
        other = robot[visits[a]]
        if 0 <= rank[other] < low and visits[a] >= position[other]:
            low = rank[other]
    return int(low)


@kernel
def rearrange(p: Proof, i: int, low: int) -> bool:
    """Whether all can still finish after the move that robot ``i`` has just made onto a cell.

    Args:
        low: robots in lower places are not disturbed.

    Returns:
        False when ``i`` is in a circle, or when a full region makes it necessary to search anew.
    """
    place = p.rank[i]
    for j in range(len(p.blocker)):
        p.blocker[j] = NOBODY
    for t in range(low):
        p.done[t] = p.order[t]
    _hold(p.visit_ptr, p.visits, p.robot, p.position, p.blocker, i, p.cell[i])
    _sort_out(p, i, low)
    if p.blocker[i] != NOBODY:
        return False
    behind = p.num_done[0]
    for t in range(low, place):
        if p.blocker[p.order[t]] != NOBODY:
            p.done[behind] = p.order[t]
            behind += 1
    take_over(p, low, place + 1)
    return True


@kernel
def _sort_out(p: Proof, i: int, low: int) -> None:
    """From place ``low`` to robot ``i``: who can finish in this order is done, the rest blocked.

    Ends early when ``i`` is in a circle.
    """
    visit_ptr, visits, robot, position = p.visit_ptr, p.visits, p.robot, p.position
    cell, blocker = p.cell, p.blocker
    num_done = low
    for t in range(low, p.rank[i] + 1):
        j = p.order[t]
        if len(p.crowd) > 0 and blocker[j] == NOBODY and _kept_out(p, j):
            blocker[j] = REGION
        if blocker[j] == NOBODY:
            p.done[num_done] = j
            num_done += 1
            continue
        if cell[j] >= 0:
            _hold(visit_ptr, visits, robot, position, blocker, j, cell[j])
        if len(p.parks_at) > 0:
            _hold_off_goals(p, j)
        if in_circle(blocker, i):
            break
    p.num_done[0] = num_done


@kernel
def _hold(
    visit_ptr: Int32s, visits: Int32s, robot: Int32s, position: Int32s, blocker: Int32s,
    w: int, k: int,
) -> None:  # fmt: skip
    """Note for all who have yet to come to cell ``k`` that they must come after robot ``w``."""
    for a in range(visit_ptr[k], visit_ptr[k + 1]):
        other = robot[visits[a]]
        if visits[a] >= position[other] and blocker[other] == NOBODY and other != w:
            blocker[other] = w


@kernel
def _hold_off_goals(p: Proof, w: int) -> None:
    """Note for everybody who parks where robot ``w`` has yet to pass that they must come after."""
    e = p.next_goal[p.position[w]] if p.position[w] < p.offsets[w + 1] else NEVER
    while e >= 0:
        other = p.parks_at[p.resource[e]]
        if p.blocker[other] == NOBODY:
            p.blocker[other] = w
        e = p.next_goal[e + 1]


@kernel
def _kept_out(p: Proof, i: int) -> bool:
    """Whether robot ``i``, at its turn, would come to a full region."""
    for stay in range(p.stay_ptr[i], p.stay_ptr[i + 1]):
        q = p.stay_region[stay]
        if p.stay_enter[stay] >= p.position[i] and p.crowd[q] >= p.region_bound[q]:
            left = 0
            for a in range(p.crowd[q]):
                j = p.inside[q, a]
                left += j != i and (p.rank[j] > p.rank[i] or p.blocker[j] != NOBODY)
            if left >= p.region_bound[q]:
                return True
    return False


@kernel
def in_circle(blocker: Int32s, i: int) -> bool:
    """Whether robots alone, each waiting for the next, wait for robot ``i`` and ``i`` for them."""
    j = blocker[i]
    while j >= 0 and j != i:
        j = blocker[j]
    return bool(j == i)


@kernel
def search_anew(p: Proof, s: Search, i: int) -> bool:
    """Whether all can finish in an entirely different order, when :func:`rearrange` failed."""
    num_done, count = p.num_done[0], p.length[0]
    for t in range(num_done):
        s.done[t] = p.done[t]
    num_done = finish(s, p.order[:count], num_done, i)
    if not s.removed[i]:
        return False
    for t in range(num_done):
        p.done[t] = s.done[t]
    for t in range(count):
        if not s.removed[p.order[t]]:
            p.done[num_done] = p.order[t]
            num_done += 1
    take_over(p, 0, count)
    return True
