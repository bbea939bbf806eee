# SPDX-License-Identifier: Apache-2.0
"""Which robot gets which order, from what each pair costs.

Costs are whole numbers, so equal ones are exactly equal; of equals the lower index is looked at
first. What comes out is a function of the matrix and nothing else.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sim.errors import InputError, require
from sim.jit import kernel
from sim.warehouse.auction import auction
from sim.warehouse.fleet import Int32s

Costs = NDArray[np.int64]
"""``[R, M]``, 0 to ``UNREACHABLE``."""

UNREACHABLE = 2**30
"""The cost of a pair that must not be, as is every cost from here on."""

MAX_TOTAL = 2**52
"""Sums up to here are exact, in scipy's floats as well."""


class AssignmentMethod(StrEnum):
    """How robots and orders are paired."""

    NEAREST = "nearest"
    """The cheapest pair first, then the cheapest of those that are left, and so on."""

    AUCTION = "auction"
    """Robots bid for orders (see ``auction.py``); as many pairs as can be, at least cost."""

    OPTIMAL = "optimal"
    """The same by scipy; of several optima it may find another one."""


def assign_orders(
    method: AssignmentMethod, cost: NDArray[np.integer[Any]], epsilon: int = 0
) -> Int32s:
    """``[R]`` the order of each robot, -1 none; no order twice, and no unreachable pair.

    Args:
        method: how.
        cost: ``[R, M]`` whole numbers from 0 on; ``UNREACHABLE`` or more: not this pair.
        epsilon: of the auction, which may cost this much more than the optimum for each pair; 0:
            exactly optimal.

    Raises:
        InputError: the costs are of another shape or kind, negative, or too large to be added.
    """
    costs = _checked(cost)
    require("epsilon", epsilon, 0 <= epsilon <= UNREACHABLE, f"0 to {UNREACHABLE}")
    if method is AssignmentMethod.NEAREST:
        return _nearest(costs)
    if method is AssignmentMethod.OPTIMAL:
        return _optimal(costs, _missing_price(costs))
    return _auctioned(costs, epsilon)


def _checked(cost: NDArray[np.integer[Any]]) -> Costs:
    whole = cost.ndim == 2 and np.issubdtype(cost.dtype, np.integer)
    require("cost", f"{cost.dtype} {list(cost.shape)}", whole, "[robots, orders] whole numbers")
    if cost.size and cost.min() < 0:
        robot, order = np.argwhere(cost < 0)[0]
        raise InputError(
            f"cost of robot {robot}, order {order} is {cost.min()}; allowed: 0 or more"
        )
    return np.ascontiguousarray(np.minimum(cost, UNREACHABLE), dtype=np.int64)


def _missing_price(costs: Costs) -> int:
    """What it costs to leave one out: more than all pairs together, so nobody is left out to save.

    Raises:
        InputError: beyond what is added exactly.
    """
    pairs: int = min(costs.shape)
    dearest = int(costs.max(initial=0, where=costs < UNREACHABLE))
    price = pairs * dearest + 1
    require("cost", dearest, price * max(1, pairs) <= MAX_TOTAL,
            f"0 to {MAX_TOTAL // max(1, pairs) ** 2 - 1} for {pairs} pairs")  # fmt: skip
    return price


def _optimal(costs: Costs, price: int) -> Int32s:
    robots, orders = linear_sum_assignment(np.where(costs < UNREACHABLE, costs, price))
    chosen = np.full(len(costs), -1, dtype=np.int32)
    reachable = costs[robots, orders] < UNREACHABLE
    chosen[robots[reachable]] = orders[reachable]
    return chosen


def _auctioned(costs: Costs, epsilon: int) -> Int32s:
    """One auction for each block: where some must go without, they would bid far up for nothing.

    On a floor every robot of an area reaches every order of it; so in each block either all
    bidders get something, or all goods go.
    """
    chosen = np.full(len(costs), -1, dtype=np.int32)
    for robots, orders in _blocks(costs < UNREACHABLE):
        block = costs[np.ix_(robots, orders)]
        found = _auctioned_block(block, _missing_price(block), epsilon)
        chosen[robots] = np.where(found >= 0, orders[found], -1)
    return chosen


def _blocks(reachable: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Robots and orders that hang together, and nothing to do with any others."""
    num_robots, num_orders = reachable.shape
    if reachable.size and reachable.all():
        yield np.arange(num_robots), np.arange(num_orders)
        return
    robots, orders = np.nonzero(reachable)
    size = num_robots + num_orders
    graph = coo_array((np.ones(len(robots)), (robots, orders + num_robots)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    for block in np.intersect1d(label[:num_robots], label[num_robots:]):
        yield (
            np.flatnonzero(label[:num_robots] == block),
            np.flatnonzero(label[num_robots:] == block),
        )


def _auctioned_block(costs: Costs, price: int, epsilon: int) -> Int32s:
    """Whoever are fewer do the bidding."""
    bidders = min(costs.shape)
    total = (price + bidders * epsilon) * (bidders + 1)
    require("epsilon", epsilon, total <= 2**60, f"less, with {bidders} bidders")
    table = np.where(costs < UNREACHABLE, costs, -1)
    if len(costs) == bidders:
        return auction(table, price, epsilon)
    robots = auction(table.T.copy(), price, epsilon)
    chosen = np.full(len(costs), -1, dtype=np.int32)
    orders = np.flatnonzero(robots >= 0)
    chosen[robots[orders]] = orders
    return chosen


@kernel
def _nearest(costs: Costs) -> Int32s:
    """Greedy; every robot keeps its cheapest order, and looks again once that is taken."""
    num_robots, num_orders = costs.shape
    chosen = np.full(num_robots, -1, dtype=np.int32)
    taken = np.zeros(num_orders, dtype=np.bool_)
    favourite = np.empty(num_robots, dtype=np.int64)
    least = np.empty(num_robots, dtype=np.int64)
    for robot in range(num_robots):
        favourite[robot], least[robot] = _cheapest(costs[robot], taken)
    for _ in range(min(num_robots, num_orders)):
        robot = int(np.argmin(least))
        while least[robot] < UNREACHABLE and taken[favourite[robot]]:
            favourite[robot], least[robot] = _cheapest(costs[robot], taken)
            robot = int(np.argmin(least))
        if least[robot] >= UNREACHABLE:
            break
        chosen[robot] = favourite[robot]
        taken[favourite[robot]] = True
        least[robot] = UNREACHABLE
    return chosen


@kernel
def _cheapest(row: NDArray[np.int64], taken: NDArray[np.bool_]) -> tuple[int, int]:
    """The first of the cheapest orders that are left, and its cost."""
    found, least = 0, UNREACHABLE
    for order in range(len(row)):
        if row[order] < least and not taken[order]:
            found, least = order, int(row[order])
    return found, int(least)
