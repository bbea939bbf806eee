# SPDX-License-Identifier: Apache-2.0
"""The command says how many tasks are finished and what is wrong; its exit code, whether."""

import json
from pathlib import Path

import pytest

from sim.warehouse.league.__main__ import main
from sim.warehouse.league.output import league_output
from tests.sim.warehouse.league.tiny_league import tiny_problem, tiny_run, written_problem


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, str]:
    """An output file without faults, and the folder of its problem."""
    problem = tiny_problem()
    folder = tmp_path / "problem"
    folder.mkdir()
    path = tmp_path / "output.json"
    path.write_text(json.dumps(league_output(tiny_run(problem), problem)))
    return path, str(written_problem(folder, problem))


def test_a_good_file(files: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    finished = json.loads(files[0].read_text())["numTaskFinished"]
    assert main([str(files[0]), files[1]]) == 0
    assert capsys.readouterr().out == f"{finished} tasks finished, 0 faults\n"


def test_a_file_with_faults(files: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    output = json.loads(files[0].read_text())
    files[0].write_text(json.dumps({**output, "events": []}))
    assert main([str(files[0]), files[1]]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{output['numTaskFinished']} tasks finished, {len(output['events'])} faults"
    assert len(lines) == 1 + min(len(output["events"]), 10)
    assert lines[1].startswith("tick ")


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"teamSize": "4"}', b"[" * 100_000])
def test_a_bad_file_is_one_line(
    content: bytes, files: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_bytes(content)
    assert main([str(files[0]), files[1]]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_missing_files_are_one_line(
    files: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nowhere.json", files[1]]) == 2
    assert main([str(files[0]), "nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
