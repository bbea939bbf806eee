# SPDX-License-Identifier: Apache-2.0
"""Distances to goals: exact, kept while they are in use, forgotten after that."""

import numpy as np
import pytest

from sim.distances import distances_to_reference
from sim.errors import InputError
from sim.generate import generate_random
from sim.layout import Layout
from sim.warehouse.control.fields import UNREACHABLE, Fields, distance


def floor(seed: int, size: int = 12) -> Layout:
    return generate_random(size, size, 0.3, np.random.default_rng(seed))


def test_distances_are_exact_and_rows_keep_the_shape_of_the_goals() -> None:
    layout = floor(0)
    fields = Fields(layout, 1)
    goals = layout.free_cells[:12].reshape(3, 4)
    rows = fields.rows(goals)
    assert rows.shape == (3, 4)
    for goal, row in zip(goals.ravel(), rows.ravel(), strict=True):
        expected = distances_to_reference(layout, int(goal)).ravel()
        for cell in range(layout.free.size):
            far = UNREACHABLE if expected[cell] < 0 else expected[cell]
            assert distance(fields.arrays, int(row), cell) == far


def test_no_goal_has_no_row() -> None:
    assert Fields(floor(0), 1).rows(np.array([-1, -1], dtype=np.int32)).tolist() == [-1, -1]


def test_an_island_is_unreachable() -> None:
    fields = Fields(Layout("two", np.array([[True, False, True]])), 1)
    row = fields.rows(np.array([0], dtype=np.int32))[0]
    assert [distance(fields.arrays, row, cell) for cell in (0, 2)] == [0, UNREACHABLE]


def test_goals_longest_out_of_use_are_forgotten_and_distances_stay_exact() -> None:
    rng = np.random.default_rng(0)
    layout = generate_random(300, 350, 0.1, rng)
    fields = Fields(layout, 1)
    assert fields.room == len(fields.arrays.data) == 5
    for _ in range(12):
        goals = rng.choice(layout.free_cells, rng.integers(1, 6))
        rows = fields.rows(goals)
        assert all(
            distance(fields.arrays, row, goal) == 0 for goal, row in zip(goals, rows, strict=True)
        )
        places = fields.arrays.place[rng.choice(layout.free_cells, 50)]
        fresh = Fields(layout, 1)
        again = fresh.rows(goals)
        assert (fields.arrays.data[rows][:, places] == fresh.arrays.data[again][:, places]).all()


def test_a_goal_in_use_is_not_computed_again() -> None:
    layout = generate_random(300, 350, 0.1, np.random.default_rng(0))
    fields, cells = Fields(layout, 1), layout.free_cells
    kept = fields.rows(cells[:1])[0]
    for other in range(1, 20):
        assert fields.rows(cells[[0, other]])[0] == kept


@pytest.mark.parametrize("goal", [-2, 10**6])
def test_a_goal_outside_is_refused(goal: int) -> None:
    with pytest.raises(InputError, match="outside"):
        Fields(floor(0), 1).rows(np.array([goal], dtype=np.int32))


def test_a_goal_on_an_obstacle_is_refused() -> None:
    layout = floor(0)
    wall = np.flatnonzero(~layout.free.ravel())[:1].astype(np.int32)
    with pytest.raises(InputError, match="obstacle"):
        Fields(layout, 1).rows(wall)


def test_more_goals_than_memory_are_refused() -> None:
    layout = generate_random(300, 350, 0.1, np.random.default_rng(0))
    with pytest.raises(InputError, match="capacity_mib"):
        Fields(layout, 1).rows(layout.free_cells[:6])
