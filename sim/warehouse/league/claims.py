# SPDX-License-Identifier: Apache-2.0
"""What an output file of the league says, as arrays."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.text_files import quoted, shown

MAX_TICKS = 10_000_000
MAX_STEPS = 2_000_000_000
_LETTERS = "WFRC"
_SEGMENT = re.compile(
    r"\[\((\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})\):"
    r"\(((?:[WFRC] \d{1,9}(?:,(?!\))|(?=\))))*)\)\]"
)
_ENTRY = re.compile(r"(\d{1,9}):(-1|\d{1,9})")


@dataclass(frozen=True, eq=False)
class Claims:
    """One output file of level 1: N robots, T ticks.

    Args:
        numbers: the whole numbers by their names, such as ``numTaskFinished``.
        starts: for each robot row, column and letter of direction, as in the file.
        actions: ``[T, N]`` 0 wait, 1 forward, 2 turn right, 3 turn left; cut off, or filled up
            with waits, where a path does not have T ticks.
        snapshots: for each robot the first tick, row, column, orientation, counter and number of
            ticks of each segment.
        delays: for each robot ``[K, 2]``.
        events: ``[E, 4]`` tick, robot, task, errands done.
        tasks: number, tick and ``row, column, ...`` of each.
        changes: ``[A, 3]`` tick, robot, task or -1, from ``actualSchedule``, ascending by tick.
        listed: how many rows ``errors`` and ``scheduleErrors`` have.
    """

    numbers: dict[str, int]
    starts: list[list[Any]]
    actions: NDArray[np.int8]
    snapshots: list[list[list[int]]]
    delays: list[NDArray[np.int64]]
    events: NDArray[np.int64]
    tasks: list[tuple[int, int, list[int]]]
    changes: NDArray[np.int64]
    listed: dict[str, int]


_NUMBERS = (
    "teamSize numTaskFinished makespan numPlannerErrors numScheduleErrors numEntryTimeouts "
    "agentMaxCounter outputSegmentSize"
).split()


def read_output(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: cannot be read, or is no JSON object.
    """
    try:
        output = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        reason = ascii(str(error))[1:-1]
        raise InputError(f"{shown(path)}: no JSON: {reason}") from error
    if not isinstance(output, dict):
        raise InputError(f"{shown(path)}: holds {quoted(output)}; a JSON object is needed")
    return output


def read_claims(output: dict[str, Any]) -> Claims:
    """Read the object of an output file.

    Raises:
        InputError: names the field, its value and what is allowed.
    """
    numbers = {name: _whole(output.get(name), name, 0, MAX_TICKS) for name in _NUMBERS}
    robots, ticks = numbers["teamSize"], numbers["makespan"]
    if not 1 <= robots * max(ticks, 1) <= MAX_STEPS:
        raise InputError(f"teamSize {robots} by makespan {ticks}; allowed: 1 to {MAX_STEPS} steps")
    _whole(numbers["outputSegmentSize"], "outputSegmentSize", 1, MAX_TICKS)
    per_robot = "start actualPaths delayIntervals actualSchedule plannerPaths plannerSchedule"
    start, paths, delays, schedule, *_ = (_list(output, key, robots) for key in per_robot.split())
    actions = np.zeros((ticks, robots), dtype=np.int8)
    snapshots = [_path(path, robot, actions[:, robot]) for robot, path in enumerate(paths)]
    return Claims(
        numbers=numbers,
        starts=start,
        actions=actions,
        snapshots=snapshots,
        delays=[_rows(row, f"delayIntervals[{i}]", 2) for i, row in enumerate(delays)],
        events=_rows(_list(output, "events"), "events", 4),
        tasks=[_task(task, i) for i, task in enumerate(_list(output, "tasks"))],
        changes=_changes(schedule),
        listed={key: len(_list(output, key)) for key in ("errors", "scheduleErrors")},
    )


def _whole(value: object, name: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise InputError(f"{name} is {quoted(value)}; allowed: {low} to {high}, whole numbers")
    return value


def _list(output: dict[str, Any], key: str, length: int | None = None) -> list[Any]:
    value = output.get(key)
    if not isinstance(value, list):
        raise InputError(
            f"{key} is {quoted(value)}; a list is needed, as a file of output level 1 has"
        )
    if length is not None and len(value) != length:
        raise InputError(f"{key} has {len(value)} entries; allowed: {length}, one per robot")
    return value


def _rows(value: object, name: str, columns: int) -> NDArray[np.int64]:
    """``[rows, columns]`` whole numbers."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {quoted(value)}; a list is needed")
    for i, row in enumerate(value):
        if not isinstance(row, list) or len(row) != columns:
            raise InputError(f"{name}[{i}] is {quoted(row)}; {columns} whole numbers are needed")
        for number in row:
            _whole(number, f"{name}[{i}]", -1, 2**31)
    return np.array(value, dtype=np.int64).reshape(len(value), columns)


def _task(value: object, i: int) -> tuple[int, int, list[int]]:
    name = f"tasks[{i}]"
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], list):
        raise InputError(f"{name} is {quoted(value)}; number, tick and a list are needed")
    places = [_whole(part, name, 0, 2**31) for part in value[2]]
    return _whole(value[0], name, 0, 2**31), _whole(value[1], name, 0, 2**31), places


def _path(text: object, robot: int, actions: NDArray[np.int8]) -> list[list[int]]:
    """Write the actions of a path into ``[T]`` and return its segments."""
    name = f"actualPaths[{robot}]"
    if not isinstance(text, str):
        raise InputError(f"{name} is {quoted(text)}; a string is needed")
    segments, place, tick = [], 0, 0
    while place < len(text):
        found = _SEGMENT.match(text, place)
        if found is None:
            raise InputError(
                f"{name} is {quoted(text[place:])} from character {place} on; allowed: "
                "[(tick,row,column,orientation,counter):(F 10,R 2,...)] with F, R, C and W"
            )
        start = tick
        for run in filter(None, found[6].split(",")):
            end = tick + int(run[2:])
            actions[tick:end] = _LETTERS.index(run[0])
            tick = end
        segments.append([*map(int, found.groups()[:5]), tick - start])
        place = found.end()
    return segments


def _changes(schedule: list[Any]) -> NDArray[np.int64]:
    """``[A, 3]`` of all robots; ticks of one robot must ascend."""
    rows: list[tuple[int, int, int]] = []
    for robot, text in enumerate(schedule):
        last = -1
        for part in text.split(",") if isinstance(text, str) and text else []:
            found = _ENTRY.fullmatch(part)
            if found is None or int(found[1]) <= last:
                raise InputError(
                    f"actualSchedule[{robot}] has {quoted(part)}; allowed: tick:task or tick:-1, "
                    "ascending"
                )
            last = int(found[1])
            rows.append((last, robot, int(found[2])))
        if not isinstance(text, str):
            raise InputError(f"actualSchedule[{robot}] is {quoted(text)}; a string is needed")
    return np.array(sorted(rows), dtype=np.int64).reshape(len(rows), 3)
