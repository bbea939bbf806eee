# SPDX-License-Identifier: Apache-2.0
"""``simulate`` with policies: from a run folder of ``train`` to results."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from cluster.__main__ import main
from cluster.simulation.controllers import Trained, chosen
from cluster.simulation.pilots import load_pilot
from cluster.simulation.trial import trial_key
from sim.errors import InputError
from tests.agents.driving.untrained import untrained

SMALL = (
    "simulate --robots 8 --ticks 40 --worlds 2 --workers 0 --film-ticks 0 "
    "--warehouse.rack-columns 2 --warehouse.rack-rows 2 --warehouse.num-pick-points 6"
).split()
CONFIG = {
    "env": "warehouse-2", "policy": "gru", "match_params": 2000, "grid_encoding": "embedding",
    "mode": "sync",
}  # fmt: skip


def trained_run(folder: Path, command: str = "train", **config: Any) -> Path:
    """As much of a run folder of ``train`` as is read."""
    (folder / "artefacts").mkdir(parents=True)
    manifest = {"command": command, "config": {**CONFIG, **config}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    save_file(dict(untrained().parameters), folder / "artefacts" / "policy.safetensors")
    return folder


def simulated(out: Path, *arguments: str) -> list[dict[str, Any]]:
    """All but what is measured."""
    assert main([*SMALL, *arguments, "--out", str(out)]) == 0
    rows = json.loads((out / "results.json").read_text())
    measured = ("seconds", "decision_ms_mean", "decision_ms_p99", "decision_ms_max")
    return [{k: v for k, v in row.items() if k not in measured} for row in rows]


def test_policies_drive_worlds_from_checkpoint_to_checkpoint(tmp_path: Path) -> None:
    run = trained_run(tmp_path / "trained")
    names = [f"policy:{run}", f"policy:{run}+drawn", f"policy:{run}+pibt"]
    rows = simulated(tmp_path / "one", "--controller", *names)
    assert [row["controller"] for row in rows] == [name for name in names for _ in range(2)]
    plain, _, drawn, _, guided, _ = rows
    assert guided["refused_share"] == 0
    assert max(plain["refused_share"], drawn["refused_share"]) > 0
    manifest = json.loads((tmp_path / "one" / "manifest.json").read_text())
    assert manifest["config"]["policy_digests"] == {str(run): untrained().digest}
    alone = ["--worlds", "1", "--checkpoint-ticks", "7", "--controller", names[2], names[1]]
    assert simulated(tmp_path / "two", *alone) == [guided, drawn]


def test_names_of_policies() -> None:
    assert chosen("policy:a/b+drawn+pibt").policy == Trained("a/b", drawn=True, guided=True)
    assert chosen("policy:a+b").policy == Trained("a+b")
    for wrong in ("policy:", "policy:+pibt", "policy"):
        with pytest.raises(InputError, match="policy: followed by a run of train"):
            chosen(wrong)
    names = ("policy:a/b", "policy:a-b", "policy:a-b+pibt", "policy:a-b-pibt", "pibt")
    assert len({trial_key(chosen(name), [0]) for name in names}) == len(names)
    assert len(trial_key(chosen("policy:" + "long" * 200), [0])) < 100


def test_runs_without_a_usable_policy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        load_pilot(str(tmp_path / "nowhere"))
    other = trained_run(tmp_path / "other", command="compare")
    with pytest.raises(InputError, match="is a run of compare; allowed: one of train"):
        load_pilot(str(other))
    maze = trained_run(tmp_path / "maze", env="MiniGrid-Empty-5x5-v0")
    with pytest.raises(InputError, match="MiniGrid-Empty-5x5-v0; allowed: warehouse-N"):
        load_pilot(str(maze))
    large = trained_run(tmp_path / "large", match_params=3000)
    with pytest.raises(InputError, match="shape of"):
        load_pilot(str(large))
    file = trained_run(tmp_path / "cut") / "artefacts" / "policy.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        load_pilot(str(tmp_path / "cut"))
    file.unlink()
    with pytest.raises(InputError, match="come to its end"):
        load_pilot(str(tmp_path / "cut"))


def test_floors_with_other_robots_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained_run(tmp_path / "trained")
    arguments = ["--gait", "turning", "--controller", f"policy:{run}"]
    assert main([*SMALL, *arguments, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "sliding, 1 ticks per action" in said
    assert "these are turning" in said
    assert not (tmp_path / "out").exists()
