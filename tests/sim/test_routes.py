# SPDX-License-Identifier: Apache-2.0
"""Planned routes: shortest, fair between equals, spread on request, refused when impossible."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.distances import distances_to
from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.layout import Cells, Layout
from sim.routes import RouteOptions, Routes, plan_errands, plan_routes, sample_endpoints

FLOOR = Layout("open floor", np.ones((6, 6), dtype=np.bool_))
TWO_ROOMS = Layout("two rooms", np.array([[True, True, False, True]]))


def cells(*numbers: int) -> Cells:
    return np.array(numbers, dtype=np.int32)


def warehouse() -> Layout:
    return generate_warehouse(WarehouseOptions(), np.random.default_rng(0))


def plan(layout: Layout, num_robots: int, options: RouteOptions, seed: int) -> Routes:
    rng = np.random.default_rng(seed)
    return plan_routes(layout, *sample_endpoints(layout, num_robots, rng), options, rng)


def steps_are_moves(layout: Layout, route: Cells) -> bool:
    rows, columns = np.divmod(route, layout.width)
    lengths = np.abs(np.diff(rows)) + np.abs(np.diff(columns))
    return bool((lengths == 1).all() and layout.free.ravel()[route].all())


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 10**6), st.floats(0, 1))
def test_without_spread_routes_are_shortest(
    height: int, width: int, seed: int, straightness: float
) -> None:
    rng = np.random.default_rng(seed)
    layout = generate_random(height, width, 0.2, rng)
    num_robots = min(5, len(layout.free_cells))
    if len(layout.free_cells) < 2:
        return
    starts, goals = sample_endpoints(layout, num_robots, rng)
    routes = plan_routes(layout, starts, goals, RouteOptions(straightness=straightness), rng)
    for robot in range(num_robots):
        route = routes.of(robot)
        assert (route[0], route[-1]) == (starts[robot], goals[robot])
        assert steps_are_moves(layout, route)
        assert len(route) - 1 == distances_to(layout, goals[robot])[starts[robot]]


def test_the_seed_decides() -> None:
    for options in (RouteOptions(), RouteOptions(spread=0.05)):
        one, same, other = (plan(warehouse(), 40, options, seed) for seed in (0, 0, 1))
        assert np.array_equal(one.cells, same.cells)
        assert np.array_equal(one.offsets, same.offsets)
        assert not np.array_equal(one.cells, other.cells)


def test_ties_are_broken_fairly() -> None:
    rng = np.random.default_rng(0)
    starts, goals = np.full(4000, 0, dtype=np.int32), np.full(4000, 35, dtype=np.int32)
    routes = plan_routes(FLOOR, starts, goals, RouteOptions(), rng)
    first = routes.cells[routes.offsets[:-1] + 1]
    assert (first == 1).mean() == pytest.approx(0.5, abs=0.03)
    assert set(first.tolist()) == {1, 6}


@pytest.mark.parametrize(("straightness", "low", "high"), [(1.0, 1, 1), (0.0, 4, 7)])
def test_straightness_saves_turns(straightness: float, low: float, high: float) -> None:
    options = RouteOptions(straightness=straightness)
    starts, goals = np.full(200, 0, dtype=np.int32), np.full(200, 35, dtype=np.int32)
    routes = plan_routes(FLOOR, starts, goals, options, np.random.default_rng(0))
    turns = [np.count_nonzero(np.diff(np.diff(routes.of(robot)))) for robot in range(200)]
    assert low <= np.mean(turns) <= high


def opposing_meetings(routes: Routes) -> int:
    """Pairs of moves over the same edge in opposite directions."""
    moves: dict[tuple[int, int], int] = {}
    for robot in range(routes.num_robots):
        route = routes.of(robot).tolist()
        for move in pairwise(route):
            moves[move] = moves.get(move, 0) + 1
    return sum(count * moves.get((end, start), 0) for (start, end), count in moves.items()) // 2


def test_spread_avoids_head_on_traffic_at_a_small_price() -> None:
    shortest = plan(warehouse(), 60, RouteOptions(), 0)
    spread = plan(warehouse(), 60, RouteOptions(spread=0.05), 0)
    assert opposing_meetings(spread) < opposing_meetings(shortest) / 2
    assert len(shortest.cells) <= len(spread.cells) < 1.1 * len(shortest.cells)
    assert all(steps_are_moves(warehouse(), spread.of(robot)) for robot in range(60))


def test_a_robot_pays_more_to_drive_against_an_earlier_one_than_with_it() -> None:
    """Two lanes of equal length; the second robot takes the other lane only when opposed."""
    ring = Layout("ring", np.array([[True] * 5, [True, False, False, False, True], [True] * 5]))
    options = RouteOptions(spread=0.1)
    stops = [cells(5, 0, 4, 9), cells(9, 5), cells(5, 9)]
    routes = plan_errands(ring, stops, options, np.random.default_rng(0))
    assert routes.of(1).tolist() == [9, 14, 13, 12, 11, 10, 5]
    assert routes.of(2).tolist() == [5, 0, 1, 2, 3, 4, 9]


def test_errands_are_visited_in_order_and_repeats_add_nothing() -> None:
    stops = [cells(0, 0, 2, 2, 0), cells(35), cells(3, 3)]
    routes = plan_errands(FLOOR, stops, RouteOptions(), np.random.default_rng(0))
    assert [routes.of(robot).tolist() for robot in range(3)] == [[0, 1, 2, 1, 0], [35], [3]]


def test_no_robots_give_no_routes() -> None:
    routes = plan_errands(FLOOR, [], RouteOptions(), np.random.default_rng(0))
    assert (routes.num_robots, len(routes.cells)) == (0, 0)


@pytest.mark.parametrize(
    ("stops", "message"),
    [
        ([cells(0), cells(1, 0, 3)], "robot 1: no path .* row 0, column 0 to row 0, column 3"),
        ([cells(0, 2)], "robot 0: row 0, column 2 .* obstacle"),
        ([cells(0, 4)], "robot 0: cell 4 is outside layout two rooms; allowed: 0 to 3"),
        ([cells(0), cells(-1)], "robot 1: cell -1 is outside"),
        ([cells()], "robot 0: no stops"),
    ],
)
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_impossible_stops_are_refused(stops: list[Cells], message: str, spread: float) -> None:
    with pytest.raises(InputError, match=message):
        plan_errands(TWO_ROOMS, stops, RouteOptions(spread=spread), np.random.default_rng(0))


def test_starts_without_goals_are_refused() -> None:
    with pytest.raises(InputError, match="2 starts and 1 goals"):
        plan_routes(FLOOR, cells(1, 2), cells(3), RouteOptions(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("field", "value"),
    [("spread", -0.1), ("spread", float("nan")), ("spread", 11.0), ("straightness", 1.1)],
)
def test_bad_options_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{field} is {value}; allowed: 0 to"):
        replace(RouteOptions(), **{field: value})


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 36), st.integers(0, 10**6))
def test_endpoints_are_distinct_and_apart(num_robots: int, seed: int) -> None:
    starts, goals = sample_endpoints(FLOOR, num_robots, np.random.default_rng(seed))
    assert starts.dtype == goals.dtype == np.int32
    assert len(set(starts.tolist())) == len(set(goals.tolist())) == num_robots
    assert not (starts == goals).any()


def test_endpoints_lie_in_the_largest_area() -> None:
    starts, goals = sample_endpoints(TWO_ROOMS, 2, np.random.default_rng(0))
    assert set(starts.tolist()) == set(goals.tolist()) == {0, 1}


@pytest.mark.parametrize("num_robots", [0, -3, 3])
def test_robots_without_room_are_refused(num_robots: int) -> None:
    with pytest.raises(InputError, match=f"num_robots is {num_robots}; .* 1 to 2"):
        sample_endpoints(TWO_ROOMS, num_robots, np.random.default_rng(0))
