# SPDX-License-Identifier: Apache-2.0
"""One dive of the tree search, with the orders said by somebody else.

Times start where nobody meets anybody and only rise, so a conflict needs a decision only where
they violate both of its orders: a few hundred of ten thousand at 250 robots. Among those the one
goes first whose cheaper order costs most. What changes with a decision are the conflicts of the
robots that it delays, so only these are looked at again.

Before a decision both orders are tried: what each adds to the cost, and what it leaves to decide,
is the best advice that there is without knowing the decisions still to come.
"""

import numpy as np

from sim.graph import Int32s
from sim.jit import kernel
from sim.kernels.branching import NOBODY, UNBOUNDED, Tree, overfull, raise_times
from sim.kernels.circles import closing_arc
from sim.kernels.dive_state import (
    SETTLED,
    Dive,
    Floats,
    look_again,
    look_at_all,
)
from sim.kernels.outlook import COST, PROSPECT, look_ahead
from sim.kernels.repair import make_room

STAMPS = 3
"""Looks at robots in one turn."""


@kernel
def choose(g: Tree, d: Dive, logit: Floats, weight: Floats, turn: int) -> tuple[int, bool]:
    """The conflict to decide next, with its preferred order in ``wanted``.

    Returns:
        NOBODY where nothing is violated; and whether it can still become a schedule.
    """
    c = int(np.argmax(d.urgency))
    if d.urgency[c] != SETTLED:
        look_ahead(g, d, c, STAMPS * turn)
        advice = weight[COST] * d.outlook[c, COST] + weight[PROSPECT] * d.outlook[c, PROSPECT]
        d.wanted[c] = 1 if logit[c] + advice > 0.0 else 0
        return c, True
    c, side, repairable = overfull(g, d.time, d.decision)
    if c != NOBODY:
        d.wanted[c] = side
        d.outlook[c] = 0.0
    return c, repairable


@kernel
def commit(g: Tree, d: Dive, c: int, turn: int) -> tuple[bool, Int32s]:
    """Decide as wanted, or the other way round where that closes a circle.

    Returns:
        Whether either was possible, and the events that it raised.
    """
    trail = np.empty((512, 2), np.int32)
    for attempt in range(2):
        order = d.wanted[c] if attempt == 0 else 1 - d.wanted[c]
        key = 2 * c + order
        if closing_arc(g, d, key) == NOBODY:
            d.decision[c], d.turn[c] = order, turn
            _, trail, trailed = raise_times(g, d.decision, d.time, key, UNBOUNDED, trail, 0)
            return True, trail[:trailed, 0]
    return False, trail[:0, 0]


@kernel
def dive(g: Tree, d: Dive, logit: Floats, weight: Floats, most_repairs: int) -> bool:
    """Decide until nothing is violated; ``time`` is then a schedule.

    Args:
        logit: ``[C]`` above 0 where v should pass first.
        weight: ``[2]`` what cost and prospect of the outlook count beside the logit.
        most_repairs: how many dead ends, where both orders close a circle, it may leave.

    Returns:
        False where it gives up, or a region stays overfull.
    """
    look_at_all(g, d)
    turn, repairs = 0, 0
    while True:
        turn += 1
        c, possible = choose(g, d, logit, weight, turn)
        if c == NOBODY:
            return possible
        held, raised = commit(g, d, c, turn)
        if held:
            d.urgency[c] = SETTLED
            look_again(g, d, raised, STAMPS * turn + 2)
        elif repairs < most_repairs and make_room(g, d, c, d.wanted[c], turn):
            repairs += 1
            look_at_all(g, d)
        else:
            return False
