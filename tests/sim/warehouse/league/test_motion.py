# SPDX-License-Identifier: Apache-2.0
"""The checker refuses what the league's own action model refuses, and nothing else.

``motion.json`` was recorded by the league's ``ActionModel.cpp``: ``record_motion.cpp`` beside this
file, which says what it was built with, called with the arguments ``1 40``.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.warehouse.league.motion import OFF_FLOOR, OVERLAP, Robots, move, robots_at

RECORDED = json.loads((Path(__file__).parent / "motion.json").read_text())
FORWARD = np.array([1, 1], dtype=np.int8)


def floor(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), dtype=bool)


def standing(cells: list[int], orientations: list[int], width: int) -> Robots:
    robots = robots_at(np.array(cells, dtype=np.int32), width)
    robots.orientation[:] = orientations
    return robots


def test_all_that_the_league_refuses_is_a_fault_and_nothing_else() -> None:
    ticks = 0
    for run in RECORDED:
        height, width = run["shape"]
        free = np.array([cell == "." for cell in run["floor"]]).reshape(height, width)
        cells, orientations = zip(*run["starts"], strict=True)
        robots = standing(list(cells), list(orientations), width)
        for request, refused in zip(run["requests"], run["refusals"], strict=True):
            actions = np.array(["WFRC".index(letter) for letter in request], dtype=np.int8)
            copies = Robots(*(array.copy() for array in robots))
            assert bool(len(move(copies, actions, run["counter"], free))) == bool(refused)
            actions[refused] = 0
            assert not len(move(robots, actions, run["counter"], free))
            ticks += 1
        cell = robots.row * width + robots.column
        ends = np.stack([cell, robots.orientation, robots.counter], axis=1)
        assert ends.tolist() == run["ends"]
    assert ticks > 1000


@pytest.mark.parametrize("parts", [1, 2, 3, 10])
@pytest.mark.parametrize("column", [0, 30, 31, 63])
def test_two_robots_drive_one_behind_the_other_anywhere(parts: int, column: int) -> None:
    robots = standing([column, column + 1], [0, 0], 70)
    for _ in range(parts):
        assert not len(move(robots, FORWARD, parts, floor(1, 70)))
    assert robots.column.tolist() == [column + 1, column + 2]


@pytest.mark.parametrize("parts", [1, 2, 3, 10])
@pytest.mark.parametrize(
    ("cells", "orientations"),
    [([0, 1], [0, 2]), ([0, 1], [0, 1]), ([0, 2], [0, 2]), ([0, 1], [0, 3])],
    ids=["swap", "turn into", "meet", "turn into at the border"],
)
def test_robots_that_meet_are_named_once(
    cells: list[int], orientations: list[int], parts: int
) -> None:
    robots = standing([cell + 4 for cell in cells], orientations, 4)
    named: list[Any] = []
    for _ in range(parts):
        named += move(robots, FORWARD, parts, floor(3, 4)).tolist()
    assert named == [[OVERLAP, 0, 1, 0]]


@pytest.mark.parametrize("parts", [1, 10])
def test_who_would_leave_the_floor_stays(parts: int) -> None:
    robots = standing([3, 0], [0, 2], 4)
    faults = move(robots, FORWARD, parts, floor(2, 4))
    assert faults.tolist() == [[OFF_FLOOR, 0, 0, 4], [OFF_FLOOR, 1, 0, -1]]
    assert not robots.counter.any()
    assert not robots.doing.any()


def test_a_wait_pauses_and_any_other_action_goes_on() -> None:
    robots = standing([0, 4], [0, 0], 4)
    for first, second in [(1, 2), (0, 0), (2, 1), (3, 2)]:
        assert not len(move(robots, np.array([first, second], dtype=np.int8), 3, floor(2, 4)))
    assert robots.column.tolist() == [1, 0]
    assert robots.orientation.tolist() == [0, 1]
