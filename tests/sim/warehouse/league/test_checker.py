# SPDX-License-Identifier: Apache-2.0
"""The checker finds nothing in a good file, and every corruption of it where it is."""

import copy
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.warehouse.league.checker import Fault, check_output
from sim.warehouse.league.output import league_output
from tests.sim.warehouse.league.tiny_league import tiny_problem, tiny_run

PROBLEM = tiny_problem()
Output = dict[str, Any]


@cache
def good() -> Output:
    return league_output(tiny_run(PROBLEM), PROBLEM)


def faults_of(corrupt: Callable[[Output], Any]) -> list[Fault]:
    output = copy.deepcopy(good())
    corrupt(output)
    return check_output(output, PROBLEM)


@pytest.mark.parametrize("parts", [1, 2, 10])
@pytest.mark.parametrize("event_model", ["bernoulli", "poisson"])
def test_good_files_have_no_fault(parts: int, event_model: str) -> None:
    problem = tiny_problem(5, parts, event_model)
    run = tiny_run(problem)
    assert len(run.events) > 3
    assert any(run.delay_intervals)
    assert check_output(league_output(run, problem), problem) == []


def test_a_program_that_repeats_the_first_state_in_each_segment_has_no_fault() -> None:
    def repeat(output: Output) -> None:
        for robot, path in enumerate(output["actualPaths"]):
            state = re.match(r"\[\(0,([^)]*)\)", path)[1]
            output["actualPaths"][robot] = re.sub(r"\[\((\d+),[^)]*", rf"[(\1,{state}", path)

    assert faults_of(repeat) == []


def rewritten(field: str, robot: int, old: str, new: str) -> Callable[[Output], None]:
    def corrupt(output: Output) -> None:
        assert re.search(old, output[field][robot])
        output[field][robot] = re.sub(old, new, output[field][robot], count=1)

    return corrupt


def put(field: str, value: Any, *places: int) -> Callable[[Output], None]:
    def corrupt(output: Output) -> None:
        inside: Any = output
        for key in (field, *places)[:-1]:
            inside = inside[key]
        inside[(field, *places)[-1]] = value

    return corrupt


@pytest.mark.parametrize(
    ("corrupt", "tick", "what"),
    [
        (put("numTaskFinished", 99), 450, "numTaskFinished is 99"),
        (put("agentMaxCounter", 2), 0, "agentMaxCounter is 2"),
        (put("numPlannerErrors", 9999), 0, "numPlannerErrors"),
        (put("numScheduleErrors", 1), 0, "numScheduleErrors"),
        (put("outputSegmentSize", 50), 0, "segment"),
        (put("makespan", 449), 400, "segment"),
        (put("makespan", 451), 400, "segment"),
        (put("start", "S", 1, 2), 0, "start is"),
        (put("start", 5, 2, 0), 0, "start is"),
        (put("delayIntervals", [], 0), None, "in the seed only"),
        (put("delayIntervals", [[3, 4]], 3), 3, "in the file only"),
        (put("delayIntervals", [[0, 450]], 1), None, "acts while it is delayed"),
        (lambda output: output["delayIntervals"][0].reverse(), None, "not in sequence"),
        (lambda output: output["events"].pop(3), None, "is done, and no event"),
        (lambda output: output["events"].append(output["events"][-1]), None, "1 times too often"),
        (lambda output: output["events"].reverse(), None, "events are not in sequence"),
        (lambda output: output["tasks"].pop(), 450, "tasks are listed"),
        (put("tasks", 3, 0, 1), 0, "task 0 at tick 3"),
        (put("tasks", 9, 2, 0), 0, "task 9 at tick 0 should be 2"),
        (put("tasks", [0, 0], 1, 2), 0, "should be 1"),
        (rewritten("actualPaths", 0, r"\(100,(\d+)", "(100,77"), 100, "row, column, orientation"),
        (rewritten("actualPaths", 0, r"\(200,", "(201,"), 201, "segment"),
        (rewritten("actualPaths", 1, r"\[\(400.*", ""), 450, "segments"),
        (rewritten("actualSchedule", 0, "0:0", "0:1"), 0, "task 1 is with robot 0"),
        (rewritten("actualSchedule", 0, "0:0", "0:4000"), 0, "task 4000 is not revealed"),
        (rewritten("actualSchedule", 2, "$", ",449:0"), 449, "task 0 is finished"),
        (rewritten("actualSchedule", 2, "$", ",450:-1"), 450, "when 450 ticks are all"),
    ],
)
def test_each_corruption_is_found(
    corrupt: Callable[[Output], None], tick: int | None, what: str
) -> None:
    found = [fault for fault in faults_of(corrupt) if what in fault.what]
    assert found
    assert tick is None or found[0].tick == tick


