# SPDX-License-Identifier: Apache-2.0
import json
import tomllib
from pathlib import Path

import pytest

from cluster.deployment import commands
from cluster.deployment.certificates import (
    ServerFiles,
    trial_certificates,
    trial_node_key,
)
from cluster.deployment.errors import DeploymentFailed
from cluster.deployment.flower_node import take_offline
from cluster.deployment.options import Deploy
from cluster.deployment.status import (
    RunStatus,
    check_registered,
    online_nodes,
    read_run_id,
    read_status,
)

FILES = ServerFiles(Path("ca.crt"), Path("server.pem"), Path("server.key"))
DATABASE = Path("state.db")


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_the_superlink_demands_tls_and_keys_and_has_a_database() -> None:
    command = commands.superlink(Deploy(port=19443), DATABASE, FILES)
    assert "--insecure" not in command
    assert "--enable-supernode-auth" in command
    assert value(command, "--ssl-keyfile") == "server.key"
    assert value(command, "--database") == "state.db"
    assert (value(command, "--host"), value(command, "--port")) == ("127.0.0.1", "19443")


def test_a_supernode_shows_its_key_and_trusts_one_authority() -> None:
    command = commands.supernode(Deploy(nodes=3), 2, Path("ca.crt"), Path("node-2"), FILES)
    assert "--insecure" not in command
    assert value(command, "--root-certificates") == "ca.crt"
    assert value(command, "--auth-supernode-private-key") == "node-2"
    assert value(command, "--node-config") == "partition-id=2 num-partitions=3"
    assert value(command, "--port") == "9496"


def test_cleartext_is_there_only_when_asked_for() -> None:
    options = Deploy(insecure=True)
    assert "--insecure" in commands.superlink(options, DATABASE, None)
    assert "--insecure" in commands.supernode(options, 0, None, None, None)


def test_where_the_command_line_finds_the_superlink(tmp_path: Path) -> None:
    options = Deploy(host="link.example.org", port=19443)
    found = tomllib.loads(commands.connection(options, tmp_path / "ca.crt"))["superlink"]
    assert found[found["default"]] == {
        "address": "link.example.org:19443",
        "root-certificates": str(tmp_path / "ca.crt"),
    }
    found = tomllib.loads(commands.connection(options, None))["superlink"]
    assert found[found["default"]]["insecure"] is True


def listed(status: str, details: str = "N/A") -> str:
    run = {"run-id": "7", "status": status, "status-details": details}
    return "Using SuperLink\n" + json.dumps({"success": True, "runs": [run]})


@pytest.mark.parametrize(
    ("status", "finished", "completed"),
    [
        ("pending", False, False),
        ("running", False, False),
        ("finished:completed", True, True),
        ("finished:failed", True, False),
        ("finished:stopped", True, False),
    ],
)
def test_how_a_run_ended(status: str, finished: bool, completed: bool) -> None:
    read = read_status(listed(status, "because"))
    assert read == RunStatus("7", status, "because")
    assert (read.finished, read.completed) == (finished, completed)


@pytest.mark.parametrize("text", ["", "Connection unavailable {", '{"runs": []}', "[1]"])
def test_no_answer_is_no_status(text: str) -> None:
    assert read_status(text) is None


def test_a_run_that_was_taken_has_a_number() -> None:
    assert read_run_id('note\n{"success": true, "run-id": "42"}') == "42"


def test_a_run_that_was_refused_says_why() -> None:
    refusal = json.dumps({"success": False, "error-message": "Using it\n\nBad FAB."})
    with pytest.raises(DeploymentFailed, match=r"refused the run: Bad FAB\.$"):
        read_run_id(refusal)
    with pytest.raises(DeploymentFailed, match="no answer"):
        read_run_id("")


def test_a_key_may_be_known_already() -> None:
    check_registered('{"success": true, "node-id": 1}')
    known = {"success": False, "error-message": "[code: 23] Public key already in use."}
    check_registered(json.dumps(known))
    with pytest.raises(DeploymentFailed, match="refused the key of a node: No room"):
        check_registered('{"success": false, "error-message": "No room"}')


def test_nodes_that_are_online_are_counted() -> None:
    nodes = [{"status": "online"}, {"status": "offline"}, {"status": "online"}]
    assert online_nodes(json.dumps({"nodes": nodes})) == 2
    assert online_nodes("nothing") == 0


def test_a_dead_node_that_nobody_can_be_told_of(tmp_path: Path) -> None:
    ca = trial_certificates(tmp_path, ["127.0.0.1"]).ca
    key, log = trial_node_key(tmp_path, 0).private, tmp_path / "log"
    log.write_text("INFO: Starting Flower SuperNode")
    assert not take_offline("127.0.0.1:9", ca, key, log)  # it never had a number
    log.write_text("INFO: SuperNode ID: 3901713771111085658")
    assert not take_offline("127.0.0.1:9", ca, key, log)  # nobody listens
