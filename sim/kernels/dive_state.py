# SPDX-License-Identifier: Apache-2.0
"""Where a dive stands, and how urgent it makes a conflict."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Int8s, Int32s
from sim.jit import kernel
from sim.kernels.branching import UNBOUNDED, UNDECIDED, Tree

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

SETTLED = -1
"""The urgency of a conflict that needs no decision."""
TIE_MS = 2**20
"""Urgencies are of a finish first, and of an event where no finish is at stake."""
OPEN_MS = 500
"""What a conflict that is yet to be decided is taken to cost beside the finish it must delay."""


UNSEEN, ALONG = -2, -1
"""How a search reached an event: not at all, along the route, or by the arc of a number from 0."""


class Dive(NamedTuple):
    """Where a dive stands and what it was asked; all but the first four written in place.

    Args:
        start: ``[E]`` times before the first decision.
        robot_ptr, robot_conflicts, robot_other: CSR of the conflicts of every robot, and with whom.
        time: ``[E]``; decision: ``[C]``; urgency: ``[C]``, see :func:`look`.
        listed, found: ``[C]`` conflicts of the last look and their urgencies.
        seen: ``[N]`` the last look at a robot.
        turn: ``[C]`` when a conflict was decided, from 1; 0 if before the dive or not at all.
        undone: ``[C]`` how often a decision was taken back.
        reached_by: ``[E]`` and waiting: ``[E + 1]`` of the last search for a circle.
        wanted: ``[C]`` the order preferred when the conflict came up, UNDECIDED where it never did.
        outlook: ``[C, 2]`` how much more order 0 seemed to cost then, see :mod:`.outlook`.
    """

    start: Int32s
    robot_ptr: Int32s
    robot_conflicts: Int32s
    robot_other: Int32s
    time: Int32s
    decision: Int8s
    urgency: Int64s
    listed: Int32s
    found: Int64s
    seen: Int32s
    turn: Int32s
    undone: Int32s
    reached_by: Int32s
    waiting: Int32s
    wanted: Int8s
    outlook: Floats


@kernel
def look_at_all(g: Tree, d: Dive) -> None:
    """Bring what is known of all conflicts up to date."""
    d.listed[:] = np.arange(len(d.listed))
    look(g, d, len(d.listed))
    d.urgency[:] = d.found


@kernel
def look_again(g: Tree, d: Dive, raised: Int32s, stamp: int) -> None:
    """Bring what is known of the conflicts of robots whose events were raised up to date.

    Args:
        stamp: never used before for ``seen``.
    """
    count = list_conflicts(g, d, raised, stamp)
    look(g, d, count)
    for x in range(count):
        d.urgency[d.listed[x]] = d.found[x]


@kernel
def list_conflicts(g: Tree, d: Dive, raised: Int32s, stamp: int) -> int:
    """Put the conflicts of robots whose events were raised into ``listed``, each once.

    Returns:
        How many.
    """
    count = 0
    for a in range(len(raised)):
        i = g.robot[raised[a]]
        if d.seen[i] == stamp:
            continue
        d.seen[i] = stamp
        for x in range(d.robot_ptr[i], d.robot_ptr[i + 1]):
            if d.seen[d.robot_other[x]] != stamp:  # otherwise listed with the other robot
                d.listed[count] = d.robot_conflicts[x]
                count += 1
    return count


@kernel
def look(g: Tree, d: Dive, count: int) -> None:
    """Write the urgencies of the first conflicts of ``listed`` into ``found``.

    SETTLED, or by how much the cheaper order delays a finish (times TIE_MS) and an event. As
    :func:`.branching.demand_ms`, but written out: a call with all arrays costs more than the work.
    """
    time, headway_ms = d.time, g.headway_ms
    for x in range(count):
        c = d.listed[x]
        d.found[x] = SETTLED
        if d.decision[c] != UNDECIDED or g.typed[c]:
            continue
        u, v = g.conflict_u[c], g.conflict_v[c]
        if time[g.interval_enter[v]] >= time[g.interval_exit[u]] + headway_ms:
            continue  # one leaves before the other enters: most do
        if time[g.interval_enter[u]] >= time[g.interval_exit[v]] + headway_ms:
            continue
        least_event, least_finish = TIE_MS - 1, UNBOUNDED
        for key in range(2 * c, 2 * c + 2):
            at_event, at_finish = 0, 0
            for a in range(g.arc_ptr[key], g.arc_ptr[key + 1]):
                e = g.after[a]
                late = time[g.before[a]] + headway_ms - time[e]
                last = g.offsets[g.robot[e] + 1] - 1
                slack = (time[last] - g.nominal_ms[last]) - (time[e] - g.nominal_ms[e])
                at_event, at_finish = max(at_event, late), max(at_finish, late - slack)
            least_event, least_finish = min(least_event, at_event), min(least_finish, at_finish)
            if at_event == 0:
                break
        if least_event > 0:
            d.found[x] = least_finish * TIE_MS + least_event


@kernel
def pending_ms(urgency: int) -> int:
    """What a conflict of some urgency will still add to the cost, as far as that is known."""
    return 0 if urgency == SETTLED else urgency // TIE_MS + OPEN_MS


@kernel
def take_back(d: Dive, trail: Int32s, trailed: int) -> None:
    """Lower the times again that the trail tells of."""
    for a in range(trailed - 1, -1, -1):
        d.time[trail[a, 0]] = trail[a, 1]
