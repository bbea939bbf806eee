# SPDX-License-Identifier: Apache-2.0
"""The league's output file, as its visualiser PlanViz opens it.

Source: the league's Start-Kit 2026, ``Input_Output_Format.md`` and the behaviour of its program.
Where that program is at odds with its own description, the description is followed: a robot that
faces south is "S", each segment of a path begins with the robot's state there (the program repeats
that of the first one), and ``errors`` holds the refused actions of all ticks, not of the last one.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.lorr import Problem
from sim.warehouse.fleet import Int8s
from sim.warehouse.league.record import LeagueRecord
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, WAIT

SEGMENT_TICKS = 100
LETTERS = "WFRC"
_EAST = 0


def league_output(record: LeagueRecord, problem: Problem) -> dict[str, Any]:
    """All keys of output level 1.

    Args:
        record: what happened.
        problem: what was to be done.
    """
    told = np.where(record.delayed(), WAIT, record.planned).astype(np.int8)
    snapshots = list(_snapshots(record, problem))
    errors = _errors(told, record.executed)
    schedule = _schedule(record)
    num_errands = np.array([len(cells) for cells in record.orders], dtype=np.int64)
    finished = record.events[:, 3] == num_errands[record.events[:, 2]]
    return {
        "actionModel": "MAPF_T",
        "version": "2026 LoRR",
        "teamSize": len(record.starts),
        "numTaskFinished": int(finished.sum()),
        "makespan": len(record.executed),
        "numPlannerErrors": len(errors),
        "numScheduleErrors": 0,
        "numEntryTimeouts": 0,
        "agentMaxCounter": problem.ticks_per_action,
        "outputSegmentSize": SEGMENT_TICKS,
        "delayIntervals": record.delay_intervals,
        "start": [[*problem.layout.row_column(cell), "E"] for cell in record.starts],
        "actualPaths": _paths(record.executed, snapshots),
        "events": record.events.tolist(),
        "tasks": _tasks(record, problem),
        "plannerPaths": _paths(told, snapshots),
        "plannerTimes": record.planner_seconds.tolist(),
        "errors": errors,
        "actualSchedule": schedule,
        "plannerSchedule": schedule,
        "scheduleErrors": [],
    }


def write_output(path: Path, record: LeagueRecord, problem: Problem) -> None:
    """Write ``league_output`` as JSON in one line; an old file is replaced."""
    path.write_text(json.dumps(league_output(record, problem), separators=(",", ":")))


def _snapshots(record: LeagueRecord, problem: Problem) -> Iterator[NDArray[np.int64]]:
    """``[N, 4]`` row, column, orientation and counter at the start of each segment."""
    width, ticks_per_action = problem.layout.width, problem.ticks_per_action
    ahead = np.array([1, width, -1, -width])
    cell = record.starts.astype(np.int64)
    orientation, counter, doing = (np.zeros_like(cell) for _ in range(3))
    orientation += _EAST
    for tick, actions in enumerate(record.executed):
        if tick % SEGMENT_TICKS == 0:
            yield np.stack([cell // width, cell % width, orientation, counter], axis=1)
        works = actions != WAIT
        doing = np.where(works & (counter == 0), actions, doing)
        counter = counter + works
        done = counter == ticks_per_action
        cell = cell + ahead[orientation] * (done & (doing == FORWARD))
        turn = done * ((doing == TURN_RIGHT) * 1 - (doing == TURN_LEFT))
        orientation = (orientation + turn) % 4
        counter = np.where(done, 0, counter)


def _paths(actions: Int8s, snapshots: list[NDArray[np.int64]]) -> list[str]:
    """For each robot all segments, as one text."""
    paths = []
    for robot, column in enumerate(actions.T.tolist()):
        starts = range(0, len(column), SEGMENT_TICKS)
        heads = [(start, *at[robot].tolist()) for start, at in zip(starts, snapshots, strict=True)]
        paths.append(
            "".join(
                f"[({','.join(map(str, head))}):({_runs(column[start : start + SEGMENT_TICKS])})]"
                for start, head in zip(starts, heads, strict=True)
            )
        )
    return paths


def _runs(actions: list[int]) -> str:
    return ",".join(f"{LETTERS[kind]} {len(list(run))}" for kind, run in groupby(actions))


def _errors(told: Int8s, executed: Int8s) -> list[list[Any]]:
    """Robot, nobody, tick after the move and text, of each action that became a wait."""
    refused = np.argwhere((told != WAIT) & (executed == WAIT)).tolist()
    return [
        [robot, -1, tick + 1, f"Agent waits instead of {LETTERS[told[tick, robot]]}"]
        for tick, robot in refused
    ]


def _schedule(record: LeagueRecord) -> list[str]:
    """For each robot ``tick:order`` wherever its order changes; PlanViz wants an entry for each."""
    changes: list[list[tuple[int, int]]] = [[(0, -1)] for _ in record.starts]
    for tick, robot, order in record.assignments.tolist():
        if tick == 0:
            changes[robot] = [(0, order)]
        elif changes[robot][-1][1] != order:
            changes[robot].append((tick, order))
    return [",".join(f"{tick}:{order}" for tick, order in row) for row in changes]


def _tasks(record: LeagueRecord, problem: Problem) -> list[list[Any]]:
    revealed = zip(record.revealed_ticks.tolist(), record.orders, strict=True)
    return [
        [number, tick, [part for cell in cells for part in problem.layout.row_column(cell)]]
        for number, (tick, cells) in enumerate(revealed)
    ]
