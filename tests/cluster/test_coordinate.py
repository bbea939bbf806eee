# SPDX-License-Identifier: Apache-2.0
"""The whole command, from arguments to report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.__main__ import main
from cluster.packages import HOME
from sim.coordinators.insertion import rank_insertion
from tests.cluster.killing import run_and_kill, table

SMALL = (
    "coordinate --robots 4 8 --instances 2 --coordinators fcfs,insertion,local_search --steps 20 "
    "--warehouse.rack-columns 2 --warehouse.rack-rows 3 --warehouse.num-pick-points 10"
).split()
NUM_TRIALS = 12
FIELDS = (
    "instance robots coordinator cost best_known ratio bound gap seconds certified status own_cost"
).split()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    return folder


def test_a_run_folder_has_everything(undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert (manifest["command"], manifest["seed"]) == ("coordinate", 0)
    assert len((undisturbed / "metrics.jsonl").read_text().splitlines()) == NUM_TRIALS
    records = json.loads((undisturbed / "results.json").read_text())
    assert [list(record) for record in records] == [FIELDS] * NUM_TRIALS
    assert all(record["certified"] and 0 < record["ratio"] <= 1 for record in records)
    assert all(record["bound"] <= record["best_known"] + 1e-6 for record in records)
    assert (undisturbed / "report.html").stat().st_size > 10_000
    assert (undisturbed / "artefacts" / "i001-r008" / "local_search.npz").exists()


def test_the_critical_path_explains_the_last_finish(undisturbed: Path) -> None:
    replay = json.loads((undisturbed / "artefacts" / "replay.json").read_text())
    times = [replay["robots"][r]["times_s"][e] for r, e in replay["critical_path"]]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == max(robot["times_s"][-1] for robot in replay["robots"])
    assert replay["critical_path"][0][1] == 0


def test_the_last_line_is_the_path_of_the_report(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (undisturbed / "results.json").read_bytes()
    assert main([*SMALL, "--workers", "2", "--out", str(undisturbed)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == str((undisturbed / "report.html").resolve())
    assert (undisturbed / "results.json").read_bytes() == before


def test_a_report_is_rebuilt_from_the_folder_alone(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (undisturbed / "report.html").read_bytes()
    (undisturbed / "report.html").unlink()
    assert main(["report", str(undisturbed)]) == 0
    assert capsys.readouterr().out.strip().endswith("report.html")
    assert (undisturbed / "report.html").read_bytes() == before


def test_another_configuration_is_refused(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "--seed", "1", "--workers", "0", "--out", str(undisturbed)]) == 2
    assert "was made with seed = 0, now it is 1" in capsys.readouterr().err


def test_a_failed_trial_is_named_and_done_again_by_the_next_start(
    undisturbed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cluster import coordination

    real = coordination.decide

    def buggy(coordinator: Any, *rest: Any) -> Any:
        if coordinator is rank_insertion:
            raise ZeroDivisionError("a bug")
        return real(coordinator, *rest)

    command = [*SMALL, "--workers", "0", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(coordination, "warm_up", lambda *_: None)
    monkeypatch.setattr(coordination, "decide", buggy)
    monkeypatch.setattr("cluster.commands.coordinate.warm_up", lambda *_: None)
    assert main(command) == 1
    assert "failed: i000-r004/insertion: ZeroDivisionError: a bug" in capsys.readouterr().err
    failed = [r for r in table(tmp_path / "run") if r["status"] == "failed"]
    assert [r["coordinator"] for r in failed] == ["insertion"] * 4
    monkeypatch.setattr(coordination, "decide", real)
    assert main(command) == 0
    assert table(tmp_path / "run") == table(undisturbed)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_number_of_workers_cannot_matter(
    undisturbed: Path, tmp_path: Path, workers: str
) -> None:
    assert main([*SMALL, "--workers", workers, "--out", str(tmp_path / "run")]) == 0
    assert table(tmp_path / "run") == table(undisturbed)
    replays = [folder / "artefacts" / "replay.json" for folder in (tmp_path / "run", undisturbed)]
    assert replays[0].read_bytes() == replays[1].read_bytes()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_a_running_cluster_is_used_and_left_running(undisturbed: Path, tmp_path: Path) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    arguments = [*SMALL, "--ray-address", address, "--out", str(tmp_path / "run")]
    subprocess.run([sys.executable, "-m", "cluster", *arguments], cwd=HOME, check=True)
    assert table(tmp_path / "run") == table(undisturbed)
    assert ray.cluster_resources()["CPU"] == 2


def test_a_wrong_address_is_one_line(tmp_path: Path) -> None:
    arguments = [*SMALL, "--ray-address", "127.0.0.1:1", "--out", str(tmp_path / "run")]
    command = [sys.executable, "-m", "cluster", *arguments]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ray_address is '127.0.0.1:1': no Ray cluster answers there" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.ray
def test_killed_workers_and_a_killed_driver_change_nothing(
    undisturbed: Path, tmp_path: Path
) -> None:
    """One run with kill -9 of a worker, then of the driver, then resumed; its own Ray."""
    folder = tmp_path / "run"
    run_and_kill([*SMALL, "--workers", "1"], folder, driver_after=3, worker_after=1)
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    assert table(folder) == table(undisturbed)
