# SPDX-License-Identifier: Apache-2.0
"""One dive of the tree search, with the orders said by somebody else.

Times start where nobody meets anybody and only rise, so a conflict needs a decision only where
they violate both of its orders: a few hundred of ten thousand at 250 robots. Among those the one
goes first whose cheaper order costs most. What changes with a decision are the conflicts of the
robots that it delays, so only these are looked at again.

Before a decision both orders are tried: what each adds to the cost, all that follows included, is
the best advice that there is without knowing the decisions still to come.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Int8s, Int32s
from sim.jit import kernel
from sim.kernels.branching import (
    NOBODY,
    UNBOUNDED,
    UNDECIDED,
    Tree,
    cost_ms,
    demand_ms,
    overfull,
    raise_times,
)

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

SETTLED = -1
"""The urgency of a conflict that needs no decision."""
DEAD_END_MS, TIE_MS = 2**31, 2**20
"""Urgencies are of a finish first, and of an event where no finish is at stake."""
CIRCLE_MS = 1e12
"""Stands for the cost of an order that closes a circle."""
LEAN_MS = 500.0
"""Differences of delays below this count in proportion, those above by their logarithm."""


class Dive(NamedTuple):
    """Where a dive stands and what it was asked; written in place.

    ``time`` ``[E]``, ``decision`` ``[C]``, ``urgency`` ``[C]``; ``seen`` ``[N]`` the last look at
    a robot. ``wanted`` ``[C]`` the order preferred when the conflict came up, UNDECIDED where it
    never did, and ``lean`` ``[C]`` how much more order 0 would have added to the cost than order 1
    at that moment, as the asinh of half seconds: twice the delay counts less than twice.
    ``first`` ``[C]`` how many dead ends a conflict was: those go first, most of all.
    """

    time: Int32s
    decision: Int8s
    urgency: Int64s
    seen: Int32s
    wanted: Int8s
    lean: Floats
    first: Int64s


@kernel
def look(g: Tree, d: Dive, c: int) -> None:
    """Bring what is known of a conflict up to date."""
    d.urgency[c] = SETTLED
    if d.decision[c] != UNDECIDED or g.typed[c]:
        return
    event_u, finish_u = demand_ms(g, d.time, 2 * c)
    if event_u == 0:
        return
    event_v, finish_v = demand_ms(g, d.time, 2 * c + 1)
    if event_v == 0:
        return
    tie = min(event_u, event_v, TIE_MS - 1)
    d.urgency[c] = (d.first[c] * DEAD_END_MS + min(finish_u, finish_v)) * TIE_MS + tie


@kernel
def look_again(
    g: Tree, d: Dive, robot_ptr: Int32s, robot_conflicts: Int32s, raised: Int32s, step: int
) -> None:
    """Look at all conflicts of the robots whose events were raised."""
    for a in range(len(raised)):
        i = g.robot[raised[a]]
        if d.seen[i] != step:
            d.seen[i] = step
            for x in range(robot_ptr[i], robot_ptr[i + 1]):
                look(g, d, robot_conflicts[x])


@kernel
def try_order(g: Tree, d: Dive, c: int, order: int) -> float:
    """Cost in milliseconds once an order is committed; impossible ones cost CIRCLE_MS. Nothing is
    changed."""
    d.decision[c] = order
    trail = np.empty((512, 2), np.int32)
    held, trail, trailed = raise_times(g, d.decision, d.time, 2 * c + order, UNBOUNDED, trail, 0)
    total = float(cost_ms(g, d.time)) if held else CIRCLE_MS
    take_back(d, trail, trailed)
    d.decision[c] = UNDECIDED
    return total


@kernel
def take_back(d: Dive, trail: Int32s, trailed: int) -> None:
    """Lower the times again that the trail tells of."""
    for a in range(trailed - 1, -1, -1):
        d.time[trail[a, 0]] = trail[a, 1]


@kernel
def choose(g: Tree, d: Dive, logit: Floats, caution: float) -> tuple[int, bool]:
    """The conflict to decide next, with its preferred order in ``wanted``.

    Returns:
        NOBODY where nothing is violated; and whether it can still become a schedule.
    """
    c = int(np.argmax(d.urgency))
    if d.urgency[c] != SETTLED:
        d.lean[c] = np.arcsinh((try_order(g, d, c, 0) - try_order(g, d, c, 1)) / LEAN_MS)
        d.wanted[c] = 1 if logit[c] + caution * d.lean[c] > 0.0 else 0
        return c, True
    c, side, repairable = overfull(g, d.time, d.decision)
    if c != NOBODY:
        d.wanted[c], d.lean[c] = side, 0.0
    return c, repairable


@kernel
def commit(g: Tree, d: Dive, c: int) -> tuple[bool, Int32s]:
    """Decide as wanted, or the other way round where that closes a circle.

    Returns:
        Whether either was possible, and the events that it raised.
    """
    trail, trailed = np.empty((512, 2), np.int32), 0
    for attempt in range(2):
        order = d.wanted[c] if attempt == 0 else 1 - d.wanted[c]
        d.decision[c] = order
        held, trail, trailed = raise_times(
            g, d.decision, d.time, 2 * c + order, UNBOUNDED, trail, 0
        )
        if held:
            return True, trail[:trailed, 0]
        take_back(d, trail, trailed)
    return False, trail[:0, 0]


@kernel
def dive(
    g: Tree,
    d: Dive,
    robot_ptr: Int32s,
    robot_conflicts: Int32s,
    logit: Floats,
    caution: float,
) -> bool:
    """Decide until nothing is violated; ``time`` is then a schedule.

    Args:
        robot_ptr, robot_conflicts: CSR of the conflicts of every robot.
        logit: ``[C]`` above 0 where v should pass first.
        caution: what ``lean`` counts beside the logit.

    Returns:
        False in a dead end: both orders of a conflict close a circle, or a region stays overfull.
        A conflict outside regions is noted in ``first``, so that another dive meets it early;
        where nothing is noted, another dive would end alike.
    """
    for c in range(len(d.decision)):
        look(g, d, c)
    step = 0
    while True:
        step += 1
        c, possible = choose(g, d, logit, caution)
        if c == NOBODY:
            return possible
        held, raised = commit(g, d, c)
        if not held:
            d.first[c] += not g.typed[c]
            return False
        look(g, d, c)
        look_again(g, d, robot_ptr, robot_conflicts, raised, step)
