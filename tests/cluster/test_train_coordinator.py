# SPDX-License-Identifier: Apache-2.0
"""The command ``train-coordinator``, from labels to a coordinator in the tables."""

import json
import shlex
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorboardX.proto.event_pb2 import Event

from agents.coordination.ablation import Method
from agents.coordination.labels import FOLDER
from agents.coordination.weights import load_model, notes
from cluster.__main__ import main, parse
from cluster.coordinator_training import split
from cluster.options import TrainCoordinator
from cluster.tensorboard import PATTERN
from cluster.training_records import command_line
from tests.cluster.killing import run_and_kill

LABEL = "label --instances 8 --robots 3 7 --goals 1 2 --pool 3 --steps 200 --workers 0".split()
TINY = (
    "train-coordinator --steps 40 --judge-every 10 --samples 4 --graphs 2 --patience 9 "
    "--improvement.weight 1 --improvement.samples 4 --improvement.latents 2 "
    "--model.width 8 --model.heads 2 --model.encoder-layers 1 --model.shared-layers 1"
).split()
COORDINATE = (
    "coordinate --robots 6 --instances 2 --coordinators fcfs,gnn_vae,gnn_vae+ls "
    "--delay-samples 5 --workers 0"
).split()


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels") / "run"
    assert main([*LABEL, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def trained(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main([*TINY, "--labels", str(labels), "--out", str(folder)]) == 0
    return folder


def artefact(folder: Path, name: str) -> Any:
    return json.loads((folder / "artefacts" / name).read_text())


def weights(folder: Path) -> Path:
    return folder / "artefacts" / "weights.safetensors"


def same(one: Path, other: Path) -> bool:
    """Bitwise equal weights."""
    a, b = load_file(weights(one)), load_file(weights(other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_training_leaves_weights_that_say_what_they_are(trained: Path, labels: Path) -> None:
    card = artefact(trained, "model_card.json")
    model = load_model(weights(trained))
    assert card["parameters"] == sum(value.numel() for value in model.state_dict().values())
    assert card["command"].split()[:4] == ["python", "-m", "cluster", "train-coordinator"]
    assert notes(weights(trained))["digest"] == card["digest"]
    index = json.loads((labels / FOLDER / "index.json").read_text())
    assert card["data"]["sources"][0]["digest"] == index["digest"]
    assert (card["data"]["learnt_from"], card["data"]["held_out"]) == (6, 2)
    assert set(card["held_out_ratio"]) == set(Method)
    assert parse(shlex.split(card["command"])[3:]) == parse([*TINY, "--labels", str(labels)])


def test_every_look_is_in_all_documents(trained: Path) -> None:
    curve = artefact(trained, "curve.json")["rows"]
    assert [row["step"] for row in curve] == [0, 10, 20, 30, 40]
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [line["record"] for line in lines] == curve
    assert {"kl", "active", "sensitivity", "held_out_ratio", "loss"} <= curve[-1].keys()
    assert "loss" not in curve[0]
    best = max(row["held_out_ratio"] for row in curve)
    card = artefact(trained, "model_card.json")
    assert card["best_step"] == next(r["step"] for r in curve if r["held_out_ratio"] == best)


def test_results_compare_with_what_needs_no_learning(trained: Path) -> None:
    records = json.loads((trained / "results.json").read_text())
    assert len(records) == 2 * len(Method)
    for record in records:
        assert 0 < record["ratio"] <= 1
        assert record["ratio"] == pytest.approx(record["best_known"] / record["cost"], abs=1e-5)
    floors = {r["instance"]: r["cost"] for r in records if r["method"] == "fcfs"}
    assert all(record["cost"] <= floors[record["instance"]] for record in records)


def test_the_report_draws_the_curve_and_judges_the_latent(trained: Path) -> None:
    report = (trained / "report.html").read_text()
    for words in ("Learning curve", "arrival_rank", "Is the latent alive?", "mean_samples"):
        assert words in report
    card = artefact(trained, "model_card.json")
    assert all(warning[:40] in report for warning in card["latent"]["warnings"])


def test_a_dead_latent_is_warned_of(labels: Path, tmp_path: Path) -> None:
    arguments = ["--labels", str(labels), "--loss.beta", "100", "--loss.warmup-steps", "0",
                 "--loss.free-bits", "0", "--learning-rate", "0.05", "--steps", "60",
                 "--judge-every", "60", "--graphs", "4"]  # fmt: skip
    assert main([*TINY, *arguments, "--out", str(tmp_path / "run")]) == 0
    latent = artefact(tmp_path / "run", "model_card.json")["latent"]
    assert "fewer than one latent dimension" in " ".join(latent["warnings"])
    assert "Warning:" in (tmp_path / "run" / "report.html").read_text()


def test_a_killed_training_ends_like_one_that_was_not(
    trained: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """kill -9 after the second look; the rest is done by another process, from there."""
    folder = tmp_path / "run"
    arguments = [*TINY, "--labels", str(labels), "--out", str(folder)]
    run_and_kill([*TINY, "--labels", str(labels)], folder, driver_after=2)
    assert not weights(folder).exists()
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "step 0:" not in told
    assert "step 40:" in told
    assert same(folder, trained)
    assert artefact(folder, "curve.json") == artefact(trained, "curve.json")
    assert (folder / "results.json").read_bytes() == (trained / "results.json").read_bytes()
    assert steps_of(folder) == [0, 10, 20, 30, 40]


def steps_of(folder: Path) -> list[int]:
    """The steps in the file for TensorBoard, read as the format says."""
    (path,) = (folder / "artefacts").glob(PATTERN)
    data, place, steps = path.read_bytes(), 0, set()
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        event = Event.FromString(data[place + 12 : place + 12 + length])
        steps |= {event.step for value in event.summary.value if value.tag == "held_out_ratio"}
        place += 16 + length
    return sorted(steps)


def test_a_finished_run_only_judges_again(trained: Path, labels: Path) -> None:
    before = {p.name: p.read_bytes() for p in trained.glob("*.json*")}
    assert main([*TINY, "--labels", str(labels), "--out", str(trained)]) == 0
    assert {p.name: p.read_bytes() for p in trained.glob("*.json*")} == before


def test_other_labels_do_not_resume_a_run(
    trained: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = next((labels / FOLDER).glob("*.npz"))
    arguments = [*TINY, "--labels", str(shard), "--out", str(trained)]
    assert "was made with label_digests" in error_of(arguments, capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: b"x" + data])
def test_a_damaged_checkpoint_is_named(
    damage: Callable[[bytes], bytes],
    trained: Path,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = shutil.copytree(trained, tmp_path / "run")
    path = folder / "artefacts" / "checkpoint.pt"
    path.write_bytes(damage(path.read_bytes()))
    error = error_of([*TINY, "--labels", str(labels), "--out", str(folder)], capsys)
    assert "checkpoint.pt: is truncated, altered or no checkpoint" in error


def test_a_checkpoint_of_another_architecture_is_refused(
    trained: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    wide = [*TINY, "--model.width", "4", "--labels", str(labels), "--out", str(other)]
    assert main(wide) == 0
    folder = shutil.copytree(trained, tmp_path / "run")
    shutil.copy(other / "artefacts" / "checkpoint.pt", folder / "artefacts")
    error = error_of([*TINY, "--labels", str(labels), "--out", str(folder)], capsys)
    assert "is a checkpoint of" in error
    given = [*TINY, "--labels", str(labels), "--weights", str(weights(other))]
    assert "its model has ModelOptions(width=4" in error_of(given, capsys)


def test_a_truncated_shard_is_named(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(labels, tmp_path / "labels")
    path = next((folder / FOLDER).glob("*.npz"))
    path.write_bytes(path.read_bytes()[:-50])
    arguments = [*TINY, "--labels", str(folder), "--out", str(tmp_path / "run")]
    assert f"{path.name}: is truncated or altered" in error_of(arguments, capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("field", "change"),
    [("order", lambda order: 1 - order), ("conflict_u", lambda number: number + 10**6)],
)
def test_a_shard_that_nobody_can_drive_is_one_line(
    field: str,
    change: Callable[[Any], Any],
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with np.load(next((labels / FOLDER).glob("*.npz"))) as file:
        arrays = dict(file)
    path = tmp_path / "changed.npz"
    np.savez(path, **{**arrays, field: change(arrays[field]).astype(arrays[field].dtype)})
    arguments = [*TINY, "--labels", str(path), "--out", str(tmp_path / "run")]
    assert "labels has a damaged instance, i0" in error_of(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--held-out 1", "held_out is 1.0; allowed: above 0, below 1"),
        ("--steps 0", "steps is 0; allowed: 1 or more"),
        ("--model.width 9", "width is 9; allowed: a multiple of heads (2)"),
        ("--loss.beta -1", "beta is -1.0; allowed: 0 or more, finite"),
        ("--labels nowhere", "index.json: cannot be read"),
        ("--weights nowhere", "nowhere: no readable weights"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str,
    message: str,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [*TINY, "--labels", str(labels), "--out", str(tmp_path / "run")]
    assert message in error_of([*given, *arguments.split()], capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without GPU")
def test_a_missing_gpu_is_one_line(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*TINY, "--labels", str(labels), "--device", "cuda", "--out", str(tmp_path / "run")]
    assert "device is cuda; allowed: cpu, or a GPU if there is one" in error_of(arguments, capsys)


def test_instances_are_held_out_by_the_seed_alone() -> None:
    learnt, held_out = split(10, 0.2, most=64, seed=0)
    assert sorted([*learnt, *held_out]) == list(range(10))
    assert len(held_out) == 2
    assert split(10, 0.2, most=64, seed=0) == (learnt, held_out)
    assert len({tuple(split(10, 0.2, most=64, seed=seed)[1]) for seed in range(9)}) > 1
    assert len(split(1000, 0.9, most=64, seed=0)[1]) == 64
    assert [len(part) for part in split(2, 0.99, most=64, seed=0)] == [1, 1]


def test_a_command_line_shows_what_is_not_at_its_default() -> None:
    options = parse("train-coordinator --labels a b --loss.beta 0.5 --graphs 3 --out x".split())
    assert isinstance(options, TrainCoordinator)
    assert command_line(options).endswith("--labels a b --seed 0 --graphs 3 --loss.beta 0.5")


def test_trained_weights_coordinate_certified_and_above_the_floor(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    arguments = ["--weights", str(weights(trained)), "--steps", "40", "--out", str(folder)]
    assert main([*COORDINATE, *arguments]) == 0
    records = json.loads((folder / "results.json").read_text())
    assert {r["coordinator"] for r in records} == {"fcfs", "gnn_vae", "gnn_vae+ls"}
    assert all(record["certified"] for record in records)
    floors = {r["instance"]: r["cost"] for r in records if r["coordinator"] == "fcfs"}
    assert all(record["cost"] <= floors[record["instance"]] for record in records)
    assert "gnn_vae+ls" in (folder / "report.html").read_text()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_learned_coordinators_do_the_same_on_ray(trained: Path, tmp_path: Path) -> None:
    tables = []
    for workers in ("0", "1"):
        folder = tmp_path / workers
        arguments = ["--weights", str(weights(trained)), "--steps", "20", "--out", str(folder)]
        assert main([*COORDINATE, *arguments, "--workers", workers]) == 0
        records = json.loads((folder / "results.json").read_text())
        tables.append([{k: v for k, v in r.items() if k != "seconds"} for r in records])
    assert tables[0] == tables[1]


def test_weights_that_cannot_lead_are_refused(
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cluster.coordinators.SHIPPED", tmp_path / "none")
    out = ["--out", str(tmp_path / "run")]
    assert "train-coordinator --labels RUN" in error_of([*COORDINATE, *out], capsys)
    tensors, about = load_file(weights(trained)), notes(weights(trained))
    tensors["posterior.weight"][0, 0] = torch.nan
    damaged = tmp_path / "damaged.safetensors"
    save_file(tensors, damaged, about)
    given = [*COORDINATE, *out, "--weights", str(damaged)]
    assert "posterior.weight is not finite" in error_of(given, capsys)
    save_file(load_file(weights(trained)), damaged, {**about, "architecture": "another"})
    assert "weights of 'another'" in error_of(given, capsys)
    damaged.write_bytes(weights(trained).read_bytes()[:-10])
    assert "no readable weights" in error_of(given, capsys)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_resumed_with_other_weights(
    trained: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.safetensors"
    shutil.copy(weights(trained), path)
    command = [*COORDINATE, "--steps", "5", "--weights", str(path), "--out", str(tmp_path / "run")]
    assert main(command) == 0
    other = tmp_path / "other"
    assert main([*TINY, "--labels", str(labels), "--seed", "1", "--out", str(other)]) == 0
    shutil.copy(weights(other), path)
    assert "was made with weights_digest" in error_of(command, capsys)
