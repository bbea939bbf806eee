# SPDX-License-Identifier: Apache-2.0
"""Windows: never invalid, never worse for more attempts, and nobody is given up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.distances import neighbour_table
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import world_keys
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.rolling import tails
from sim.warehouse.control.window import Window, WindowSettings, plan_window
from sim.warehouse.control.window_check import faults
from sim.warehouse.rules import Gait

FEW = WindowSettings(steps=6, iterations=30, together=6)


def planned(
    layout: Layout,
    gait: Gait,
    cells: list[int],
    goals: list[list[int]],
    how: WindowSettings,
    heading: int = 1,
    late: list[int] | None = None,
    earlier: NDArray[np.int8] | None = None,
) -> Window:
    cell, goal_cells = np.array(cells, dtype=np.int32), np.array(goals, dtype=np.int32)
    fields = OrientedFields(layout, gait, 4)
    rows = fields.rows(goal_cells)
    headings = np.full(len(cells), heading, dtype=np.int8)
    return plan_window(
        neighbour_table(layout), fields.steps, cell, headings, rows, goal_cells,
        tails(fields.steps, rows, goal_cells), np.ones(len(cells), dtype=np.int32), how,
        world_keys(0, [0])[0], 0, None if late is None else np.array(late, dtype=np.int32),
        earlier,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(Gait), st.booleans(), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_windows_are_valid_on_any_floor(gait: Gait, straight: bool, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    free = rng.random(rng.integers(1, 9, 2)) > rng.uniform(0.0, 0.5)
    free[0, 0] = True
    layout = Layout("scattered", free)
    floor = layout.free_cells
    robots = int(np.ceil(len(floor) * rng.uniform(0.05, 1.0)))
    cells = rng.permutation(floor)[:robots].tolist()
    goals = rng.choice(floor, (robots, 2))
    goals[rng.random(robots) < 0.2] = -1
    how = replace(FEW, steps=steps, straight_only=straight, penalty_steps=int(rng.integers(0, 4)))
    heading = int(rng.integers(4))
    late = (rng.integers(0, 4, robots) * rng.integers(0, 2)).tolist()
    earlier = rng.integers(0, 4, (robots, int(rng.integers(0, 2 * steps)))).astype(np.int8)
    window = planned(layout, gait, cells, goals.tolist(), how, heading, late, earlier)
    assert faults(layout, gait, cells, [heading] * robots, window, straight) == []
    for robot, steps_late in enumerate(late):
        assert not window.actions[robot, :steps_late].any()


def test_a_robot_alone_takes_a_shortest_way_through_its_goals() -> None:
    hall = Layout("hall", np.ones((5, 5), dtype=bool))
    window = planned(hall, Gait.TURNING, [0], [[2, 12]], FEW)
    assert window.cells[0].tolist() == [0, 1, 2, 2, 7, 12, 12]
    assert window.loss == 0


def test_a_robot_without_goal_makes_way() -> None:
    free = np.zeros((2, 5), dtype=bool)
    free[0], free[1, 2] = True, True
    aisle = Layout("aisle with a bay", free)
    window = planned(aisle, Gait.SLIDING, [0, 1], [[4], [-1]], FEW)
    assert window.cells[0, -1] == 4


def test_a_chain_of_robots_is_pushed() -> None:
    aisle = Layout("aisle", np.ones((1, 7), dtype=bool))
    goals = [[2], [-1], [-1], [-1]]
    window = planned(aisle, Gait.SLIDING, [0, 1, 2, 3], goals, FEW)
    assert window.cells[0, -1] == 2
    assert sorted(window.cells[1:, -1].tolist()) == [3, 4, 5]


def test_the_rest_of_a_window_is_kept() -> None:
    hall = Layout("hall", np.ones((8, 8), dtype=bool))
    rng = np.random.default_rng(5)
    cells, goals = rng.permutation(64)[:30].tolist(), rng.choice(64, (30, 1)).tolist()
    first = planned(hall, Gait.SLIDING, cells, goals, replace(FEW, iterations=1000))
    again = planned(
        hall, Gait.SLIDING, cells, goals, replace(FEW, iterations=0), 1, None, first.actions
    )
    assert again.loss <= first.loss
    assert again.loss < planned(hall, Gait.SLIDING, cells, goals, replace(FEW, iterations=0)).loss


def test_robots_walled_in_wait() -> None:
    cell = Layout("cell", np.ones((1, 2), dtype=bool))
    window = planned(cell, Gait.TURNING, [0, 1], [[1], [0]], FEW)
    assert (window.cells[:, 0] == window.cells[:, -1]).all()
    assert window.loss > 0


def test_more_attempts_are_never_worse() -> None:
    hall = Layout("hall", np.ones((8, 8), dtype=bool))
    rng = np.random.default_rng(3)
    cells, goals = rng.permutation(64)[:30].tolist(), rng.integers(0, 64, (30, 2)).tolist()
    losses = [
        planned(hall, Gait.TURNING, cells, goals, replace(FEW, iterations=count)).loss
        for count in (0, 10, 100, 1000)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


def test_the_same_key_gives_the_same_window() -> None:
    hall = Layout("hall", np.ones((6, 6), dtype=bool))
    rng = np.random.default_rng(4)
    cells, goals = rng.permutation(36)[:18].tolist(), rng.integers(0, 36, (18, 1)).tolist()
    first, second = (planned(hall, Gait.TURNING, cells, goals, FEW) for _ in range(2))
    assert np.array_equal(first.actions, second.actions)


def test_the_checker_finds_faults() -> None:
    hall = Layout("hall", np.ones((2, 2), dtype=bool))
    swap = np.array([[1], [3]], dtype=np.int8)
    heading = np.array([[1, 1], [3, 3]], dtype=np.int8)
    window = Window(swap, np.array([[0, 1], [1, 0]], dtype=np.int32), heading, 0)
    turning = faults(hall, Gait.TURNING, [0, 1], [1, 3], window, True)
    assert any("another heading" in fault for fault in turning)
    drive = window._replace(actions=np.ones((2, 1), dtype=np.int8))
    assert any("swap" in fault for fault in faults(hall, Gait.TURNING, [0, 1], [1, 3], drive, True))
    one = drive._replace(cells=np.array([[0, 1], [1, 1]], dtype=np.int32))
    assert any(
        "two robots" in fault for fault in faults(hall, Gait.TURNING, [0, 1], [1, 3], one, True)
    )
    around = Window(
        np.array([[2], [3], [4], [1]], dtype=np.int8),
        np.array([[0, 1], [1, 3], [3, 2], [2, 0]], dtype=np.int32),
        np.zeros((4, 2), dtype=np.int8),
        0,
    )
    ring = faults(hall, Gait.SLIDING, [0, 1, 3, 2], [0] * 4, around, False)
    assert any("ring" in fault for fault in ring)
    assert not any("corner" in fault for fault in ring)
    bent = faults(hall, Gait.SLIDING, [0, 1, 3, 2], [0] * 4, around, True)
    assert any("corner" in fault for fault in bent)


@pytest.mark.parametrize("name", ["steps", "iterations", "together", "penalty_steps", "places"])
def test_settings_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        replace(FEW, **{name: -1})
