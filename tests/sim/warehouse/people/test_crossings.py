# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim.errors import InputError
from sim.warehouse.chance import world_keys
from sim.warehouse.delays.hurst import hurst_index
from sim.warehouse.people.crossings import closed_series, stop_series, stop_series_reference
from sim.warehouse.people.options import PeopleKind, PeopleOptions
from sim.warehouse.people.people import People
from tests.sim.warehouse.people.floors import floor

KEYS = world_keys(9, [0, 1])
OPTIONS = PeopleOptions(4, PeopleKind.SCRIPTED, pause_s=2.0, tick_s=0.5)
AISLE = np.arange(3 * 14, 4 * 14)


def test_series_are_the_closed_cells_tick_by_tick() -> None:
    series = closed_series(floor(), OPTIONS, KEYS, AISLE, 50)
    people = People(floor(), OPTIONS, KEYS)
    for tick in range(50):
        people.advance(tick)
        np.testing.assert_array_equal(series[:, :, tick], people.closed[:, AISLE])
    assert 0 < series.mean() < 1


@pytest.mark.parametrize("ticks_per_cell", [1, 3])
def test_a_driving_robot_is_stopped_as_in_the_reference(ticks_per_cell: int) -> None:
    closed = (np.random.default_rng(0).random((3, 7, 400)) < 0.3).astype(np.int8)
    stopped = stop_series(closed, ticks_per_cell)
    np.testing.assert_array_equal(stopped, stop_series_reference(closed, ticks_per_cell))
    assert stopped.mean() == pytest.approx(0.3, abs=0.05)


def test_stops_of_a_robot_are_data_for_the_estimator() -> None:
    closed = closed_series(floor(), OPTIONS, KEYS, AISLE, 4000)
    found = hurst_index(stop_series(closed, 2), frequencies=60)
    assert found.error < 0.05
    assert 0.2 < found.hurst < 0.8  # walks between places forget within a minute


def test_refuses() -> None:
    for cells, ticks, message in (
        (AISLE, 0, "ticks is 0"),
        (AISLE[:0], 5, "cells is 0"),
        (np.array([15]), 5, "obstacle"),
        (np.array([10_000]), 5, "outside"),
    ):
        with pytest.raises(InputError, match=message):
            closed_series(floor(), OPTIONS, KEYS, cells, ticks)
    with pytest.raises(InputError, match="ticks_per_cell is 0"):
        stop_series(np.zeros((1, 2, 3), dtype=np.int8), 0)
    with pytest.raises(InputError, match="closed is"):
        stop_series(np.zeros((2, 3), dtype=np.int8), 1)
