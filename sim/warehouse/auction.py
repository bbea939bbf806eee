# SPDX-License-Identifier: Apache-2.0
"""Assignment by auction: buyers bid for goods, then goods that nobody has lower their prices.

Source: Bertsekas and Castañon, "A forward/reverse auction algorithm for asymmetric assignment
problems" (1992), with epsilon scaling (Bertsekas, "The auction algorithm", 1988). A buyer may go
without, at a price of its own; so goods that are left over have price 0 in the end, and with it the
result is within ``epsilon`` per buyer of the optimum.
"""

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.fleet import Int32s

Int64s = NDArray[np.int64]

SCALING = 5
"""By how much epsilon falls from one round to the next."""

NOTHING, UNDECIDED = -1, -2
NEVER = -(2**62)


@kernel
def auction(cost: Int64s, price_of_nothing: int, epsilon: int) -> Int32s:
    """``[R]`` what each buyer gets, -1 nothing.

    Values are multiplied by R + 1, so that an epsilon of 1 adds up to less than one unit over all
    buyers: with ``epsilon`` 0 the result is exactly optimal.

    Args:
        cost: ``[R, M]``, R at most M, from 0 on; -1: not this pair.
        price_of_nothing: what a buyer saves that gets something, at most 2 ** 60 / (R + 1).
        epsilon: by how much the total may exceed the optimum, per buyer.
    """
    buyers, goods = cost.shape
    unit = buyers + 1
    value = np.where(cost < 0, NEVER, -cost * unit)
    without = -(price_of_nothing + buyers * epsilon) * unit
    price = np.zeros(goods, dtype=np.int64)
    good_of = np.full(buyers, NOTHING, dtype=np.int32)
    last = max(1, epsilon * unit)
    step = max(last, cost.max() * unit // 2) if cost.size > 0 else last
    while True:
        profit, buyer_of = _sell(value, without, price, good_of, step)
        _discount(value, price, profit, good_of, buyer_of, step)
        if step == last:
            return good_of
        step = max(last, step // SCALING)


@kernel
def _sell(
    value: Int64s, without: int, price: Int64s, good_of: Int32s, step: int
) -> tuple[Int64s, Int32s]:
    """Buyers bid until each has a good or prefers nothing; returns profits and owners."""
    buyers, goods = value.shape
    profit = np.full(buyers, without, dtype=np.int64)
    buyer_of = np.full(goods, -1, dtype=np.int32)
    good_of[:] = UNDECIDED
    waiting = np.arange(buyers - 1, -1, -1)  # a stack: the first buyer bids first
    count = buyers
    while count > 0:
        buyer = waiting[count - 1]
        best, second, good = NEVER, without, NOTHING
        for candidate in range(goods):
            gain = value[buyer, candidate] - price[candidate]
            if gain > best:
                second = max(second, best)
                best, good = gain, candidate
            elif gain > second:
                second = gain
        if best < without:
            good_of[buyer] = NOTHING
            count -= 1
            continue
        price[good] += best - second + step
        profit[buyer] = second - step
        good_of[buyer] = good
        loser = buyer_of[good]
        buyer_of[good] = buyer
        if loser >= 0:
            good_of[loser] = UNDECIDED
            profit[loser] = without
            waiting[count - 1] = loser
        else:
            count -= 1
    return profit, buyer_of


@kernel
def _discount(
    value: Int64s, price: Int64s, profit: Int64s, good_of: Int32s, buyer_of: Int32s, step: int
) -> None:
    """Goods that nobody has lower their prices until somebody takes them, or to 0."""
    buyers, goods = value.shape
    waiting = np.empty(goods, dtype=np.int64)
    count = 0
    for good in range(goods - 1, -1, -1):
        if buyer_of[good] < 0 and price[good] > 0:
            waiting[count] = good
            count += 1
    while count > 0:
        good = waiting[count - 1]
        count -= 1
        best, second, buyer = NEVER, NEVER, -1
        for candidate in range(buyers):
            gain = value[candidate, good] - profit[candidate]
            if gain > best:
                second = best
                best, buyer = gain, candidate
            elif gain > second:
                second = gain
        if best <= step:
            price[good] = 0
            continue
        price[good] = max(0, second - step)
        profit[buyer] = value[buyer, good] - price[good]
        left = good_of[buyer]
        good_of[buyer] = good
        buyer_of[good] = buyer
        if left >= 0:
            buyer_of[left] = -1
            if price[left] > 0:
                waiting[count] = left
                count += 1
