# SPDX-License-Identifier: Apache-2.0
"""The weights in the repository: what their card says, and that they lead fleets."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.coordination.weights import notes
from cluster.__main__ import main, parse
from cluster.coordinators import SHIPPED, LearnedName, coordinator_of, load_weights
from cluster.options import TrainCoordinator
from sim.certificate import certify
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.interface import Budget
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind
from sim.schedule import Objective, evaluate

CARD = json.loads(SHIPPED.with_name("model_card.json").read_text())
MEAN = Objective.MEAN_TRAVEL


def test_the_card_is_about_these_weights() -> None:
    assert notes(SHIPPED)["digest"] == CARD["digest"]
    assert notes(SHIPPED)["command"] == CARD["command"]
    assert SHIPPED.stat().st_size < 1_000_000
    assert not CARD["dirty"]
    assert len(CARD["commit"]) == 40


def test_the_command_of_the_card_is_one_that_runs() -> None:
    options = parse(CARD["command"].split()[3:])
    assert isinstance(options, TrainCoordinator)
    assert options.labels == tuple(source["labels"] for source in CARD["data"]["sources"])
    assert not any(Path(name).is_absolute() for name in options.labels)


@pytest.mark.parametrize("name", list(LearnedName))
def test_they_lead_fleets_better_than_first_come_first_served(name: LearnedName) -> None:
    coordinator, gains = coordinator_of(name, load_weights(None)), []
    for seed in range(3):
        options = FamilyOptions(robots=(30, 30), goals=(1, 1))
        rng = np.random.default_rng([7, seed])
        graph = draw_instance(FloorKind.WAREHOUSE, options, rng).graph
        found = coordinator(graph, Budget(steps=40), MEAN, rng).assignment
        assert certify(graph, found).valid
        floor_s = evaluate(graph, serve_by_arrival(graph)).cost_s(MEAN)
        gains.append(floor_s - evaluate(graph, found).cost_s(MEAN))
    assert min(gains) >= 0
    assert max(gains) > 0


def test_coordinate_finds_them_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "coordinate --map generate --robots 8 --instances 1 --workers 0 --steps 5"
    names = ["--coordinators", "gnn_vae,gnn_vae+ls", "--out", str(tmp_path / "run")]
    assert main([*command.split(), *names]) == 0
    assert "gnn_vae+ls" in capsys.readouterr().out
