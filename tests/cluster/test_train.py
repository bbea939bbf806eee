# SPDX-License-Identifier: Apache-2.0
"""The command ``train``, from options to a report."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from tensorboardX.proto.event_pb2 import Event

from agents.learning.options import Algorithm, StateMode
from agents.learning.training import train_here
from cluster.__main__ import main, parse
from cluster.packages import HOME
from cluster.tensorboard import PATTERN
from cluster.training.records import without_seconds
from cluster.training_options import Mode, Train
from tests.cluster.killing import run_and_kill

TINY = (
    "train --env CartPole-v1 --policy lstm --match-params 200 --steps 1200 --seed 3 --lanes 4 "
    "--unroll-steps 16 --minibatches 2 --epochs 2 --checkpoint-updates 2 --episodes 8"
).split()


def options_of(arguments: str) -> Train:
    options = parse(["train", *arguments.split()])
    assert isinstance(options, Train)
    return options


def artefact(folder: Path, name: str) -> Any:
    return json.loads((folder / "artefacts" / name).read_text())


def policy(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "artefacts" / "policy.safetensors")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(arguments) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1, told
    return told[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, ray_instance: None) -> Path:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("train") / "run"
    assert main([*TINY, "--out", str(folder)]) == 0
    return folder


def test_options_have_short_names() -> None:
    options = options_of("--policy gru --groups 4 --algorithm vtrace --state episode --mode async")
    assert (options.act.groups, options.rollouts, options.mode) == (4, 4, Mode.ASYNC)
    setup = options.setup
    assert (setup.learn.algorithm, setup.learn.state) == (Algorithm.VTRACE, StateMode.EPISODE)


def test_the_paper_has_its_own_constants() -> None:
    options = options_of("--mode paper --groups 3")
    setup = options.setup
    assert (setup.learn.algorithm, setup.learn.state) == (Algorithm.A3C, StateMode.ZERO)
    assert (setup.act.groups, setup.act.lanes, setup.act.unroll_steps) == (3, 1, 5)
    assert (setup.learn.learning_rate, setup.learn.discount) == (1e-4, 0.9)
    assert setup.policy.grid_encoding == "raw"
    assert options.rollouts == 1


def test_there_are_about_a_hundred_checkpoints_unless_it_is_said() -> None:
    assert options_of("--steps 102400 --lanes 16 --unroll-steps 32").interval_updates == 1
    assert options_of("--steps 1024000 --lanes 16 --unroll-steps 32").interval_updates == 10
    assert options_of("--checkpoint-updates 7").interval_updates == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--actors 0", "actors is 0; allowed: 1 to 2, the groups"),
        ("--actors 3", "actors is 3; allowed: 1 to 2, the groups"),
        ("--steps 0", "steps is 0; allowed: 1 or more"),
        ("--seed -1", "seed is -1"),
        ("--episodes 0", "episodes is 0"),
        ("--checkpoint-updates 0", "checkpoint_updates is 0"),
        ("--match-params 0", "match_params is 0"),
        ("--batch-rollouts 1", "batch_rollouts is 1; allowed: only with mode async"),
        ("--mode paper --lanes 4", "mode is 'paper'; allowed: sync or async with lanes"),
        ("--mode paper --entropy 1", "mode is 'paper'; allowed: sync or async with options of"),
        ("--lanes 1 --minibatches 4", "minibatches is 4; allowed: at most 2"),
        ("--env CartPole-v9", "environment 'CartPole-v9' is unknown; did you mean CartPole-v1"),
        ("--env Pendulum-v1", "environment 'Pendulum-v1' takes the actions Box"),
        ("--env CartPole-v1 --grid-encoding raw", "grid_encoding is 'raw'; allowed: embedding"),
        ("--env CartPole-v1 --engine compiled", "engine is 'compiled', environment 'CartPole-v1'"),
    ],
)
def test_bad_input_is_one_line_before_anything_starts(
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in error_of(["train", *arguments.split()], capsys)
    assert list(tmp_path.iterdir()) == []


def test_the_options_need_neither_torch_nor_ray() -> None:
    code = "import sys, cluster.training_options; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True
    )
    assert not {"ray", "torch", "gymnasium", "numba"} & set(done.stdout.split())


@pytest.mark.ray
def test_a_run_leaves_the_policy_of_a_training_without_ray(run: Path) -> None:
    learner, updates = train_here(options_of(" ".join(TINY[1:])).setup)
    seen = list(updates)
    found = policy(run)
    for name, value in learner.weights().items():
        np.testing.assert_array_equal(found[name], value)
    rows = artefact(run, "training.json")["rows"]
    assert rows[-1]["update"] == len(seen)
    assert rows[-1]["steps"] == learner.steps
    returns = [value for one in seen for value in one.returns]
    assert sum(row["episodes"] for row in rows) == len(returns)
    total = sum((row["return"] or 0) * row["episodes"] for row in rows)
    assert total == pytest.approx(sum(returns), rel=1e-6)


@pytest.mark.ray
def test_all_documents_tell_the_same(run: Path) -> None:
    rows = artefact(run, "training.json")["rows"]
    assert [row["update"] for row in rows[:-1]] == list(range(2, rows[-1]["update"], 2))
    assert [line["record"] for line in lines(run)] == rows
    (record, *trivial) = json.loads((run / "results.json").read_text())
    assert (record["kind"], record["env"], record["policy"]) == ("run", "CartPole-v1", "lstm")
    assert record["steps"] == rows[-1]["steps"]
    assert record["parameters"] == sum(value.size for value in policy(run).values())
    assert record["episodes"] == 8
    assert not record["diverged"]
    assert {one["policy"] for one in trivial} >= {"random", "constant"}
    assert json.loads((run / "manifest.json").read_text())["config"]["mode"] == "sync"
    assert "lstm" in (run / "report.html").read_text()
    assert steps_of(run) == [row["steps"] for row in rows]


def steps_of(folder: Path) -> list[int]:
    """The steps in the file for TensorBoard, read as the format says."""
    (path,) = (folder / "artefacts").glob(PATTERN)
    data, place, steps = path.read_bytes(), 0, set()
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        event = Event.FromString(data[place + 12 : place + 12 + length])
        steps |= {event.step for value in event.summary.value if value.tag == "loss"}
        place += 16 + length
    return sorted(steps)


@pytest.mark.ray
def test_the_film_shows_whole_episodes(run: Path) -> None:
    with Image.open(run / "artefacts" / "episode.gif") as image:
        assert image.format == "GIF"
        assert max(image.size) == 240
        assert getattr(image, "n_frames", 1) > 3


@pytest.mark.ray
def test_a_finished_run_only_judges_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {p.name: p.read_bytes() for p in run.glob("*.json*")}
    assert main([*TINY, "--actors", "1", "--out", str(run)]) == 0
    assert {p.name: p.read_bytes() for p in run.glob("*.json*")} == before
    assert "steps/s," not in capsys.readouterr().out


@pytest.mark.ray
def test_a_longer_training_is_another_one(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The learning rate falls with the share of the steps that is done."""
    told = error_of([*TINY, "--steps", "9000", "--out", str(run)], capsys)
    assert "was made with steps = 1200, now it is 9000" in told


