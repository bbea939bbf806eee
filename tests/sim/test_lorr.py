# SPDX-License-Identifier: Apache-2.0
"""League of Robot Runners problems: the real one, every fault named, nothing else for any bytes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.lorr import Problem, read_problem
from sim.routes import RouteOptions, plan_errands

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "lorr" / "random.domain"

DELAYS: dict[str, Any] = {
    "seed": 7,
    "minDelay": 1,
    "maxDelay": 4,
    "eventModel": "poisson",
    "pDelay": 0.01,
    "durationModel": "gaussian",
    "gaussMeanRatio": 0.5,
    "gaussStdRatio": 0.22,
}
CONFIG: dict[str, Any] = {
    "mapFile": "floor.map",
    "agentFile": "robots",
    "teamSize": 2,
    "taskFile": "tasks",
    "numTasksReveal": 1.5,
    "agentCounter": 3,
    "delayConfig": DELAYS,
}
FILES = {
    "problem.json": json.dumps(CONFIG, indent=1),
    "floor.map": "type octile\nheight 2\nwidth 3\nmap\n.E.\n@S.\n",
    "robots": "# version for LoRR 2026\n3\n0\n1\n# the last one is not in the team\n2\n",
    "tasks": "# version for LoRR 2026\n3\n1,4\n2\n5,0,5\n",
}


def written(folder: Path, **changes: str | bytes) -> Path:
    for name, content in {**FILES, **changes}.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def configured(folder: Path, **changes: Any) -> Path:
    return written(folder, problem__json=json.dumps({**CONFIG, **changes}, indent=1))


def test_a_problem_is_read_whole(tmp_path: Path) -> None:
    problem = read_problem(written(tmp_path))
    assert (problem.layout.name, problem.layout.free.shape) == ("floor", (2, 3))
    assert problem.starts.tolist() == [0, 1]
    assert [task.tolist() for task in problem.tasks] == [[1, 4], [2], [5, 0, 5]]
    assert (problem.team_size, problem.reveal_ratio, problem.ticks_per_action) == (2, 1.5, 3)
    assert problem.delays == LorrDelayOptions(
        seed=7,
        min_delay_ticks=1,
        max_delay_ticks=4,
        event_model="poisson",
        p_delay=0.01,
        duration_model="gaussian",
        gauss_mean_ratio=0.5,
        gauss_std_ratio=0.22,
    )


def test_the_file_names_the_same_problem_as_its_folder(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert read_problem(folder / "problem.json").starts.tolist() == [0, 1]


def test_what_earlier_years_lack_has_the_leagues_defaults(tmp_path: Path) -> None:
    keys = ("mapFile", "agentFile", "teamSize", "taskFile")
    old = {key: CONFIG[key] for key in keys}
    problem = read_problem(written(tmp_path, problem__json=json.dumps(old)))
    assert (problem.reveal_ratio, problem.ticks_per_action) == (1.0, 10)
    assert problem.delays.delay_probability == 0


def test_tasks_are_dealt_in_turn(tmp_path: Path) -> None:
    problem = read_problem(written(tmp_path))
    assert [stops.tolist() for stops in problem.stops(2)] == [[0, 1, 4], [1, 2]]
    assert [stops.tolist() for stops in problem.stops(1, 3)] == [[0, 1, 4, 2, 5, 0, 5]]
    with pytest.raises(InputError, match="num_robots is 3; allowed: 1 to 2"):
        problem.stops(3)
    with pytest.raises(InputError, match=r"tasks_per_robot is 2; .* 1 to 1"):
        problem.stops(2, 2)


def test_the_real_problem_is_read_and_routed() -> None:
    if not REAL.exists():
        pytest.skip("random.domain is not there; see ../shared/data/README.md")
    problem = read_problem(REAL)
    assert (problem.team_size, len(problem.tasks)) == (400, 3200)
    assert problem.starts[0] == 1426
    assert problem.tasks[0].tolist() == [1717, 1420, 289]
    assert (problem.delays.max_delay_ticks, problem.delays.p_delay) == (4, 0.01)
    routes = plan_errands(
        problem.layout, problem.stops(400, 8), RouteOptions(), np.random.default_rng(0)
    )
    assert routes.of(0)[0] == 1426


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"problem__json": "{"}, "problem.json:1", "no JSON: Expecting property name"),
        ({"problem__json": '{"a": 1,\n,}'}, "problem.json:2", "no JSON: "),
        ({"problem__json": "[" * 100_000}, "problem.json:1", "no JSON: .* braces too deep"),
        ({"problem__json": "1" * 5000}, "problem.json:1", "no JSON: numbers too long"),
        ({"problem__json": "[1]"}, "problem.json:1", "holds a list; a JSON object is needed"),
        ({"problem__json": "{}"}, "problem.json:1", "mapFile is missing; a string is needed"),
        ({"problem__json": b"\xff"}, "problem.json:1", "not a text file"),
        ({"floor__map": "type"}, "floor.map:1", "starts with 'type'"),
        ({"robots": ""}, "robots:1", "empty; the number of rows"),
        ({"robots": "4\n0\n1\n2\n"}, "robots:4", "3 rows; the first line says 4"),
        ({"robots": "999999999999\n0\n"}, "robots:1", "number of rows is '999999999999'; allowed"),
        ({"robots": "2\n0\n3\n"}, "robots:3", r"cell 3 \(row 1, column 0\) is an obstacle of fl"),
        ({"robots": "2\n0\n6\n"}, "robots:3", "cell is '6'; allowed: 0 to 5"),
        ({"robots": "2\n0\n0\n"}, "robots:3", "cell 0 is taken in line 2 already"),
        ({"robots": "2\n0\n1,2\n"}, "robots:3", "2 cells; a robot has one start"),
        ({"tasks": "1\n1,,2\n"}, "tasks:2", "cell is ''; allowed: 0 to 5"),
        ({"tasks": "1\n-1\n"}, "tasks:2", "cell is '-1'; allowed: 0 to 5"),
        ({"tasks": "1\n1.5\n"}, "tasks:2", "cell is '1.5'; allowed: 0 to 5"),
    ],
)
def test_bad_files_are_refused_with_place_and_remedy(
    tmp_path: Path, changes: dict[str, str | bytes], place: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"^.*/{place}: {message}.*$"):
        read_problem(written(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mapFile": 3}, "2: mapFile is 3; a string is needed"),
        ({"mapFile": "../floor.map"}, "2: mapFile is '../floor.map'; allowed: a path inside"),
        ({"mapFile": "/etc/passwd"}, "2: mapFile is '/etc/passwd'; allowed: a path inside"),
        ({"mapFile": "a\0b"}, r"2: mapFile is 'a\\x00b'; allowed: a path inside"),
        ({"mapFile": "\ud800"}, r"2: mapFile is '\\ud800'; allowed: a path inside"),
        ({"teamSize": 4}, "4: teamSize is 4; allowed: 1 to 3, the robots there are"),
        ({"teamSize": 0}, "4: teamSize is 0; allowed: 1 to"),
        ({"teamSize": True}, "4: teamSize is True; a whole number is needed"),
        ({"teamSize": 1.5}, "4: teamSize is 1.5; a whole number is needed"),
        ({"teamSize": 10**400}, r"4: teamSize is 1000000000.*\.\.\.; allowed: 1 to"),
        ({"numTasksReveal": float("nan")}, "6: numTasksReveal is nan; allowed: 0 to"),
        ({"numTasksReveal": "x"}, "6: numTasksReveal is 'x'; a number is needed"),
        ({"delayConfig": [1]}, "8: delayConfig is a list; an object is needed"),
        ({"delayConfig": {"seed": 1}}, "1: minDelay is missing; a whole number is needed"),
        ({"delayConfig": {**DELAYS, "pDelay": 1.5}}, "8: delayConfig .*: p_delay is 1.5; allowed"),
        ({"delayConfig": {**DELAYS, "maxDelay": 10**30}}, "11: maxDelay is 1000.*; allowed: 1 to"),
        (
            {"delayConfig": {**DELAYS, "minDelay": 9}},
            "8: delayConfig .*: max_delay_ticks is 4; all",
        ),
        (
            {"delayConfig": {**DELAYS, "eventModel": "weekly"}},
            "8: delayConfig is not allowed: event_model is 'weekly'; allowed: bernoulli, poisson",
        ),
    ],
)
def test_bad_values_are_refused_at_their_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"^.*/problem.json:{message}.*$"):
        read_problem(configured(tmp_path, **changes))


def test_missing_files_and_odd_names_are_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("none.map", "two\nlines", "x" * 5000, "."):
        with pytest.raises(InputError) as caught:
            read_problem(configured(tmp_path, mapFile=name))
        assert "\n" not in str(caught.value)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "problem"
    inner.mkdir()
    (tmp_path / "outside.map").write_text(FILES["floor.map"])
    (inner / "link.map").symlink_to(tmp_path / "outside.map")
    with pytest.raises(InputError, match="allowed: a path inside"):
        read_problem(configured(inner, mapFile="link.map"))


def test_a_folder_holds_exactly_one_problem(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds 0 \.json files; exactly one is needed"):
        read_problem(tmp_path)
    (written(tmp_path) / "other.json").write_text("{}")
    with pytest.raises(InputError, match=r"holds 2 \.json files; exactly one is needed"):
        read_problem(tmp_path)
    with pytest.raises(InputError, match="does not exist; a file is needed"):
        read_problem(tmp_path / "none")


def problem_or_line(folder: Path) -> Problem | str:
    try:
        return read_problem(folder)
    except InputError as error:
        return str(error)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_bytes_in_any_file_give_a_problem_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = FILES[name].encode()
    start = data.draw(st.integers(0, len(content)))
    stop = start + data.draw(st.integers(0, 8))
    odd = [b"\n", b",", b"null", b"-1", b"1e999", b"NaN", b'"', b"9" * 40, b"{}", b"[", b"\\u0000"]
    insert = data.draw(st.binary(max_size=6) | st.sampled_from(odd))
    mutant = content[:start] + insert + content[stop:]
    folder = tmp_path_factory.getbasetemp() / "mutants"
    folder.mkdir(exist_ok=True)
    result = problem_or_line(written(folder, **{name.replace(".", "__"): mutant}))
    if isinstance(result, Problem):
        assert result.layout.free.ravel()[result.starts].all()
    else:
        assert result.startswith(f"{folder}/")
        assert "\n" not in result
