# SPDX-License-Identifier: Apache-2.0
"""Pairing robots and orders in plain Python, slow and obvious, for tests."""

from itertools import permutations

from sim.warehouse.assignment import UNREACHABLE
from sim.warehouse.auction import SCALING

Rows = list[list[int]]


def nearest_reference(cost: Rows) -> list[int]:
    """All pairs, the cheapest first."""
    pairs = [(c, r, m) for r, row in enumerate(cost) for m, c in enumerate(row) if c < UNREACHABLE]
    chosen = [-1] * len(cost)
    for _, robot, order in sorted(pairs):
        if chosen[robot] < 0 and order not in chosen:
            chosen[robot] = order
    return chosen


def brute_force(cost: Rows) -> tuple[int, int]:
    """How many robots get none at best, and the least total cost of that; by trying everything."""
    orders = [*range(len(cost[0]) if cost else 0), *[-1] * len(cost)]
    outcomes = {outcome(cost, list(some)) for some in permutations(orders, len(cost))}
    return min(found for found in outcomes if found is not None)


def outcome(cost: Rows, chosen: list[int]) -> tuple[int, int] | None:
    """How many robots get none, and the total cost; None if a pair must not be."""
    costs = [cost[robot][order] for robot, order in enumerate(chosen) if order >= 0]
    return None if max(costs, default=0) >= UNREACHABLE else (len(chosen) - len(costs), sum(costs))


def auction_reference(cost: Rows, price_of_nothing: int, epsilon: int) -> list[int]:
    """``auction.auction``, bid for bid: with the owner of every good in a dictionary."""
    unit = len(cost) + 1
    values = [{m: -c * unit for m, c in enumerate(row) if c >= 0} for row in cost]
    without = -(price_of_nothing + len(cost) * epsilon) * unit
    prices = [0] * max(map(len, cost), default=0)
    last = max(1, epsilon * unit)
    step = max(last, max((c for row in cost for c in row), default=0) * unit // 2)
    while True:
        owner = _sell(values, without, prices, step)
        _discount(values, without, prices, owner, step)
        if step == last:
            good_of = {buyer: good for good, buyer in owner.items()}
            return [good_of.get(buyer, -1) for buyer in range(len(cost))]
        step = max(last, step // SCALING)


def _sell(
    values: list[dict[int, int]], without: int, prices: list[int], step: int
) -> dict[int, int]:
    owner: dict[int, int] = {}
    waiting = list(reversed(range(len(values))))
    while waiting:
        buyer = waiting.pop()
        gains = [(value - prices[good], -good) for good, value in values[buyer].items()]
        best, minus_good = max(gains, default=(without - 1, 0))
        if best < without:
            continue
        others = [gain for gain, number in gains if number != minus_good]
        prices[-minus_good] += best - max([without, *others]) + step
        if -minus_good in owner:
            waiting.append(owner[-minus_good])
        owner[-minus_good] = buyer
    return owner


def _discount(
    values: list[dict[int, int]], without: int, prices: list[int], owner: dict[int, int], step: int
) -> None:
    waiting = [good for good in reversed(range(len(prices))) if good not in owner and prices[good]]
    while waiting:
        good = waiting.pop()
        good_of = {buyer: other for other, buyer in owner.items()}
        gains = []
        for buyer, value in enumerate(values):
            own = good_of.get(buyer)
            profit = without if own is None else value[own] - prices[own]
            if good in value:
                gains.append((value[good] - profit, -buyer))
        best, minus_buyer = max(gains, default=(0, 0))
        if best <= step:
            prices[good] = 0
            continue
        others = [gain for gain, number in gains if number != minus_buyer]
        prices[good] = max(0, max(others, default=0) - step)
        left = good_of.get(-minus_buyer)
        if left is not None:
            del owner[left]
            if prices[left]:
                waiting.append(left)
        owner[good] = -minus_buyer
