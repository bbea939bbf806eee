# SPDX-License-Identifier: Apache-2.0
"""``federate`` with a policy, from arguments to report: returns are what is spoken of."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.__main__ import main
from federated import worlds

COMMAND = (
    "federate --task mlp-gridworld --clients 2 --partition natural --fit.local-epochs 1"
).split()
REGIMES = ("trivial", "local", "local_elsewhere", "federated", "centralised")


def run(folder: Path, rounds: int, *more: str) -> int:
    return main([*COMMAND, "--rounds", str(rounds), "--out", str(folder), *more])


def content(folder: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """The model, and the rounds without their seconds, which are measured."""
    artefacts = folder / "artefacts"
    rows = json.loads((artefacts / "rounds.json").read_text())["rows"]
    kept = [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
    return (artefacts / "model.safetensors").read_bytes(), kept


def test_a_run_tells_returns_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "LANES", 4)
    assert run(tmp_path / "whole", 2, "--workers", "0") == 0
    told = capsys.readouterr().out
    assert " return " in told
    assert "accuracy" not in told
    assert "loss" not in told
    results = json.loads((tmp_path / "whole" / "results.json").read_text())
    assert [row["regime"] for row in results if row["site"] is None] == list(REGIMES)
    for row in results:
        assert -1 <= row["loss"] <= 0
        assert row["accuracy"] is None
    page = (tmp_path / "whole" / "report.html").read_text()
    assert "Test return by round" in page
    assert "environments, training and test part together" in page
    assert "Empty-5x5" in page
    for wrong in ("Test loss", "Test accuracy", "test samples", "most frequent class"):
        assert wrong not in page
    parts = tmp_path / "parts"
    for rounds in (1, 2):
        assert run(parts, rounds, "--workers", "0", "--no-regimes") == 0
    assert content(parts) == content(tmp_path / "whole")


@pytest.mark.slow
def test_hosts_on_ray_do_not_change_a_bit(tmp_path: Path) -> None:
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        assert run(folder, 1, "--no-regimes", "--no-evaluate", "--workers", str(workers)) == 0
    assert content(tmp_path / "0") == content(tmp_path / "2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--new-sites 2", "new_sites is 2; allowed: 0 for this task"),
        (
            "--privacy.clip-norm 1 --privacy.noise-multiplier 1",
            "privacy.clip_norm is 1.0; allowed: none for mlp-gridworld",
        ),
        ("--privacy.gate warn", "privacy.gate is 'warn'; allowed: off for mlp-gridworld"),
    ],
)
def test_what_needs_samples_is_refused(
    arguments: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", 1, *arguments.split()) == 2
    assert message in capsys.readouterr().err