def drive_all_forward(output: Output, tick: int) -> None:
    """Let all robots drive on and on after a tick of the first segment."""
    for robot, path in enumerate(output["actualPaths"]):
        first, rest = path.split(")]", maxsplit=1)
        head, runs = first.split("):(")
        letters = "".join(run[0] * int(run[2:]) for run in runs.split(","))[:tick]
        now = ",".join(f"{letter} 1" for letter in letters)
        output["actualPaths"][robot] = f"{head}):({now},F {100 - tick})]{rest}"


def test_robots_that_drive_on_leave_the_floor_or_meet() -> None:
    found = [str(fault) for fault in faults_of(lambda output: drive_all_forward(output, 60))]
    assert any("which is no floor" in fault for fault in found)
    assert all(int(re.search(r"\d+", fault)[0]) >= 60 for fault in found)
    assert any("row, column, orientation" in fault for fault in found)


def test_robots_that_overlap_are_both_named() -> None:
    def swap(output: Output) -> None:
        output["actualPaths"] = ["[(0,0,0,0,0):(F 3)]", "[(0,0,1,0,0):(R 3)]"]

    from_left = tiny_problem(2)
    object.__setattr__(from_left, "starts", np.array([0, 1], dtype=np.int32))
    output = league_output(tiny_run(from_left, 3), from_left)
    swap(output)
    assert Fault(0, (0, 1), "overlap") in check_output(output, from_left)
    assert str(Fault(0, (0, 1), "overlap")) == "tick 0, robot 0 and 1: overlap"


def test_a_robot_that_has_begun_a_task_keeps_it() -> None:
    begun = next(event for event in good()["events"] if event[3] < task_length(event[2]))
    tick, robot = begun[:2]
    following = next(e for e in good()["events"] if e[1] == robot and e[0] > tick)
    assert following[0] > tick + 1

    def drop(output: Output) -> None:
        parts = [*output["actualSchedule"][robot].split(","), f"{tick}:-1"]
        ascending = sorted(parts, key=lambda part: int(part.split(":")[0]))
        output["actualSchedule"][robot] = ",".join(ascending)

    assert Fault(tick, (robot,), f"the robot has begun task {begun[2]}") in faults_of(drop)


def test_a_file_of_another_team_is_told_from_the_problem() -> None:
    assert check_output(good(), tiny_problem(5)) == [Fault(0, (), "teamSize is 4, and should be 5")]


def task_length(number: int) -> int:
    return len(good()["tasks"][number][2]) // 2


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_other_number_in_events_tasks_or_delays_is_found(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(["events", "tasks", "delayIntervals"]))
    output = copy.deepcopy(good())
    rows = output[field]
    place = rows
    while isinstance(place, list):
        filled = [i for i, part in enumerate(place) if part != []]
        chosen = data.draw(st.sampled_from(filled))
        holder, place = place, place[chosen]
    holder[chosen] += data.draw(st.sampled_from([-1, 1, 7]))
    try:
        assert check_output(output, PROBLEM)
    except InputError as error:
        assert field in str(error)  # noqa: PT017  (either is right)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("makespan", None),
        ("makespan", -1),
        ("makespan", True),
        ("makespan", 10**9),
        ("teamSize", 0),
        ("outputSegmentSize", 0),
        ("start", 3),
        ("start", []),
        ("actualPaths", ["", "", "", 4]),
        ("actualPaths", ["[(0,0,0,0,0):(F 3)", "", "", ""]),
        ("actualPaths", ["[(0,0,0,0,0):(X 3)]", "", "", ""]),
        ("actualPaths", ["[(0,0,0,0,0):(F 3 F 2)]", "", "", ""]),
        ("plannerPaths", None),
        ("delayIntervals", [[], [], [], [[1]]]),
        ("delayIntervals", [[], [], [], 7]),
        ("events", [[1, 2, 3]]),
        ("events", [[1, 2, 3, "4"]]),
        ("tasks", [[0, 0]]),
        ("tasks", [[0, 0, ["a"]]]),
        ("actualSchedule", ["0:0", "0", "", ""]),
        ("actualSchedule", ["0:0,0:1", "", "", ""]),
        ("actualSchedule", [None, "", "", ""]),
        ("errors", {}),
    ],
)
def test_foreign_forms_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        check_output({**good(), field: value}, PROBLEM)