@pytest.mark.ray
def test_a_damaged_checkpoint_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_bytes((run / "manifest.json").read_bytes())
    (folder / "artefacts" / "checkpoint.npz").write_bytes(b"x")
    told = error_of([*TINY, "--out", str(folder)], capsys)
    assert f"{folder}/artefacts/checkpoint.npz: is no checkpoint, or damaged" in told


@pytest.mark.ray
def test_a_killed_run_ends_with_the_same_bits(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """kill -9 in the middle; the rest is done by another process, from its last checkpoint."""
    folder = tmp_path / "run"
    alone = [*TINY, "--actors", "1"]
    run_and_kill(alone, folder, driver_after=3)
    assert not (folder / "artefacts" / "policy.safetensors").exists()
    before = len(lines(folder))
    assert main([*alone, "--out", str(folder)]) == 0
    assert before >= 3
    assert len(lines(folder)) < before + len(lines(run))
    found, expected = policy(folder), policy(run)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    rows = [artefact(one, "training.json")["rows"] for one in (folder, run)]
    assert without_seconds(rows[0]) == without_seconds(rows[1])
    capsys.readouterr()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_a_run_that_diverges_stops_and_is_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = "--mode async --algorithm vtrace --learning-rate 1e38 --actors 1".split()
    assert main([*TINY, *arguments, "--out", str(folder)]) == 0
    assert "diverged: no number any more after" in capsys.readouterr().out
    (record, *_) = json.loads((folder / "results.json").read_text())
    assert record["diverged"]
    assert record["steps"] < 1200
    assert record["greedy_return"] is record["success"] is None
    assert artefact(folder, "training.json")["rows"][-1]["diverged"]
    assert "diverged" in (folder / "report.html").read_text()
    before = (folder / "metrics.jsonl").read_bytes()
    assert main([*TINY, *arguments, "--out", str(folder)]) == 0
    assert (folder / "metrics.jsonl").read_bytes() == before
