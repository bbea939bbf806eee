# SPDX-License-Identifier: Apache-2.0
"""The output file has the form of the league's, letter by letter."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.layout import Layout
from sim.lorr import Problem
from sim.warehouse.league.checker import check_output
from sim.warehouse.league.output import league_output, write_output
from sim.warehouse.league.record import LeagueRecord
from tests.sim.warehouse.league.tiny_league import tiny_problem, tiny_run

PROBLEM = Problem(
    layout=Layout("lane", np.ones((2, 4), dtype=bool)),
    starts=np.array([0, 6], dtype=np.int32),
    tasks=(np.array([1, 1], dtype=np.int32), np.array([7], dtype=np.int32)),
    reveal_ratio=1.0,
    ticks_per_action=2,
    delays=LorrDelayOptions(),
)


def record(**changes: Any) -> LeagueRecord:
    """Robot 0 drives a cell, waits, and turns left until tick 100 and on; robot 1 turns right."""
    executed = np.zeros((103, 2), dtype=np.int8)
    executed[:2, 0] = 1
    executed[99:101, 0] = 3
    executed[[10, 12], 1] = 2
    planned = executed.copy()
    planned[11, 1] = 2
    planned[50, 0] = 1
    arrays = {
        "starts": PROBLEM.starts,
        "executed": executed,
        "planned": planned,
        "delay_intervals": [[[50, 52]], []],
        "events": np.array([[2, 0, 0, 1], [3, 0, 0, 2]]),
        "assignments": np.array([[0, 0, 0], [10, 0, 1], [20, 0, 1], [30, 0, -1]]),
        "revealed_ticks": np.array([0, 0, 3]),
        "orders": tuple(PROBLEM.tasks[number % 2] for number in range(3)),
        "planner_seconds": np.array([0.5]),
    }
    return LeagueRecord(**{**arrays, **changes})


def test_every_key_has_the_leagues_form() -> None:
    assert league_output(record(), PROBLEM) == {
        "actionModel": "MAPF_T",
        "version": "2026 LoRR",
        "teamSize": 2,
        "numTaskFinished": 1,
        "makespan": 103,
        "numPlannerErrors": 1,
        "numScheduleErrors": 0,
        "numEntryTimeouts": 0,
        "agentMaxCounter": 2,
        "outputSegmentSize": 100,
        "delayIntervals": [[[50, 52]], []],
        "start": [[0, 0, "E"], [1, 2, "E"]],
        "actualPaths": [
            "[(0,0,0,0,0):(F 2,W 97,C 1)][(100,0,1,0,1):(C 1,W 2)]",
            "[(0,1,2,0,0):(W 10,R 1,W 1,R 1,W 87)][(100,1,2,1,0):(W 3)]",
        ],
        "events": [[2, 0, 0, 1], [3, 0, 0, 2]],
        "tasks": [[0, 0, [0, 1, 0, 1]], [1, 0, [1, 3]], [2, 3, [0, 1, 0, 1]]],
        "plannerPaths": [
            "[(0,0,0,0,0):(F 2,W 97,C 1)][(100,0,1,0,1):(C 1,W 2)]",
            "[(0,1,2,0,0):(W 10,R 3,W 87)][(100,1,2,1,0):(W 3)]",
        ],
        "plannerTimes": [0.5],
        "errors": [[1, -1, 12, "Agent waits instead of R"]],
        "actualSchedule": ["0:0,10:1,30:-1", "0:-1"],
        "plannerSchedule": ["0:0,10:1,30:-1", "0:-1"],
        "scheduleErrors": [],
    }


def test_a_written_file_is_the_output_and_has_no_faults(tmp_path: Path) -> None:
    problem = tiny_problem()
    run = tiny_run(problem)
    write_output(tmp_path / "output.json", run, problem)
    read = json.loads((tmp_path / "output.json").read_text())
    assert read == league_output(run, problem)
    assert read["numTaskFinished"] > 0
    assert check_output(read, problem) == []


@pytest.mark.parametrize(
    "change",
    [
        {"executed": np.zeros((103, 3), dtype=np.int8)},
        {"planned": np.zeros((102, 2), dtype=np.int8)},
        {"delay_intervals": [[]]},
        {"events": np.zeros((2, 3), dtype=np.int64)},
        {"assignments": np.zeros((2, 4), dtype=np.int64)},
        {"revealed_ticks": np.zeros(2, dtype=np.int64)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        record(**change)
