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
TIE_MS = 2**20
"""Urgencies are of a finish first, and of an event where no finish is at stake."""


CIRCLE_MS = 1e12
LEAN_MS = 500.0
"""Differences of delays below this count in proportion, those above by their logarithm."""


class Dive(NamedTuple):
    """Where a dive stands and what it was asked; written in place.

    ``time`` ``[E]``, ``decision`` ``[C]``, ``urgency`` ``[C]``; ``seen`` ``[N]`` the last look at
    a robot. ``wanted`` ``[C]`` the order preferred when the conflict came up, UNDECIDED where it
    never did, and ``lean`` ``[C]`` how much more order 0 would have added to the cost than order 1
    at that moment, as the asinh of half seconds: twice the delay counts less than twice.
    ``stack`` ``[C, 3]``: by depth the conflict, how many orders were tried, the trail before.
    """

    time: Int32s
    decision: Int8s
    urgency: Int64s
    seen: Int32s
    wanted: Int8s
    lean: Floats
    stack: Int64s


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
    d.urgency[c] = min(finish_u, finish_v) * TIE_MS + tie


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
    take_back(d, trail, trailed, 0)
    d.decision[c] = UNDECIDED
    return total


@kernel
def take_back(d: Dive, trail: Int32s, trailed: int, mark: int) -> None:
    """Lower the times again that the trail from ``mark`` on tells of."""
    for a in range(trailed - 1, mark - 1, -1):
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
def dive(
    g: Tree,
    d: Dive,
    robot_ptr: Int32s,
    robot_conflicts: Int32s,
    logit: Floats,
    caution: float,
    most_returns: int,
) -> bool:
    """Decide until nothing is violated; ``time`` is then a schedule.

    An order that closes a circle is flipped. Where both orders do, the last decision that has
    another order left is taken back; that is rare, and everything is looked at again then.

    Args:
        robot_ptr, robot_conflicts: CSR of the conflicts of every robot.
        logit: ``[C]`` above 0 where v should pass first.
        caution: what ``lean`` counts beside the logit.
        most_returns: how often decisions may be taken back.

    Returns:
        False where that was not enough.
    """
    trail = np.empty((4096, 2), np.int32)
    trailed, depth, returns, step = 0, 0, 0, 0
    for c in range(len(d.decision)):
        look(g, d, c)
    while True:
        step += 1
        c, possible = choose(g, d, logit, caution)
        if possible and c == NOBODY:
            return True
        if possible:
            d.stack[depth, 0], d.stack[depth, 1], d.stack[depth, 2] = c, 0, trailed
            depth += 1
        held, first = False, trailed
        while not held:
            if depth == 0 or returns > most_returns:
                return False
            c, tried, mark = d.stack[depth - 1]
            take_back(d, trail, trailed, mark)
            trailed = mark
            if tried == 2:
                d.decision[c] = d.wanted[c] = UNDECIDED
                depth -= 1
                returns += 1
                continue
            order = d.wanted[c] if tried == 0 else 1 - d.wanted[c]
            d.stack[depth - 1, 1] += 1
            d.decision[c] = order
            held, trail, trailed = raise_times(
                g, d.decision, d.time, 2 * c + order, UNBOUNDED, trail, trailed
            )
        if d.stack[depth - 1, 2] == first:
            look(g, d, c)
            look_again(g, d, robot_ptr, robot_conflicts, trail[first:trailed, 0], step)
        else:
            for x in range(len(d.decision)):
                look(g, d, x)
