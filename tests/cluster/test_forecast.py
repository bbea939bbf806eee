# SPDX-License-Identifier: Apache-2.0
"""The whole command ``forecast``, from arguments to report."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.__main__ import main, parse
from cluster.forecast_records import FIELDS
from cluster.options import Forecast
from quantum.errors import CircuitError
from tests.cluster.killing import run_and_kill, table

SMALL = ("forecast --task shm,recall1 --models lstm,qfwp,ar --seeds 2 --epochs 3").split()
NUM_TRIALS = (3 + 2 * 2) + (4 + 2 * 2)


def artefact(folder: Path, name: str) -> Any:
    return json.loads((folder / "artefacts" / name).read_text())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    return folder


def test_a_run_folder_has_everything(undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert (manifest["command"], manifest["config"]["models"]) == ("forecast", ["lstm", "qfwp"])
    assert manifest["versions"]["torch"] != "missing"
    assert len((undisturbed / "metrics.jsonl").read_text().splitlines()) == NUM_TRIALS
    records = json.loads((undisturbed / "results.json").read_text())
    assert [tuple(record) for record in records] == [FIELDS] * NUM_TRIALS
    assert [r["parameters"] for r in records[3:7]] == [117, 117, 111, 111]
    assert [r["status"] for r in records[:4]] == ["closed form"] * 3 + ["trained"]
    assert (undisturbed / "report.html").stat().st_size > 10_000


def test_trivial_rows_are_there_without_being_asked_for(undisturbed: Path) -> None:
    rows = {(r["task"], r["model"]): r for r in table(undisturbed)}
    assert rows["shm", "ar"]["test_mse"] == pytest.approx(9.5e-8, rel=0.01)
    assert {model for task, model in rows if task == "recall1"} == {
        *("ar", "mean", "persistence", "order_blind", "lstm", "qfwp")
    }


def test_curves_and_pictures_belong_to_the_records(undisturbed: Path) -> None:
    records = table(undisturbed)
    curves = artefact(undisturbed, "curves.json")["rows"]
    trained = [r for r in records if r["seed"] is not None]
    assert [c["test_mse"][-1] for c in curves] == pytest.approx(
        [r["test_mse"] for r in trained], rel=1e-4
    )
    assert all(len(c["train_mse"]) == len(c["test_mse"]) == 3 for c in curves)
    for picture in artefact(undisturbed, "predictions.json")["tasks"]:
        for row in picture["rows"]:
            pairs = list(zip(row["values"], picture["truth"], strict=True))[picture["train"] :]
            mse = sum((value - truth) ** 2 for value, truth in pairs) / len(pairs)
            assert mse == pytest.approx(row["test_mse"], rel=0.02, abs=1e-9)
        assert row["seed"] is not None


def test_the_drawn_seed_is_that_of_the_median(undisturbed: Path) -> None:
    picture = artefact(undisturbed, "predictions.json")["tasks"][0]
    drawn = next(row for row in picture["rows"] if row["model"] == "lstm")
    own = [r["test_mse"] for r in table(undisturbed) if (r["task"], r["model"]) == ("shm", "lstm")]
    assert drawn["test_mse"] == min(own)  # of two seeds the better one


def test_the_last_line_is_the_path_and_a_second_start_does_nothing(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (undisturbed / "results.json").read_bytes()
    assert main([*SMALL, "--workers", "2", "--out", str(undisturbed)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == str((undisturbed / "report.html").resolve())
    assert (undisturbed / "results.json").read_bytes() == before


def test_a_report_is_rebuilt_from_the_folder_alone(undisturbed: Path) -> None:
    before = (undisturbed / "report.html").read_bytes()
    (undisturbed / "report.html").unlink()
    assert main(["report", str(undisturbed)]) == 0
    assert (undisturbed / "report.html").read_bytes() == before


def test_another_configuration_is_refused(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "--batch", "5", "--workers", "0", "--out", str(undisturbed)]) == 2
    assert "was made with batch = 10, now it is 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task shm,weather", "task is 'weather'; allowed: shm, bessel, narma5, narma10, recall1"),
        ("--task ,", "task is (',',); allowed: at least one name"),
        ("--models transformer", "models is 'transformer'; allowed: qfwp, qfwp_decay,"),
        ("--seeds 0", "seeds is 0; allowed: 1 to 1000"),
        ("--epochs 0", "epochs is 0; allowed: 1 or more"),
        ("--batch -1", "batch is -1; allowed: 1 or more"),
        ("--learning-rate nan", "learning_rate is nan; allowed: a positive number"),
        ("--workers -1", "workers is -1; allowed: 0 or more"),
        ("--seed -1", "seed is -1; allowed: 0 or more"),
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
    assert main(["forecast", "--workers", "0", *arguments.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_names_may_be_separated_by_commas_or_spaces() -> None:
    options = parse(["forecast", "--task", "shm", "bessel,shm", "--models", "gru,ar", "lstm"])
    assert isinstance(options, Forecast)
    assert options.task_names == ("shm", "bessel")
    assert options.model_names == ("gru", "lstm")


def test_a_circuit_that_cannot_be_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> int:
        raise CircuitError("qubits is 99; allowed: 1 to 30")

    monkeypatch.setattr("cluster.__main__.run", refuse)
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: qubits is 99; allowed: 1 to 30\n"


def test_a_training_that_diverges_is_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = "forecast --models qfwp --seeds 1 --epochs 2 --learning-rate 1e200 --workers 0".split()
    assert main([*wild, "--out", str(tmp_path / "run")]) == 0
    row = table(tmp_path / "run")[-1]
    assert (row["status"], row["test_mse"], row["model"]) == ("diverged", None, "qfwp")
    assert "1 diverged" in capsys.readouterr().out
    html = (tmp_path / "run" / "report.html").read_text()
    assert ">diverged<" in html


def test_a_failed_trial_is_named_and_done_again_by_the_next_start(
    undisturbed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cluster import forecasting

    real = forecasting.make_model

    def buggy(name: str, *rest: Any) -> Any:
        if name == "qfwp":
            raise ZeroDivisionError("a bug")
        return real(name, *rest)  # type: ignore[arg-type]

    command = [*SMALL, "--workers", "0", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(forecasting, "make_model", buggy)
    assert main(command) == 1
    assert "failed: shm/qfwp/s000: ZeroDivisionError: a bug" in capsys.readouterr().err
    failed = [r for r in table(tmp_path / "run") if r["status"] == "failed"]
    assert [(r["task"], r["model"], r["seed"]) for r in failed] == [
        (task, "qfwp", seed) for task in ("shm", "recall1") for seed in (0, 1)
    ]
    monkeypatch.setattr(forecasting, "make_model", real)
    assert main(command) == 0
    assert table(tmp_path / "run") == table(undisturbed)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_the_number_of_workers_cannot_matter(undisturbed: Path, tmp_path: Path) -> None:
    assert main([*SMALL, "--workers", "2", "--out", str(tmp_path / "run")]) == 0
    assert table(tmp_path / "run") == table(undisturbed)
    for name in ("curves.json", "predictions.json"):
        assert artefact(tmp_path / "run", name) == artefact(undisturbed, name)


@pytest.mark.ray
def test_killed_workers_and_a_killed_driver_change_nothing(
    undisturbed: Path, tmp_path: Path
) -> None:
    """One run with kill -9 of a worker, then of the driver, then resumed; its own Ray."""
    folder = tmp_path / "run"
    run_and_kill([*SMALL, "--workers", "1"], folder, driver_after=5, worker_after=1)
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    assert table(folder) == table(undisturbed)
