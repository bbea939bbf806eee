# SPDX-License-Identifier: Apache-2.0
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flwr.common.config import flatten_dict

from cluster.__main__ import main
from cluster.commands.deploy import warnings
from cluster.deployment.app_config import app_config
from cluster.deployment.checks import check_port
from cluster.deployment.commands import toml
from cluster.deployment.options import LOOPBACK, AppOptions, Deploy
from cluster.flower_run import changed, read_config
from cluster.packages import HOME
from cluster.server import read_options
from federated.options import ModelOptions
from sim.errors import InputError


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nodes", "0"], "nodes is 0; allowed: 1 to 32"),
        (["--role", "node", "--node", "2"], "node is 2; allowed: 0 to 1"),
        (["--host", "0.0.0.0"], "host is '0.0.0.0'"),
        (["--port", "0"], "port is 0; allowed: 1 to 65535"),
        (["--rounds", "0"], "rounds is 0"),
        (["--task", "vqc-moon"], "task is 'vqc-moon'"),
        (["--partition", "half"], "partition is 'half'"),
        (["--strategy", "bulyan"], "bulyan needs 3 sites"),
        (["--role", "node"], "ca is None"),
        (["--ca", "ca.crt"], "certificate is None; allowed: with --ca and --key"),
        (["--node-keys", "one"], "allowed: one for each of 2 nodes"),
        (["--insecure", "--ca", "ca.crt"], "insecure is True; allowed: no, with keys"),
        (["--task", "mlp-cancer", "--partition", "classes:3"], "classes"),
    ],
)
def test_bad_input_is_one_line_and_nothing_starts(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("cluster.deployment.federation.Federation.serve", pytest.fail)
    ports = ["--port", "24443", "--node-port", "24494"]
    assert main(["deploy", "--out", str(tmp_path / "run"), *ports, *arguments]) == 2
    written = capsys.readouterr().err
    assert said in written
    assert written.startswith("error: ")
    assert written.count("\n") == 1


def test_a_port_in_use_is_named(taken_port: int) -> None:
    with pytest.raises(InputError, match=rf"port is {taken_port}: .* another process listens"):
        check_port("port", LOOPBACK, taken_port)


def test_a_free_port_is_none_of_our_business(taken_port: int) -> None:
    check_port("port", "127.0.0.2", taken_port)


def test_an_address_of_another_host_cannot_be_listened_at() -> None:
    with pytest.raises(InputError, match=r"cannot listen at 192\.0\.2\.1:24443"):
        check_port("port", "192.0.2.1", 24443)


def test_ports_are_looked_at_before_anything_starts(
    taken_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert main(["deploy", "--out", str(out), "--port", str(taken_port)]) == 2
    assert "another process listens there" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("role", "here"), [("all", [0, 1, 2]), ("server", [])])
def test_a_role_says_which_nodes_are_here(role: str, here: list[int]) -> None:
    assert list(Deploy(role=role, nodes=3).here) == here  # type: ignore[arg-type]


def test_a_host_of_one_node_has_that_node() -> None:
    options = Deploy(role="node", nodes=3, node=2, ca="ca.crt", node_keys=("key",))
    assert list(options.here) == [2]


def test_the_app_may_be_changed_in_all_that_it_reads() -> None:
    """Flower refuses keys that pyproject.toml does not have."""
    declared = read_config(HOME)
    assert declared == {**app_config(AppOptions(), declared["clients"]), "out": ""}


def test_a_run_config_means_the_options_that_it_was_made_from(tmp_path: Path) -> None:
    app = AppOptions(task="mlp-digits", rounds=7, model=ModelOptions(digits=(3, 8)))
    options = read_options({**app_config(app, 3), "out": str(tmp_path)})
    assert (options.task, options.clients, options.rounds) == ("mlp-digits", 3, 7)
    assert (options.model, options.fit, options.server) == (app.model, app.fit, app.server)


def test_a_run_config_survives_its_file() -> None:
    config = {**app_config(AppOptions(), 2), "out": 'a "b" \\ c'}
    assert flatten_dict(tomllib.loads(toml(config))) == config


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("rounds=5", ("rounds", 5)),
        ("server.trim=0.1", ("server.trim", 0.1)),
        ("strategy=fedprox", ("strategy", "fedprox")),
        ("partition=dirichlet:0.3", ("partition", "dirichlet:0.3")),
    ],
)
def test_what_stands_behind_make_flower_run_changes_the_config(
    argument: str, meant: tuple[str, object]
) -> None:
    assert changed(argument) == meant


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Deploy(), []),
        (Deploy(host="localhost"), []),
        (Deploy(insecure=True), ["no TLS"]),
        (Deploy(role="server", host="link.example.org", bind="0.0.0.0"), ["listens at 0.0.0.0"]),
        (Deploy(insecure=True, host="10.0.0.5"), ["no TLS", "listens at 10.0.0.5"]),
        (Deploy(role="node", host="10.0.0.5", ca="ca.crt", node_keys=("key",)), []),
    ],
)
def test_what_is_dangerous_is_said(options: Deploy, said: list[str]) -> None:
    found = warnings(options)
    assert len(found) == len(said)
    assert all(part in warning for part, warning in zip(said, found, strict=True))
