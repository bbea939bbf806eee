# SPDX-License-Identifier: Apache-2.0
"""Instances: what may be asked for, and that what comes out is what was asked for."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conflicts import Granularity
from sim.coordinators.interface import Budget
from sim.coordinators.portfolio import CoordinatorName, coordinate
from sim.errors import InputError
from sim.generate import generate_random
from sim.graph import NO_REGION
from sim.instances import (
    InstanceOptions,
    instance_from_routes,
    make_errand_instance,
    make_instance,
)
from sim.layout import Layout
from sim.schedule import Objective
from tests.sim.tiny_instances import bounded, routes_of, visits_of

FLOOR = Layout("floor", np.ones((6, 6), dtype=np.bool_))
AISLE = Layout("aisle", np.ones((1, 8), dtype=np.bool_))
STEADY = InstanceOptions(speed_spread=0.0)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("speed_m_s", 0.0, "greater than 0"),
        ("speed_m_s", -1.0, "greater than 0"),
        ("speed_m_s", float("nan"), "greater than 0"),
        ("cell_m", 0.0, "greater than 0"),
        ("headway_s", 0.0, "greater than 0"),
        ("headway_s", -0.1, "greater than 0"),
        ("speed_spread", -0.1, "at least 0 and below 1"),
        ("speed_spread", 1.0, "at least 0 and below 1"),
        ("turn_s", -1.0, "at least 0 and finite"),
        ("turn_s", float("nan"), "at least 0 and finite"),
        ("turn_s", float("inf"), "at least 0 and finite"),
        ("density_bound", -1, "at least 0"),
        ("density_block_cells", 0, "1 to 100000"),
        ("headway_s", 0.9, "at most the 0.833 s per cell"),
    ],
)
def test_impossible_options_name_field_value_and_what_is_allowed(
    name: str, value: float, allowed: str
) -> None:
    with pytest.raises(InputError, match=re.escape(f"{name} is {value}; it must be {allowed}")):
        InstanceOptions(**{name: value})  # type: ignore[arg-type]


def test_the_longest_headway_is_the_time_the_fastest_robot_takes_for_a_cell() -> None:
    longest_s = 1.0 / 1.25
    InstanceOptions(speed_spread=0.25, headway_s=longest_s)
    with pytest.raises(InputError, match=r"at most the 0\.8 s per cell"):
        InstanceOptions(speed_spread=0.25, headway_s=longest_s + 1e-6)


def test_robots_take_their_time_for_a_cell_and_for_a_turn() -> None:
    options = replace(STEADY, speed_m_s=0.5, cell_m=1.5, turn_s=0.25, headway_s=0.4)
    right_right_down_down_left = [0, 1, 2, 8, 14, 13]
    graph = instance_from_routes(
        FLOOR, routes_of([right_right_down_down_left, [30]]), options, np.random.default_rng(0)
    ).graph
    assert graph.duration_ms.tolist() == [3000, 3000, 3250, 3000, 3250, 3000, 0, 3000, 0]
    assert graph.headway_ms == 400
    assert not graph.parked.any()


@pytest.mark.parametrize("slow", [{"speed_m_s": 1e-9}, {"cell_m": 1e12}, {"turn_s": 1e9}])
def test_robots_that_would_take_years_are_refused(slow: dict[str, float]) -> None:
    with pytest.raises(InputError, match="more than 12 days"):
        make_instance(FLOOR, 8, InstanceOptions(**slow), np.random.default_rng(0))  # type: ignore[arg-type]


def test_no_cell_takes_less_than_the_headway() -> None:
    fast = InstanceOptions(speed_m_s=1e5, headway_s=1e-6)
    graph = make_instance(FLOOR, 5, fast, np.random.default_rng(0)).graph
    assert graph.duration_ms[graph.cell >= 0].min() >= graph.headway_ms


@bounded
@given(st.floats(0.0, 0.99), st.integers(0, 100))
def test_speeds_stay_within_their_spread(spread: float, seed: int) -> None:
    options = InstanceOptions(speed_spread=spread, headway_s=0.01)
    graph = make_instance(FLOOR, 10, options, np.random.default_rng(seed)).graph
    per_cell_s = graph.duration_ms[graph.cell >= 0] / 1000
    assert (per_cell_s >= 1 / (1 + spread) - 0.001).all()
    assert (per_cell_s <= 1 / (1 - spread) + 0.001).all()


@bounded
@given(st.integers(1, 12), st.integers(0, 1000))
def test_everybody_drives_from_its_start_to_its_goal_over_free_cells(
    num_robots: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    instance = make_instance(generate_random(6, 6, 0.2, rng), num_robots, STEADY, rng)
    routes, graph = instance.routes, instance.graph
    assert graph.num_robots == routes.num_robots == num_robots
    starts = {int(routes.of(robot)[0]) for robot in range(num_robots)}
    goals = {int(routes.of(robot)[-1]) for robot in range(num_robots)}
    assert len(starts) == len(goals) == num_robots
    for robot in range(num_robots):
        first, last = graph.offsets[robot], graph.offsets[robot + 1] - 1
        np.testing.assert_array_equal(graph.cell[first:last], routes.of(robot))
        assert graph.cell[last] == -1
    assert instance.layout.free.ravel()[routes.cells].all()


def test_the_seed_decides() -> None:
    one, again, other = (
        make_instance(FLOOR, 8, InstanceOptions(), np.random.default_rng(seed)).graph
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.cell, again.cell)
    np.testing.assert_array_equal(one.duration_ms, again.duration_ms)
    assert not np.array_equal(one.cell, other.cell)


@pytest.mark.parametrize("granularity", Granularity)
def test_options_reach_the_graph(granularity: Granularity) -> None:
    options = replace(STEADY, parking="floor", granularity=granularity)
    graph = make_instance(FLOOR, 3, options, np.random.default_rng(0)).graph
    assert graph.parked.all()
    assert graph.merged == (granularity is Granularity.MERGED)


def test_density_blocks_tile_the_floor() -> None:
    options = replace(STEADY, density_bound=2, density_block_cells=3)
    graph = make_instance(FLOOR, 12, options, np.random.default_rng(0)).graph
    assert graph.region_bound.tolist() == [2, 2, 2, 2]
    assert (graph.conflict_region != NO_REGION).any()
    for block in range(4):
        for enter, leave in visits_of(graph, block):
            rows, columns = np.divmod(graph.cell[enter:leave], 6)
            assert set(rows // 3 * 2 + columns // 3) == {block}


def test_blocks_too_small_to_be_overfull_are_left_out() -> None:
    pockets = Layout("pockets", np.array([[1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]], dtype=np.bool_))
    options = replace(STEADY, density_bound=3, density_block_cells=3)
    graph = make_instance(pockets, 2, options, np.random.default_rng(0)).graph
    assert graph.region_bound.tolist() == [3]


def test_more_robots_than_cells_are_refused() -> None:
    with pytest.raises(InputError, match="num_robots is 9; allowed on layout aisle: 1 to 8"):
        make_instance(AISLE, 9, STEADY, np.random.default_rng(0))


def test_a_floor_too_narrow_to_park_on_is_given_up() -> None:
    options = replace(STEADY, parking="floor")
    with pytest.raises(InputError, match="no well-posed instance in 20 draws; the last: ill-posed"):
        make_instance(AISLE, 8, options, np.random.default_rng(0))


def test_errands_visit_their_stops_in_turn() -> None:
    stops = [np.array([0, 5, 0, 30], dtype=np.int32), np.array([35, 3], dtype=np.int32)]
    graph = make_errand_instance(FLOOR, stops, STEADY, np.random.default_rng(0)).graph
    cells = graph.cell[: graph.offsets[1] - 1].tolist()
    assert cells[0] == 0
    assert cells[5] == 5
    assert cells[10] == 0
    assert cells[-1] == 30
    assert graph.num_robots == 2


@pytest.mark.parametrize("kind", [{"parking": "floor"}, {"granularity": Granularity.MERGED}, {}])
def test_every_instance_can_be_coordinated(kind: dict[str, str]) -> None:
    options = InstanceOptions(**kind)  # type: ignore[arg-type]
    for seed in range(5):
        graph = make_instance(FLOOR, 4, options, np.random.default_rng(seed)).graph
        decision = coordinate(
            CoordinatorName.FCFS,
            graph,
            Budget(steps=1),
            Objective.MEAN_TRAVEL,
            np.random.default_rng(0),
        )
        assert decision.certificate.valid
