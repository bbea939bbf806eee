# SPDX-License-Identifier: Apache-2.0
"""The whole command ``compare``, from arguments to report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.policies.options import CoreName
from cluster.__main__ import main, parse
from cluster.comparison import (
    CURVE_POINTS,
    final_records,
    learning_curve,
    make_trial,
    make_trivial_trial,
)
from cluster.comparison_options import Compare
from tests.cluster.killing import run_and_kill, table

SMALL = (
    "compare --envs identity-3 bandit-2 --policies qfwp_gated,mlp --seeds 2 --steps 1500 "
    "--episodes 32 --groups 1 --lanes 16 --unroll-steps 16 --minibatches 2"
).split()
TRIALS = 2 * (1 + 2 * 2)
TIMES = ("seconds", "steps_per_s")


def numbers(folder: Path) -> list[dict[str, Any]]:
    """The results but for what the machine decides."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in table(folder)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    return folder


def test_every_training_and_every_player_has_a_row(undisturbed: Path) -> None:
    assert len((undisturbed / "metrics.jsonl").read_text().splitlines()) == TRIALS
    records = table(undisturbed)
    runs = [(r["env"], r["policy"], r["seed"]) for r in records if r["kind"] == "run"]
    assert runs == [
        (env, policy, seed)
        for env in ("identity-3", "bandit-2")
        for seed in (0, 1)
        for policy in ("qfwp_gated", "mlp")
    ]
    trivial = [(r["env"], r["policy"]) for r in records if r["kind"] == "trivial"]
    assert trivial == [
        (env, kind)
        for env in ("identity-3", "bandit-2")
        for kind in ("random", "constant", "optimum")
    ]
    assert (undisturbed / "report.html").stat().st_size > 10_000


def test_a_bandit_is_learnt_and_judged_on_new_episodes(undisturbed: Path) -> None:
    rows = {(r["env"], r["policy"], r.get("seed")): r for r in table(undisturbed)}
    for policy in ("qfwp_gated", "mlp"):
        found = rows["bandit-2", policy, 0]
        assert found["greedy_return"] > 0.8  # the better arm pays with probability 0.9
        assert found["steps"] >= 1500
        assert found["episodes"] == 32
        assert not found["diverged"]
    assert rows["bandit-2", "random", None]["low"] < 0.5 < rows["bandit-2", "random", None]["high"]


def test_opponents_are_as_large_as_each_other(undisturbed: Path) -> None:
    rows = [r for r in table(undisturbed) if r["kind"] == "run" and r["env"] == "identity-3"]
    sizes = {r["policy"]: r["parameters"] for r in rows}
    assert abs(sizes["mlp"] / sizes["qfwp_gated"] - 1) < 0.1


def test_curves_belong_to_the_trainings(undisturbed: Path) -> None:
    rows = json.loads((undisturbed / "artefacts" / "curves.json").read_text())["rows"]
    assert len(rows) == TRIALS - 2
    for row in rows:
        assert len(row["steps"]) == len(row["returns"]) == CURVE_POINTS
        known = [value for value in row["returns"] if value is not None]
        if row["env"] == "bandit-2":
            assert known[-1] > known[0]


@pytest.mark.ray
def test_workers_do_not_change_a_number(
    undisturbed: Path, tmp_path: Path, ray_instance: None
) -> None:
    del ray_instance
    assert main([*SMALL, "--workers", "2", "--out", str(tmp_path / "run")]) == 0
    assert numbers(tmp_path / "run") == numbers(undisturbed)


def test_a_killed_run_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_and_kill([*SMALL, "--workers", "0"], folder, driver_after=3)
    assert main([*SMALL, "--workers", "0", "--out", str(folder)]) == 0
    assert numbers(folder) == numbers(undisturbed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--envs MiniGrid-Memory7-v0", "MiniGrid-MemoryS7-v0"),
        ("--envs Pendulum-v1", "actions"),
        ("--policies qfwp,transformer", "policies is 'transformer'; allowed: qfwp"),
        ("--seeds 0", "seeds is 0"),
        ("--envs bandit-2 --engine compiled", "MiniGrid-Empty-5x5-v0"),
        ("--discount 2", "discount is 2"),
        ("--steps 0", "steps is 0"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["compare", *arguments.split(), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_training_that_failed_keeps_its_row() -> None:
    options = parse(SMALL)
    assert isinstance(options, Compare)
    setup = options.setup("bandit-2", CoreName.MLP, 0)
    trials = [make_trivial_trial("bandit-2", 8, "auto"), make_trial(setup, 4, 8)]
    (record,) = final_records(trials, {})
    assert (record["policy"], record["seed"], record["greedy_return"]) == ("mlp", 4, None)


def test_a_learning_curve_is_the_mean_of_what_ended_in_each_stretch() -> None:
    steps, returns = np.array([10, 20, 990, 1010]), np.array([1.0, 3.0, 5.0, 7.0])
    curve = learning_curve(steps, returns, most=1000)
    assert curve["steps"][[0, -1]].tolist() == [20, 1000]
    assert curve["returns"][0] == 2
    assert curve["returns"][-1] == 6  # the last update may end beyond the steps
    assert np.isnan(curve["returns"][1:-1]).all()
