# SPDX-License-Identifier: Apache-2.0
"""Flower's ServerApp without Flower's engines: the same rounds, by a server that sees no data."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flwr.app import Context, Message, RecordDict
from flwr.common.config import flatten_dict
from flwr.serverapp import Grid

from cluster.__main__ import main as command
from cluster.packages import HOME
from cluster.server import app, read_options, serve
from federated.client import app as client_app
from federated.flower import identity
from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.numbered import NumberedGrid
from federated.options import FitOptions, ModelOptions
from federated.run_config import RunConfig
from federated.strategy_options import StrategyOptions
from sim.errors import InputError

CLIENTS = 3
FIELDS = ("regime", "site", "train_samples", "test_samples", "loss", "accuracy")


def declared() -> dict[str, Any]:
    """The run config of this repository's app."""
    project = tomllib.loads((HOME / "pyproject.toml").read_text())
    return dict(flatten_dict(project["tool"]["flwr"]["app"]["config"]))


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    small = {
        "task": "mlp-cancer",
        "clients": CLIENTS,
        "rounds": 3,
        "strategy": "fedadam",
        "model.features": 2,
        "model.layers": 1,
        "fit.local-epochs": 1,
        "fit.batch": 64,
        "out": str(folder),
    }
    return {**declared(), **small, **changes}


@contextmanager
def grid(run_config: RunConfig) -> Iterator[Grid]:
    """Nodes with the ClientApp, each of which knows its site and the run config."""
    answer = one_by_one(client_app)

    def answers(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        for context in contexts:
            context.run_config = dict(run_config)
        return answer(messages, contexts)

    with identity(run_id=1):
        yield NumberedGrid(SiteGrid(LocalSites(answers, CLIENTS)), CLIENTS)


def served(run_config: RunConfig) -> Path:
    with grid(run_config) as nodes:
        return serve(read_options(run_config), nodes)


def flags(run_config: RunConfig) -> list[str]:
    """The command line of ``federate`` that means the same."""
    found = []
    for name, value in run_config.items():
        if not isinstance(value, bool) and value != "":
            found += [f"--{name}", *str(value).split()]
    return found


def model(folder: Path) -> bytes:
    return (folder / "artefacts" / "model.safetensors").read_bytes()


def rounds_of(folder: Path) -> list[dict[str, Any]]:
    rows = json.loads((folder / "artefacts" / "rounds.json").read_text())["rows"]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_the_server_does_the_rounds_of_federate_and_reports_what_it_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = served(config(tmp_path / "server"))
    assert report == tmp_path / "server" / "report.html"
    assert report.stat().st_size > 10_000
    assert "3/3 replies" in capsys.readouterr().out
    same = flags(config(tmp_path / "command"))
    assert command(["federate", *same, "--workers", "0", "--no-regimes"]) == 0
    assert model(tmp_path / "server") == model(tmp_path / "command")
    assert rounds_of(tmp_path / "server") == rounds_of(tmp_path / "command")
    kept = {path.name for path in (tmp_path / "server" / "artefacts").iterdir()}
    assert kept == {"checkpoint.npz", "model.safetensors", "rounds.json"}
    rows = json.loads((tmp_path / "server" / "results.json").read_text())
    assert [tuple(row) for row in rows] == [FIELDS] * (1 + CLIENTS)
    assert [(row["regime"], row["site"]) for row in rows] == [
        ("federated", site) for site in (None, *range(CLIENTS))
    ]
    assert {row["train_samples"] for row in rows} == {None}
    last = rounds_of(tmp_path / "server")[-1]
    assert rows[0]["accuracy"] == pytest.approx(last["test_accuracy"])
    # What the sites say of the model is what the command finds out with their data.
    known = json.loads((tmp_path / "command" / "results.json").read_text())
    measured = [row for row in known if row["regime"] == "federated"]
    for row, other in zip(rows, measured, strict=True):
        assert row["test_samples"] == other["test_samples"]
        assert row["loss"] == pytest.approx(other["loss"])
        assert row["accuracy"] == pytest.approx(other["accuracy"])


def test_a_server_that_is_started_again_goes_on(tmp_path: Path) -> None:
    served(config(tmp_path / "parts", rounds=1))
    served(config(tmp_path / "parts"))
    served(config(tmp_path / "straight"))
    assert model(tmp_path / "parts") == model(tmp_path / "straight")
    assert rounds_of(tmp_path / "parts") == rounds_of(tmp_path / "straight")


def test_the_app_is_that_server(tmp_path: Path) -> None:
    run_config = config(tmp_path / "run", rounds=1)
    context = Context(1, 1, {}, RecordDict(), dict(run_config))
    with grid(run_config) as nodes:
        app(nodes, context)
    assert len(rounds_of(tmp_path / "run")) == 1


def test_without_judgement_there_is_a_report_all_the_same(tmp_path: Path) -> None:
    run_config = config(tmp_path / "run", rounds=1, evaluate=False)
    assert served(run_config).is_file()
    (row,) = rounds_of(tmp_path / "run")
    assert (row["sites"], row["test_loss"]) == ([], None)
    rows = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [(row["site"], row["loss"]) for row in rows] == [(None, None)]


# The run config


def test_the_declared_run_config_means_the_defaults(tmp_path: Path) -> None:
    options = read_options({**declared(), "out": str(tmp_path)})
    assert options.server == StrategyOptions()
    assert options.fit == FitOptions()
    assert options.model == ModelOptions()
    assert options.out == str(tmp_path)
    assert not options.regimes


def test_values_become_flags(tmp_path: Path) -> None:
    changes = {
        "task": "vqc-digits",
        "model.digits": "3 8",
        "evaluate": False,
        "server.clip-norm": 0.5,
        "server.noise-multiplier": 0.1,
        "server.adaptive-clipping": True,
        "fit.learning-rate": 0.25,
        "fit.optimizer": "sgd",
    }
    options = read_options(config(tmp_path, **changes))
    assert options.model.digits == (3, 8)
    assert options.evaluate is False
    assert options.server.clip_norm == 0.5
    assert options.server.adaptive_clipping is True
    assert (options.fit.learning_rate, options.fit.optimizer) == (0.25, "sgd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"out": ""}, "out is None; needed: the absolute path of a run folder"),
        ({"out": "somewhere"}, "out is 'somewhere'; needed: the absolute path"),
        ({"task": "vqc-mnist"}, "task is 'vqc-mnist'; allowed: vqc-digits"),
        ({"strategy": "fedsgd"}, "the run config is not usable"),
        ({"rounds": "many"}, "the run config is not usable"),
        ({"colour": "red"}, "the run config is not usable"),
        ({"rounds": 0}, "rounds is 0; allowed: 1 or more"),
        ({"server.quorum": 4}, "quorum is 4; allowed: at most 3, who are asked"),
        ({"fit.batch": 2.5}, "the run config is not usable"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as told:
        read_options(config(tmp_path / "run", **changes))
    assert message in str(told.value)
    assert not (tmp_path / "run").exists()


def test_samples_that_do_not_suffice_leave_no_run_behind(tmp_path: Path) -> None:
    run_config = config(tmp_path / "run", clients=9999)
    with pytest.raises(InputError, match="sites is 9999"):
        served(run_config)
    assert not (tmp_path / "run").exists()
