# SPDX-License-Identifier: Apache-2.0
"""A federation of real processes on this host, and what happens to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cluster.deployment import commands
from cluster.deployment.certificates import ServerFiles, trial_node_key
from cluster.deployment.environment import flower_environment
from cluster.deployment.options import Deploy
from cluster.deployment.processes import Daemon, wait_until
from cluster.flower_run import main as flower_run
from cluster.packages import HOME

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PORT, NODE_PORT = 21443, 21494
ROUNDS = 3
LONG_S = 300.0


@dataclass(frozen=True)
class Story:
    """What has happened: exit code, what was said, the run folder, and the stranger's end."""

    code: int
    said: str
    out: Path
    stranger: str


class Deployment:
    """``deploy`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.out, self.log = folder / "run", folder / "log"
        ports = ["--port", str(PORT), "--node-port", str(NODE_PORT)]
        task = ["--task", "logistic-cancer", "--rounds", str(ROUNDS), "--seed", "3"]
        command = [sys.executable, "-m", "cluster", "deploy", "--out", str(self.out)]
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, *ports, *task], cwd=HOME, stdout=file, stderr=subprocess.STDOUT
            )

    def rounds(self) -> list[str]:
        journal = self.out / "result" / "metrics.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [json.loads(line)["key"] for line in lines]

    def wait_for_rounds(self, count: int) -> None:
        ready = lambda: len(self.rounds()) >= count or self.process.poll() is not None  # noqa: E731
        assert wait_until(ready, LONG_S), self.log.read_text()
        assert self.process.poll() is None, self.log.read_text()

    def kill(self, *words: str) -> None:
        """``kill -9`` of the one process of ours whose command has all the words."""
        ours = psutil.Process(self.process.pid).children()
        (found,) = (p for p in ours if all(word in " ".join(p.cmdline()) for word in words))
        os.kill(found.pid, signal.SIGKILL)


def refused(out: Path) -> str:
    """The last words of a node that has a good certificate, and a key that nobody registered."""
    private = out / "deployment"
    loop = private / "loopback"
    own = ServerFiles(loop / "ca.crt", loop / "server.pem", loop / "server.key")
    key = trial_node_key(out.parent / "stranger", 0).private
    options = Deploy(port=PORT, node_port=NODE_PORT + 10)
    command = commands.supernode(options, 0, private / "tls" / "ca.crt", key, own)
    environment = flower_environment(out.parent / "stranger")
    stranger = Daemon("stranger", command, environment, out.parent / "stranger.log")
    try:
        assert wait_until(lambda: stranger.look() is not None, LONG_S)
        return stranger.last_words()
    finally:
        stranger.end()


def left_over(out: Path) -> list[str]:
    """Commands of processes of Flower that still have to do with a run folder or its ports."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if "flwr" in command or "flower-" in command:
            found.append(command)
    return [one for one in found if str(out) in one or str(PORT) in one or str(NODE_PORT) in one]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    deployment = Deployment(tmp_path_factory.mktemp("deploy"))
    try:
        deployment.wait_for_rounds(1)
        deployment.kill("flower-supernode", "partition-id=0")
        stranger = refused(deployment.out)
        deployment.wait_for_rounds(2)
        deployment.kill("flower-superlink")
        code = deployment.process.wait(LONG_S)
        yield Story(code, deployment.log.read_text(), deployment.out, stranger)
    finally:
        deployment.process.terminate()
        deployment.process.wait(60)


def test_two_nodes_train_three_rounds(story: Story) -> None:
    assert story.code == 0, story.said
    assert story.said.rstrip().endswith(str(story.out / "result"))
    results = json.loads((story.out / "result" / "results.json").read_text())
    assert results[0]["regime"] == "federated"
    assert results[0]["accuracy"] > 0.9
    assert (story.out / "result" / "report.html").exists()


def test_a_node_that_is_killed_comes_back(story: Story) -> None:
    """At once: a SuperLink that was not told would turn it away, and it would die again."""
    assert "node-0 died: SIGKILL" in story.said
    assert story.said.count("node-0 died") == story.said.count("node-0 started again") == 1
    lines = (story.out / "result" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line)["record"] for line in lines]
    assert (records[0]["replies"], records[-1]["replies"]) == (2, 2)


def test_a_server_that_is_killed_goes_on_after_its_last_round(story: Story) -> None:
    assert "superlink died: SIGKILL" in story.said
    assert story.said.count("submitted") == 2
    lines = (story.out / "result" / "metrics.jsonl").read_text().splitlines()
    keys = [json.loads(line)["key"] for line in lines]
    assert keys == [f"round-{number:04d}" for number in range(1, ROUNDS + 1)]


def test_an_unregistered_node_is_refused(story: Story) -> None:
    assert "Failed to initialize the connection" in story.stranger
    assert "Failed to activate SuperNode" in story.stranger


def test_messages_are_nobody_elses_business(story: Story) -> None:
    private = story.out / "deployment"
    assert private.stat().st_mode & 0o077 == 0
    assert (private / "state.db").exists()


def test_no_process_is_left(story: Story) -> None:
    assert left_over(story.out) == []


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        (["rounds=1"], 0, "2/2 replies"),
        (["partition=natural"], 1, "failed: the run is finished:failed"),
    ],
)
def test_flwr_run_has_an_honest_exit_code(
    changes: list[str],
    code: int,
    said: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)  # run folders are made below runs/ here
    assert flower_run(["task=logistic-cancer", "clients=2", *changes]) == code
    written = capfd.readouterr()
    assert said in written.out + written.err
