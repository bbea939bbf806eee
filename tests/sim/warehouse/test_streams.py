# SPDX-License-Identifier: Apache-2.0
"""Streams of orders: rates, rushes, zones and deadlines are what the options say."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.distances import distances_to, largest_component
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.hot_zones import zone_cells
from sim.warehouse.orders import NO_DEADLINE, Orders, require_errands
from sim.warehouse.streams import OrderOptions, draw_orders, travel_moves

FLOOR = Layout("floor", np.ones((20, 30), dtype=np.bool_))
STATIONS = Layout(
    "stations",
    FLOOR.free,
    emitters=np.array([0, 30], dtype=np.int32),
    service_points=np.array([5, 100, 101], dtype=np.int32),
)


def drawn(ticks: int, layout: Layout = FLOOR, seed: int = 0, **options: Any) -> Orders:
    return draw_orders(layout, OrderOptions(**options), ticks, np.random.default_rng(seed))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_orders_stay_in_the_largest_area(seed: int) -> None:
    rng = np.random.default_rng(seed)
    free = rng.random((7, 9)) < 0.6
    free[3, 3] = True
    layout = Layout("scattered", free)
    orders = drawn(
        50, layout, seed, orders_per_tick=1, errands_min=1, errands_max=4,
        hot_zones=int(rng.integers(0, 3)), hot_ticks=int(rng.integers(0, 20)),
    )  # fmt: skip
    require_errands(layout, orders)
    assert np.isin(orders.errand_cells, largest_component(layout)).all()
    assert set(np.diff(orders.errand_ptr)) <= {1, 2, 3, 4}
    assert (orders.deadline_tick == NO_DEADLINE).all()
    again = drawn(50, layout, seed, orders_per_tick=1, errands_min=1, errands_max=4, hot_zones=0)
    assert np.array_equal(orders.release_tick, again.release_tick)  # zones change places alone


def test_as_many_orders_come_as_the_rate_says() -> None:
    orders = drawn(20_000, orders_per_tick=0.5)
    assert abs(len(orders) - 10_000) < 4 * 100  # four standard deviations
    counts = np.bincount(orders.release_tick, minlength=20_000)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.05)  # Poisson


def test_a_rush_moves_orders_to_the_busy_half() -> None:
    orders = drawn(20_000, orders_per_tick=1, rush_amplitude=1, rush_period_ticks=1000)
    busy = (orders.release_tick % 1000 < 500).mean()
    assert busy == pytest.approx(0.5 + 1 / np.pi, abs=0.01)


def test_no_rate_no_ticks_no_orders() -> None:
    assert len(drawn(100, orders_per_tick=0)) == 0
    assert len(drawn(0)) == 0
    assert len(drawn(100, orders_per_tick=0, backlog=True)) == 0
    assert len(drawn(9, orders_per_tick=0, errands_min=2, deadline_slack=3, hot_zones=2)) == 0


def test_orders_pick_at_service_points_and_end_at_emitters() -> None:
    orders = drawn(500, STATIONS, orders_per_tick=1, errands_min=1, errands_max=4)
    for order in range(len(orders)):
        *picks, last = orders.errands(order).tolist()
        if not picks:
            picks, last = [last], 0  # a single errand is a pick
        assert {*picks} <= {5, 100, 101}
        assert last in (0, 30)


def test_stations_out_of_reach_do_not_count() -> None:
    free = np.ones((3, 5), dtype=np.bool_)
    free[:, 3] = False
    island = Layout("island", free, service_points=np.array([4], dtype=np.int32))
    assert set(drawn(200, island, orders_per_tick=1).errand_cells) == {*largest_component(island)}


def test_hot_zones_hold_their_share_of_the_picks() -> None:
    picks = drawn(
        3000, orders_per_tick=2, errands_min=1, errands_max=1,
        hot_zones=1, hot_share=0.7, hot_radius_cells=2,
    ).errand_cells  # fmt: skip
    shares = [
        np.isin(picks, zone_cells(FLOOR.free_cells, 30, centre, 2)).mean()
        for centre in FLOOR.free_cells.tolist()
    ]
    size = len(zone_cells(FLOOR.free_cells, 30, int(np.argmax(shares)), 2))
    assert max(shares) == pytest.approx(0.7 + 0.3 * size / FLOOR.free.size, abs=0.03)


def test_hot_zones_move() -> None:
    orders = drawn(
        300, orders_per_tick=1, errands_min=1, errands_max=1,
        hot_zones=1, hot_share=1, hot_radius_cells=0, hot_ticks=100,
    )  # fmt: skip
    centres = [set(orders.errand_cells[orders.release_tick // 100 == e]) for e in range(3)]
    assert [len(found) for found in centres] == [1, 1, 1]
    assert len(set.union(*centres)) > 1


def test_a_zone_is_a_diamond() -> None:
    assert zone_cells(FLOOR.free_cells, 30, 0, 1).tolist() == [0, 1, 30]
    assert zone_cells(FLOOR.free_cells, 30, 29, 1).tolist() == [28, 29, 59]  # no way round the edge


def test_a_deadline_is_a_multiple_of_the_way() -> None:
    orders = drawn(200, orders_per_tick=1, errands_min=2, errands_max=3, deadline_slack=1.5)
    for order in range(len(orders)):
        cells = orders.errands(order).tolist()
        way = sum(abs(a // 30 - b // 30) + abs(a % 30 - b % 30) for a, b in pairwise(cells))
        ticks = orders.deadline_tick[order] - orders.release_tick[order]
        assert ticks == np.ceil(1.5 * max(way, 1))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_moves_are_counted_leg_by_leg(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = Layout("scattered", rng.random((6, 6)) < 0.7)
    area = largest_component(layout)
    lengths = rng.integers(1, 4, rng.integers(0, 8))
    ptr = np.cumsum(np.r_[0, lengths], dtype=np.int64)
    cells = rng.choice(area, ptr[-1])
    expected = [
        sum(int(distances_to(layout, int(b))[a]) for a, b in pairwise(row))
        for row in np.split(cells, ptr[1:-1])[: len(lengths)]
    ]
    assert travel_moves(layout, ptr, cells).tolist() == expected


def test_a_backlog_is_known_at_once_and_its_zones_move() -> None:
    orders = drawn(
        400, orders_per_tick=0.5, errands_min=1, errands_max=1, backlog=True,
        hot_zones=1, hot_share=1, hot_radius_cells=0, hot_ticks=200,
    )  # fmt: skip
    assert len(orders) == 200
    assert not orders.release_tick.any()
    assert [len(set(half)) for half in np.split(orders.errand_cells, 2)] == [1, 1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orders_per_tick", float("nan")),
        ("orders_per_tick", -0.1),
        ("rush_amplitude", 1.1),
        ("rush_amplitude", float("nan")),
        ("rush_period_ticks", 1),
        ("hot_zones", -1),
        ("hot_zones", 1.5),
        ("hot_share", float("nan")),
        ("hot_radius_cells", -1),
        ("hot_ticks", -1),
        ("errands_min", 0),
        ("errands_max", 1),
        ("errands_max", True),
        ("deadline_slack", -1.0),
        ("deadline_slack", float("nan")),
    ],
)
def test_options_out_of_range_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} is {value}; allowed: "):
        OrderOptions(**{name: value})


@pytest.mark.parametrize("others", [{"backlog": True}, {"errands_min": 1}])
def test_deadlines_need_a_way_and_a_release(others: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"deadline_slack is 2\.0; allowed: None"):
        OrderOptions(deadline_slack=2.0, **others)


def test_too_many_ticks_or_orders_are_refused() -> None:
    for ticks in (-1, 10**9):
        with pytest.raises(InputError, match=f"ticks is {ticks}"):
            drawn(ticks)
    with pytest.raises(InputError, match="orders_per_tick is 10000"):
        drawn(10**6, orders_per_tick=10_000)
    with pytest.raises(InputError, match=r"orders_per_tick is 10; allowed: .* 5000 orders"):
        drawn(10**4, orders_per_tick=10, errands_max=1000)
