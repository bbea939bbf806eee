# SPDX-License-Identifier: Apache-2.0
"""``flwr run .`` on this repository, offline and with an honest exit code: ``make flower-run``.

Flower's command starts a daemon that stays, and ends with 0 whatever becomes of the run. Here the
daemon is ours, on a port of its own, and ends with us; and the status of the run is read.
"""

import socket
import sys
import time
import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cluster.deployment import commands
from cluster.deployment.environment import flower_environment
from cluster.deployment.errors import DeploymentFailed
from cluster.deployment.options import LOOPBACK
from cluster.deployment.processes import Daemon, ending, listens, output_of, wait_until
from cluster.deployment.status import RunStatus, read_status
from cluster.out import run_folder
from cluster.packages import HOME

PORT_ENV_VAR = "FLWR_LOCAL_SUPERLINK_HTTP_API_PORT"
START_S = 60.0
LOOK_S = 0.5


def main(arguments: Sequence[str]) -> int:
    """Run the app with changes to its run config, such as ``rounds=5``; 0 if it completed."""
    folder = run_folder(None, "flower-run", datetime.now()).resolve()
    config = {**read_config(HOME), **dict(map(changed, arguments)), "out": str(folder / "result")}
    try:
        status = flower_run(folder, HOME, config)
    except DeploymentFailed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not status.completed:
        print(f"failed: the run is {status.status}: {status.details}", file=sys.stderr)
    print(folder / "result", flush=True)
    return 0 if status.completed else 1


def flower_run(folder: Path, app: Path, config: dict[str, Any]) -> RunStatus:
    """Run an app on Flower's simulation, one virtual node per client.

    Args:
        folder: for Flower's home, the run config and logs.
        app: folder of the app.
        config: run config, with ``clients``.

    Raises:
        DeploymentFailed: Flower does not start, or says nothing of the run.
    """
    port, home = _free_port(), folder / "flower"
    environment = {**flower_environment(home), PORT_ENV_VAR: str(port)}
    home.mkdir(parents=True)
    (folder / "run.toml").write_text(commands.toml(config), encoding="utf-8")
    nodes = f"num-supernodes={config['clients']} client-resources-num-cpus=1"
    options = ["--run-config", str(folder / "run.toml"), "--federation-config", nodes]
    command = commands.simulation(port, folder / "state.db")
    daemons: list[Daemon] = []
    with ending(daemons):
        link = Daemon("superlink", command, environment, folder / "superlink.log")
        daemons.append(link)
        wait_until(lambda: listens(LOOPBACK, port) or link.look() is not None, START_S)
        if link.look() is not None or not listens(LOOPBACK, port):
            raise DeploymentFailed(f"the SuperLink did not start: {link.last_words()}")
        # Finds our SuperLink on its port; where it found none it would start one that stays.
        run = commands.flwr("run", str(app), *options, "--stream")
        shown = Daemon("flwr run", run, environment, None)
        daemons.append(shown)
        while link.look() is None and shown.look() is None:
            time.sleep(LOOK_S)
        status = read_status(output_of(commands.flwr("ls", "--format", "json"), environment))
    if status is None:
        raise DeploymentFailed(f"Flower has no run; see above and {link.log}")
    return status


def read_config(app: Path) -> dict[str, Any]:
    """The run config of an app, as its pyproject.toml has it; keys in a group are ``group.key``."""
    with (app / "pyproject.toml").open("rb") as file:
        config = tomllib.load(file)["tool"]["flwr"]["app"]["config"]
    found: dict[str, Any] = {}
    for key, value in config.items():
        group = {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {}
        found |= group or {key: value}
    return found


def changed(argument: str) -> tuple[str, Any]:
    """A key of the run config and its value: of TOML, or text without its quotes."""
    key, _, value = argument.partition("=")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
