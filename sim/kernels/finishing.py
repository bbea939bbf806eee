# SPDX-License-Identifier: Apache-2.0
"""In what order can everybody finish? The thorough search.

Robots finish in thought one after another; one that is blocked waits for what blocks it and goes
on scanning its route from there, so that each route is scanned at most once.
"""

from typing import NamedTuple

import numpy as np

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.floor_state import NOBODY, Floor, is_inside

CLEAR = -1


class Search(NamedTuple):
    """The search's notes.

    ``done [N]`` who has finished in thought, one after another, and ``removed [N]`` whether;
    ``resume [N]`` how far a route is clear; ``first [N + Q]`` and ``waiter [N]``: linked lists of
    robots that wait for a robot or a region; ``left [Q]`` robots inside and not removed;
    ``blocker [N]`` what each robot was last found to wait for; ``stack [N]``. The others are the
    graph's and the floor's.
    """

    done: Int32s
    removed: Bools
    resume: Int32s
    first: Int32s
    waiter: Int32s
    left: Int32s
    blocker: Int32s
    stack: Int32s
    position: Int32s
    occupant: Int32s
    crowd: Int32s
    inside: Int32s
    offsets: Int32s
    robot: Int32s
    resource: Int32s
    parked: Bools
    visit_ptr: Int32s
    visits: Int32s
    region_bound: Int32s
    stay_at: Int32s
    stay_ptr: Int32s
    stay_region: Int32s
    stay_enter: Int32s
    stay_exit: Int32s


@kernel
def make_search(g: GraphArrays, f: Floor) -> Search:
    """Nothing noted."""
    n, regions = len(g.parked), len(g.region_bound)
    return Search(
        np.empty(n, np.int32), np.zeros(n, np.bool_), np.empty(n, np.int32),
        np.empty(n + regions, np.int32), np.empty(n, np.int32),
        np.empty(regions, np.int32), np.empty(n, np.int32), np.empty(n, np.int32),
        f.position, f.occupant, f.crowd, f.inside,
        g.offsets, g.robot, g.resource, g.parked, g.visit_ptr, g.visits,
        g.region_bound, g.stay_at, g.stay_ptr, g.stay_region, g.stay_enter, g.stay_exit,
    )  # fmt: skip


@kernel
def finish(s: Search, order: Int32s, num_done: int, goal: int) -> int:
    """Let robots finish in thought until ``goal`` has, or no more can.

    Args:
        s: the first ``num_done`` of ``done`` have finished already.
        order: who is to try, in this order.
        goal: the robot that matters, NOBODY when all do.

    Returns:
        How many of ``done`` have finished now; when ``goal`` is not ``removed``, ``blocker`` says
        what keeps everybody who is not, as :func:`_blocker` does.
    """
    _begin(s, num_done)
    for turn in range(-1, len(order)):
        i = goal if turn < 0 else order[turn]
        if i == NOBODY or s.removed[i] or (turn >= 0 and i == goal):
            continue
        s.stack[0] = i
        depth = 1
        while depth > 0:
            depth -= 1
            j = s.stack[depth]
            blocker = _blocker(s, j)
            s.blocker[j] = blocker
            if blocker != CLEAR:
                s.waiter[j] = s.first[blocker]
                s.first[blocker] = j
                continue
            s.done[num_done] = j
            num_done += 1
            depth = _remove(s, j, depth)
            if j == goal:
                return num_done
    return num_done


@kernel
def _begin(s: Search, num_done: int) -> None:
    """Only the first of ``done`` have finished, and nobody waits."""
    s.removed[:] = False
    s.first[:] = NOBODY
    s.resume[:] = s.position
    for t in range(num_done):
        s.removed[s.done[t]] = True
    for q in range(len(s.crowd)):
        s.left[q] = 0
        for a in range(s.crowd[q]):
            s.left[q] += not s.removed[s.inside[q, a]]


@kernel
def _remove(s: Search, j: int, depth: int) -> int:
    """Robot ``j`` finishes in thought; who waits for it goes on the stack of such depth."""
    s.removed[j] = True
    depth = _wake(s, j, depth)
    for stay in range(s.stay_ptr[j], s.stay_ptr[j + 1]):
        if s.stay_enter[stay] < s.position[j] <= s.stay_exit[stay]:
            s.left[s.stay_region[stay]] -= 1
            depth = _wake(s, len(s.parked) + s.stay_region[stay], depth)
    return depth


@kernel
def _wake(s: Search, obstacle: int, depth: int) -> int:
    """Put everybody who waits for the obstacle on the stack."""
    w = s.first[obstacle]
    s.first[obstacle] = NOBODY
    while w >= 0:
        s.stack[depth] = w
        depth += 1
        w = s.waiter[w]
    return depth


@kernel
def _blocker(s: Search, i: int) -> int:
    """What keeps ``i`` from finishing now: a robot, N + a full region, or CLEAR.

    Remembers how far the route is clear.
    """
    last = s.offsets[i + 1] - 1
    for e in range(s.resume[i], last):
        s.resume[i] = e
        other = s.occupant[s.resource[e]]
        if other >= 0 and other != i and not s.removed[other]:
            return int(other)
        stay = s.stay_at[e]
        while 0 <= stay < s.stay_ptr[i + 1] and s.stay_enter[stay] == e:
            q = s.stay_region[stay]
            if s.left[q] >= s.region_bound[q] and not is_inside(s.crowd, s.inside, q, i):
                return int(len(s.parked) + q)
            stay += 1
    if s.parked[i]:  # it will never leave its goal, so everybody else must have passed there
        k = s.resource[last - 1]
        for a in range(s.visit_ptr[k], s.visit_ptr[k + 1]):
            x = s.visits[a]
            other = s.robot[x]
            if other != i and x >= s.position[other] and not s.removed[other]:
                return int(other)
    return CLEAR
