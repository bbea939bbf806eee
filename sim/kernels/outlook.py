# SPDX-License-Identifier: Apache-2.0
"""What becomes of a schedule if a conflict is decided one way or the other.

Two answers. The cost at once: the sum of finishes with all that follows from the order. And the
prospect: beside these, what the conflicts that the order leaves open must add, each judged alone;
only those of delayed robots can have changed. The second foresees queues that the first does not.
"""

from typing import NamedTuple

import numpy as np

from sim.graph import Int32s
from sim.jit import kernel
from sim.kernels.branching import NOBODY, UNBOUNDED, UNDECIDED, Tree, cost_ms, raise_times
from sim.kernels.circles import closing_arc
from sim.kernels.dive_state import Dive, list_conflicts, look, pending_ms, take_back

COST, PROSPECT = 0, 1
"""Columns of an outlook."""
CIRCLE_MS = 1e12
"""Stands for the cost of an order that closes a circle."""
DELAY_MS = 500.0
"""Differences of delays below this count in proportion, those above by their logarithm."""


class Outcome(NamedTuple):
    """In milliseconds; the prospect without what is the same for both orders."""

    cost_ms: float
    prospect_ms: float


@kernel
def look_ahead(g: Tree, d: Dive, c: int, stamp: int) -> None:
    """Try both orders of a conflict and write the outlook: how much more order 0 adds to the cost
    and to the prospect, as the asinh of half seconds. Nothing else is changed.

    Args:
        stamp: this and the next were never used before for ``seen``.
    """
    first, second = try_order(g, d, c, 0, stamp), try_order(g, d, c, 1, stamp + 1)
    d.outlook[c, COST] = np.arcsinh((first.cost_ms - second.cost_ms) / DELAY_MS)
    d.outlook[c, PROSPECT] = np.arcsinh((first.prospect_ms - second.prospect_ms) / DELAY_MS)


@kernel
def try_order(g: Tree, d: Dive, c: int, order: int, stamp: int) -> Outcome:
    """What comes of an order; impossible ones cost CIRCLE_MS."""
    key = 2 * c + order
    if closing_arc(g, d, key) != NOBODY:
        return Outcome(CIRCLE_MS, CIRCLE_MS)
    d.decision[c] = order
    trail = np.empty((512, 2), np.int32)
    _, trail, trailed = raise_times(g, d.decision, d.time, key, UNBOUNDED, trail, 0)
    cost = float(cost_ms(g, d.time))
    prospect = cost + change_pending_ms(g, d, trail[:trailed, 0], stamp)
    take_back(d, trail, trailed)
    d.decision[c] = UNDECIDED
    return Outcome(cost, prospect)


@kernel
def change_pending_ms(g: Tree, d: Dive, raised: Int32s, stamp: int) -> float:
    """How much more the conflicts of the robots delayed must add than when last looked at."""
    count = list_conflicts(g, d, raised, stamp)
    look(g, d, count)
    total = 0.0
    for x in range(count):
        total += pending_ms(d.found[x]) - pending_ms(d.urgency[d.listed[x]])
    return total
