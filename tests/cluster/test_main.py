# SPDX-License-Identifier: Apache-2.0
"""The command line as a person meets it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.__main__ import main, parse
from cluster.options import Coordinate, Report
from cluster.packages import HOME
from sim.coordinators.portfolio import CoordinatorName
from sim.schedule import Objective


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail as bad input does, and return its one line."""
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_help_is_quick_and_lists_the_commands() -> None:
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "--help"],
        cwd=HOME, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert time.monotonic() - started_s < 10  # under 2 on a quiet machine
    assert all(command in done.stdout for command in ("coordinate", "report", "doctor"))


def test_help_needs_neither_ray_nor_solvers() -> None:
    code = "import sys, cluster.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True
    )
    assert not {"ray", "pulp", "highspy", "cma", "torch"} & set(done.stdout.split())


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse(["coordinate", "--help"])
    shown = capsys.readouterr().out
    assert "--deadline-s FLOAT" in shown
    assert "mean_travel,makespan,mean_delay" in shown
    assert "--instance.speed-m-s" in shown


def test_values_become_options() -> None:
    arguments = "coordinate --robots 10 50 --coordinators fcfs,milp fcfs --objective makespan"
    options = parse([*arguments.split(), "--warehouse.rack-rows", "4", "--steps", "9"])
    assert isinstance(options, Coordinate)
    assert options.robots == (10, 50)
    assert options.coordinator_names == (CoordinatorName.FCFS, CoordinatorName.MILP)
    assert options.objective is Objective.MAKESPAN
    assert (options.warehouse.rack_rows, options.budget.steps) == (4, 9)
    assert parse(["report", "first"]) == Report("first")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--robots 0", "robots is (0,); allowed: 1 or more"),
        ("--robots 10 -5", "robots is (10, -5); allowed: 1 or more"),
        ("--instances 0", "instances is 0; allowed: 1 or more"),
        ("--workers -1", "workers is -1; allowed: 0 or more"),
        ("--seed -1", "seed is -1; allowed: 0 or more"),
        ("--deadline-s 0", "deadline_s is 0.0"),
        ("--deadline-s nan", "deadline_s is nan"),
        ("--deadline-s inf", "deadline_s is inf"),
        ("--steps 0", "steps is 0"),
        ("--instance.speed-m-s -1", "speed_m_s is -1.0"),
        ("--delays.stop-probability 2", "stop_probability is 2.0"),
        ("--coordinators fcfs,magic", "coordinators is 'magic'; allowed: fcfs, priority"),
        ("--coordinators ,", "coordinators is (',',); allowed: at least one name"),
        ("--map nowhere.map", "map is 'nowhere.map'; allowed: a file, a folder, or generate"),
        ("--robots 100000", "num_robots is 100000"),
        ("--out ../x", "out is '../x'; it must be an absolute path or a name below runs/"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in error_of(["coordinate", "--workers", "0", *arguments.split()], capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_map_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.map"
    path.write_text("type octile\nheight 3\nwidth 3\nmap\n...\n..")
    assert str(path) in error_of(["coordinate", "--map", str(path)], capsys)


def test_an_unknown_run_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run folder" in error_of(["report", "nowhere"], capsys)


@pytest.mark.parametrize("arguments", [[], ["--bogus"], ["coordinate", "--robots", "x"]])
def test_what_cannot_be_parsed_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "--help" in capsys.readouterr().err


def test_an_interrupt_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cluster.__main__.run", interrupt)
    assert main(["doctor"]) == 130
    assert "resumes" in capsys.readouterr().err
