# SPDX-License-Identifier: Apache-2.0
"""The command ``label``, from arguments to shards."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.coordination.labels import FOLDER, read_shards
from cluster.__main__ import main
from sim.certificate import certify
from sim.layout import Layout
from sim.readers import format_map
from sim.schedule import Assignment, evaluate
from tests.cluster.killing import run_and_kill, table

SMALL = "label --instances 6 --robots 3 8 --goals 1 2 --pool 4 --steps 300".split()
FIELDS = (
    "instance floor robots conflicts cost fcfs bound gap pool diversity seconds status"
).split()


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / FOLDER).glob("*.npz"))}


def index(folder: Path) -> dict[str, Any]:
    """Without the commit, which may change while tests run."""
    document = json.loads((folder / FOLDER / "index.json").read_text())
    return {k: v for k, v in document.items() if k not in ("commit", "dirty")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    return folder


def test_every_label_is_certified_and_costs_what_it_says(undisturbed: Path) -> None:
    records = json.loads((undisturbed / "results.json").read_text())
    assert [list(record) for record in records] == [FIELDS] * 6
    instances = list(read_shards(undisturbed))
    assert [one.name for one in instances] == [f"i{n:05d}" for n in range(6)]
    for one, record in zip(instances, records, strict=True):
        assert record["robots"] == one.graph.num_robots
        assert 3 <= one.graph.num_robots <= 8
        assert record["conflicts"] == one.graph.num_conflicts >= 1
        assert record["pool"] == len(one.cost_s) <= 4
        assert record["bound"] <= record["cost"] <= record["fcfs"]
        assert record["gap"] == pytest.approx(one.gap, abs=1e-6)
        for order, following, cost_s in zip(one.order, one.following, one.cost_s, strict=True):
            assignment = Assignment(order, following)
            assert certify(one.graph, assignment).valid
            assert evaluate(one.graph, assignment).cost_s() == cost_s
    assert {one.floor.split("-")[0] for one in instances} == {"warehouse", "random"}


def test_the_index_says_what_made_the_shards(undisturbed: Path) -> None:
    about = index(undisturbed)
    assert (about["instances"], about["seed"], about["command"]) == (6, 0, "label")
    assert about["config"]["steps"] == 300
    assert "highspy" in about["versions"]
    assert about["assignments"] == sum(record["pool"] for record in table(undisturbed))
    assert 0 <= about["mean_gap"] < 1


def test_table_report_and_resume(undisturbed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = shards(undisturbed)
    assert main([*SMALL, "--workers", "2", "--out", str(undisturbed)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str((undisturbed / "report.html").resolve())
    assert "proven %" in lines[0]
    assert shards(undisturbed) == before
    report = (undisturbed / "report.html").read_text()
    assert "6 instances solved" in report
    assert "i00005" in report


def test_shards_are_split_and_joined(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.label_records.PER_SHARD", 4)
    monkeypatch.setattr("cluster.commands.label.warm_up", lambda: None)
    assert main([*SMALL, "--workers", "0", "--out", str(tmp_path / "run")]) == 0
    assert list(shards(tmp_path / "run")) == ["labels-0000.npz", "labels-0001.npz"]
    pairs = zip(read_shards(tmp_path / "run"), read_shards(undisturbed), strict=True)
    assert all((a.order == b.order).all() for a, b in pairs)


def test_a_failed_instance_is_left_out_and_done_again(
    undisturbed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cluster import labelling

    real = labelling.solution_pool

    def buggy(graph: Any, *rest: Any) -> Any:
        if graph.num_robots == table(undisturbed)[2]["robots"]:
            raise ZeroDivisionError("a bug")
        return real(graph, *rest)

    command = [*SMALL, "--workers", "0", "--out", str(tmp_path / "run")]
    monkeypatch.setattr("cluster.commands.label.warm_up", lambda: None)
    monkeypatch.setattr(labelling, "solution_pool", buggy)
    assert main(command) == 1
    assert "failed: i00002: ZeroDivisionError: a bug" in capsys.readouterr().err
    names = [one.name for one in read_shards(tmp_path / "run")]
    assert names == [r["instance"] for r in table(tmp_path / "run") if r["status"] != "failed"]
    assert "i00002" not in names
    assert "failed and can be tried again" in (tmp_path / "run" / "report.html").read_text()
    monkeypatch.setattr(labelling, "solution_pool", real)
    assert main(command) == 0
    assert shards(tmp_path / "run") == shards(undisturbed)


def test_a_damaged_file_is_named(
    undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(undisturbed, tmp_path / "run")
    path = folder / "artefacts" / "i00003.npz"
    path.write_bytes(path.read_bytes()[:-100])
    assert main([*SMALL, "--out", str(folder)]) == 2
    assert "i00003.npz: is truncated or no shard of labels" in capsys.readouterr().err


def test_maps_take_turns_with_drawn_floors(tmp_path: Path) -> None:
    path = tmp_path / "mine.map"
    path.write_text(format_map(Layout("mine", np.ones((7, 7), dtype=np.bool_))))
    arguments = ["--floors", str(path), "random", "--workers", "0", "--out", str(tmp_path / "run")]
    assert main([*SMALL, *arguments]) == 0
    floors = [record["floor"].split("-")[0] for record in table(tmp_path / "run")]
    assert floors == ["mine", "random"] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--instances 0", "instances is 0; allowed: 1 to 100000"),
        ("--robots 1 5", "robots is 1 5; allowed: a low and a high end, 2 or more"),
        ("--robots 9 5", "robots is 9 5; allowed: a low and a high end, 2 or more"),
        ("--goals 0 1", "goals is 0 1; allowed: a low and a high end, 1 or more"),
        ("--pool 0", "pool is 0; allowed: 1 or more"),
        ("--pool-ratio 0.5", "pool_ratio is 0.5; allowed: 1 to 2"),
        ("--deadline-s 0", "deadline_s is 0.0; it must be greater than 0"),
        ("--steps 0", "steps is 0; it must be at least 1"),
        ("--floors moon", "floors is 'moon'; allowed: warehouse, random, or a .map file"),
        ("--instance.granularity merged", "granularity is 'merged'; allowed: overlaps"),
        ("--floor.obstacle-ratio 0 0.9", "obstacle_ratio is 0.0 0.9; allowed: a low and"),
        ("--robots 9 9 --goals 4 4 --floor.cells-per-robot 2 2 --instance.parking floor",
         "floor warehouse, 9 robots: no usable instance in 100 draws; ill-posed"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    arguments: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, *arguments.split(), "--out", str(tmp_path / "run")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "run").exists()


def test_a_map_too_small_for_the_largest_fleet_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.map"
    path.write_text(format_map(Layout("tiny", np.ones((2, 3), dtype=np.bool_))))
    assert main([*SMALL, "--floors", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "tiny.map: up to 6" in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_the_number_of_workers_cannot_matter(undisturbed: Path, tmp_path: Path) -> None:
    assert main([*SMALL, "--workers", "2", "--out", str(tmp_path / "run")]) == 0
    assert table(tmp_path / "run") == table(undisturbed)
    assert shards(tmp_path / "run") == shards(undisturbed)
    assert index(tmp_path / "run") == index(undisturbed)


@pytest.mark.ray
def test_killed_workers_and_a_killed_driver_change_nothing(
    undisturbed: Path, tmp_path: Path
) -> None:
    """One run with kill -9 of a worker, then of the driver, then resumed; its own Ray."""
    folder = tmp_path / "run"
    run_and_kill([*SMALL, "--workers", "1"], folder, driver_after=3, worker_after=1)
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    assert table(folder) == table(undisturbed)
    assert shards(folder) == shards(undisturbed)
    assert index(folder) == index(undisturbed)
