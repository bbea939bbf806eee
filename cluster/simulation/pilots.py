# SPDX-License-Identifier: Apache-2.0
"""Policies for ``simulate``, from the run folders of ``train``."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.out import existing_run
from cluster.simulation.controllers import Chosen
from sim.errors import InputError
from sim.warehouse.rules import Rules

if TYPE_CHECKING:
    from agents.driving.pilot import Pilot

WEIGHTS = "policy.safetensors"


def load_pilots(controllers: Iterable[Chosen], rules: Rules) -> "dict[str, Pilot]":
    """The policies that controllers need, by the runs they are named with.

    Raises:
        InputError: as of ``load_pilot``, or robots move otherwise than in training.
    """
    pilots = {c.policy.run: load_pilot(c.policy.run) for c in controllers if c.policy is not None}
    if pilots:
        from agents.driving.pilot import require_rules

        for pilot in pilots.values():
            require_rules(pilot, rules)
    return pilots


def load_pilot(run: str) -> "Pilot":
    """What a run of ``train`` ended with.

    Args:
        run: its folder, or a name below runs/.

    Raises:
        InputError: there is no such run, it is of another command or not finished, it was trained
            in no warehouse, or its weights are damaged.
    """
    from agents.driving.pilot import Pilot
    from agents.policies.options import CoreName, PolicyOptions

    path = existing_run(run)
    config = _configuration(path)
    raw = config["mode"] == "paper" or config["grid_encoding"] == "raw"
    encoding: Any = "raw" if raw else "embedding"
    options = PolicyOptions(CoreName(config["policy"]), config["match_params"], encoding)
    pilot = Pilot(config["env"], options, _parameters(path / "artefacts" / WEIGHTS))
    pilot.policy()  # refuses parameters that do not fit
    return pilot


def _configuration(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        command, config = manifest["command"], manifest["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path / 'manifest.json'}: is not a manifest") from error
    if command != "train":
        raise InputError(f"policy {path} is a run of {command}; allowed: one of train")
    lacks = {"env", "policy", "match_params", "grid_encoding", "mode"} - set(config)
    if lacks:
        raise InputError(f"{path / 'manifest.json'}: has no {', '.join(sorted(lacks))}")
    return dict(config)


def _parameters(file: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not file.is_file():
        raise InputError(f"policy {file} is missing; let the run of train come to its end")
    try:
        return dict(load(file.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise InputError(f"policy {file} cannot be read ({error})") from error
