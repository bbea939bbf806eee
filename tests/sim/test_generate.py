# SPDX-License-Identifier: Apache-2.0
"""Made floors: connected, seeded, of the promised size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.distances import largest_component
from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.readers import read_map

MAPS = Path(__file__).parents[2].parent / "shared" / "data" / "maps"

options = st.builds(
    WarehouseOptions,
    rack_columns=st.integers(1, 4),
    rack_rows=st.integers(1, 4),
    rack_length_cells=st.integers(1, 5),
    rack_depth_cells=st.integers(1, 3),
    aisle_cells=st.integers(1, 3),
    cross_aisle_cells=st.integers(1, 3),
    open_cells=st.integers(1, 4),
    num_stations=st.integers(0, 6),
    num_pick_points=st.just(0),
    missing_rack_ratio=st.floats(0, 1),
)


@settings(deadline=None)
@given(options, st.integers(0, 2**32))
def test_a_warehouse_is_connected_and_as_large_as_its_options_say(
    options: WarehouseOptions, seed: int
) -> None:
    layout = generate_warehouse(options, np.random.default_rng(seed))
    assert layout.free.shape == (options.height, options.width)
    assert np.array_equal(largest_component(layout), layout.free_cells)
    racks = options.rack_rows * options.rack_columns - options.num_missing_racks
    walls = 2 * (options.height + options.width) - 4
    assert (~layout.free).sum() == walls + racks * (
        options.rack_length_cells * options.rack_depth_cells
    )
    assert len(set(layout.emitters.tolist())) == options.num_stations


def test_the_seed_decides_racks_stations_and_pick_points() -> None:
    def make(seed: int) -> list[list[int]]:
        layout = generate_warehouse(WarehouseOptions(), np.random.default_rng(seed))
        cells = (layout.free_cells, layout.emitters, layout.service_points)
        return [part.tolist() for part in cells]

    assert make(0) == make(0)
    assert all(one != other for one, other in zip(make(0), make(1), strict=True))


def test_the_default_warehouse_has_its_stations_at_the_walls_and_picks_beside_racks() -> None:
    layout = generate_warehouse(WarehouseOptions(), np.random.default_rng(0))
    assert layout.free.shape == (30, 50)
    assert set((layout.emitters % 50).tolist()) == {1, 48}
    assert len(layout.service_points) == 60
    for cell in layout.service_points:
        row, column = layout.row_column(cell)
        assert not (layout.free[row - 1, column] and layout.free[row + 1, column])


def test_the_preset_equals_the_benchmark_map() -> None:
    path = MAPS / "warehouse-10-20-10-2-1.map"
    if not path.exists():
        pytest.skip(f"{path.name} is not there; see ../shared/data/README.md")
    rng = np.random.default_rng(0)
    made = generate_warehouse(WarehouseOptions.movingai_10_20_10_2_1(), rng)
    assert np.array_equal(made.free, read_map(path).free)
    assert made.name == path.stem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rack_rows": 0}, "rack_rows is 0; allowed: 1 to"),
        ({"aisle_cells": -1}, "aisle_cells is -1; allowed: 1 to"),
        ({"open_cells": 10**12}, "open_cells is 1000000000000; allowed: 1 to"),
        ({"rack_rows": 10**5, "rack_columns": 10**5}, "cells; allowed: 10000000 in all"),
        ({"num_stations": 57}, "num_stations is 57; allowed: 0 to 56"),
        ({"num_pick_points": -1}, "num_pick_points is -1; allowed: 0 or more"),
        ({"missing_rack_ratio": 1.5}, "missing_rack_ratio is 1.5; allowed: 0 to 1"),
        ({"missing_rack_ratio": float("nan")}, "missing_rack_ratio is nan; allowed: 0 to 1"),
    ],
)
def test_bad_options_are_refused_by_name_and_value(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(WarehouseOptions(), **change)


def test_more_pick_points_than_places_are_refused() -> None:
    with pytest.raises(InputError, match="num_pick_points is 9999; allowed: 0 to"):
        generate_warehouse(WarehouseOptions(num_pick_points=9999), np.random.default_rng(0))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 0.99), st.integers(0, 2**32))
def test_a_random_floor_is_one_connected_area(
    height: int, width: int, obstacle_ratio: float, seed: int
) -> None:
    layout = generate_random(height, width, obstacle_ratio, np.random.default_rng(seed))
    assert layout.free.shape == (height, width)
    assert np.array_equal(largest_component(layout), layout.free_cells)
    again = generate_random(height, width, obstacle_ratio, np.random.default_rng(seed))
    assert np.array_equal(layout.free, again.free)


@pytest.mark.parametrize(
    ("height", "width", "obstacle_ratio"),
    [(0, 5, 0.1), (5, -1, 0.1), (10**6, 10**6, 0.1), (5, 5, 1.0), (5, 5, -0.1)],
)
def test_bad_random_floors_are_refused(height: int, width: int, obstacle_ratio: float) -> None:
    with pytest.raises(InputError, match="allowed"):
        generate_random(height, width, obstacle_ratio, np.random.default_rng(0))
