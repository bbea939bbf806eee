# SPDX-License-Identifier: Apache-2.0
"""Pairing robots and orders: against brute force, and against plain Python bid for bid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.errors import InputError
from sim.warehouse.assignment import UNREACHABLE, AssignmentMethod, assign_orders
from sim.warehouse.assignment_reference import (
    auction_reference,
    brute_force,
    nearest_reference,
    outcome,
)
from sim.warehouse.auction import auction

METHODS = list(AssignmentMethod)
EXACT = [AssignmentMethod.AUCTION, AssignmentMethod.OPTIMAL]
Costs = NDArray[np.int64]


@st.composite
def costs(draw: st.DrawFn, most: int = 4) -> Costs:
    """Small numbers, so that there are ties; large ones; and pairs that must not be."""
    shape = draw(st.integers(1, most)), draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.integers(0, draw(st.sampled_from([1, 3, 30, 10**6])), shape)
    cost[rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.7]))] = UNREACHABLE
    return cost


@given(costs())
def test_exact_methods_leave_out_as_few_as_can_be_at_least_cost(cost: Costs) -> None:
    expected = brute_force(cost.tolist())
    for method in EXACT:
        chosen = assign_orders(method, cost).tolist()
        assert len({*chosen} - {-1}) == len(chosen) - chosen.count(-1)
        assert outcome(cost.tolist(), chosen) == expected, method


@given(costs(), st.integers(1, 40))
def test_a_coarse_auction_stays_within_its_bound(cost: Costs, epsilon: int) -> None:
    chosen = assign_orders(AssignmentMethod.AUCTION, cost, epsilon).tolist()
    missing, total = brute_force(cost.tolist())
    found = outcome(cost.tolist(), chosen)
    assert found is not None
    assert found[0] == missing
    assert total <= found[1] <= total + min(cost.shape) * epsilon


@given(costs(most=9))
def test_large_matrices_give_equal_totals_by_both_exact_methods(cost: Costs) -> None:
    one, other = (outcome(cost.tolist(), assign_orders(m, cost).tolist()) for m in EXACT)
    assert one == other is not None


@given(costs(most=12))
def test_nearest_equals_the_reference(cost: Costs) -> None:
    chosen = assign_orders(AssignmentMethod.NEAREST, cost)
    assert chosen.tolist() == nearest_reference(cost.tolist())


@given(costs(most=9), st.integers(0, 5))
def test_the_auction_equals_the_reference_bid_for_bid(cost: Costs, epsilon: int) -> None:
    table = np.where(cost < UNREACHABLE, cost, -1)
    table = table if table.shape[0] <= table.shape[1] else table.T.copy()
    price = len(table) * max(0, int(table.max())) + 1
    chosen = auction(table, price, epsilon)
    assert chosen.tolist() == auction_reference(table.tolist(), price, epsilon)


def test_the_robots_of_a_fleet_get_the_optimum_by_auction() -> None:
    rng = np.random.default_rng(0)
    robots, orders = rng.integers(0, 60, (120, 2)), rng.integers(0, 60, (150, 2))
    cost = np.abs(robots[:, None] - orders[None]).sum(axis=2)
    cost[:, :40] = UNREACHABLE  # more robots than orders that they can reach
    one, other = (outcome(cost.tolist(), assign_orders(m, cost).tolist()) for m in EXACT)
    assert one == other
    assert one is not None
    assert one[0] == 10


def test_of_equally_near_pairs_the_first_is_taken() -> None:
    for shape, expected in (((2, 3), [0, 1]), ((3, 2), [0, 1, -1])):
        assert assign_orders(AssignmentMethod.NEAREST, np.full(shape, 7)).tolist() == expected


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_without_robots_or_orders_nobody_gets_any(
    method: AssignmentMethod, shape: tuple[int, int]
) -> None:
    assert assign_orders(method, np.zeros(shape, dtype=np.int64)).tolist() == [-1] * shape[0]


@pytest.mark.parametrize("method", METHODS)
def test_unreachable_orders_go_to_nobody(method: AssignmentMethod) -> None:
    cost = np.array([[UNREACHABLE, 2**60], [5, UNREACHABLE + 1], [4, UNREACHABLE]])
    assert assign_orders(method, cost).tolist() == [-1, -1, 0]


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (np.zeros(3, dtype=np.int64), "cost is 'int64 .3.'"),
        (np.array([[np.nan]]), "cost is 'float64 .1, 1.'; allowed: .* whole"),
        (np.array([[0, 1], [2, -7]]), "cost of robot 1, order 1 is -7; allowed: 0 or more"),
        (np.full((3000, 3000), 2**29, dtype=np.int32), "cost is 536870912; allowed: 0 to"),
    ],
)
def test_costs_of_another_kind_are_refused(cost: Costs, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assign_orders(AssignmentMethod.OPTIMAL, cost)


def test_a_negative_epsilon_is_refused() -> None:
    with pytest.raises(InputError, match="epsilon is -1"):
        assign_orders(AssignmentMethod.AUCTION, np.zeros((1, 1), dtype=np.int64), -1)
