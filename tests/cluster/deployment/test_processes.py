# SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cluster.deployment.environment import flower_environment
from cluster.deployment.errors import DeploymentFailed
from cluster.deployment.keeping import Kept
from cluster.deployment.processes import Daemon, ending, output_of, reason, wait_until
from cluster.deployment.restarts import MOST_DEATHS, WITHIN_S, pause_s

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                         start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def start(command: list[str], folder: Path) -> Daemon:
    return Daemon("one", command, os.environ, folder / "one.log")


def child_of(daemon: Daemon) -> psutil.Process:
    assert daemon.log is not None
    log = daemon.log
    assert wait_until(lambda: bool(log.read_text().strip()), 20)
    return psutil.Process(int(log.read_text()))


def test_a_daemon_takes_its_children_along(tmp_path: Path) -> None:
    """Also those that began a session of their own, as Flower's do."""
    daemon = start([sys.executable, "-c", PARENT], tmp_path)
    child = child_of(daemon)
    daemon.end()
    assert daemon.look() is not None
    assert not child.is_running()


def test_children_of_a_daemon_that_was_killed_are_ended_too(tmp_path: Path) -> None:
    daemon = start([sys.executable, "-c", PARENT], tmp_path)
    child = child_of(daemon)
    daemon.look()
    os.kill(daemon.pid, signal.SIGKILL)
    assert wait_until(lambda: daemon.look() is not None, 20)
    assert "SIGKILL" in daemon.last_words()
    assert child.is_running()
    daemon.end()
    assert not child.is_running()


def test_sigterm_is_like_ctrl_c_and_ends_all(tmp_path: Path) -> None:
    daemons: list[Daemon] = []

    def be_told_to_end() -> None:
        with ending(daemons):
            daemons.append(start(SLEEP, tmp_path))
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        be_told_to_end()
    assert daemons[0].look() is not None
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a death")
def test_nothing_outlives_us_even_when_we_are_killed(tmp_path: Path) -> None:
    ours = f"""
import os, sys, time
from pathlib import Path
from cluster.deployment.processes import Daemon
daemon = Daemon("one", {SLEEP!r}, os.environ, Path({str(tmp_path / "log")!r}))
print(daemon.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", ours], stdout=subprocess.PIPE, text=True) as us:
        assert us.stdout is not None
        orphan = psutil.Process(int(us.stdout.readline()))
        us.kill()
    assert wait_until(lambda: not orphan.is_running() or orphan.status() == "zombie", 20)


def test_why_a_process_ended() -> None:
    log = "\x1b[91mERROR\x1b[0m: Exit Code: 305\nFailed to start.\n[code: 2004] Unknown.\n\nBye\n"
    assert reason(log) == "Failed to start. [code: 2004] Unknown."
    assert reason("one\ntwo\n\n") == "two"
    assert reason("") == "it said nothing"


def test_a_daemon_that_dies_is_started_again_after_a_pause(tmp_path: Path) -> None:
    said: list[str] = []
    daemons: list[Daemon] = []
    dead: list[Daemon] = []
    kept = Kept(lambda: start(SLEEP, tmp_path), dead.append, said.append, daemons)
    with ending(daemons):
        first = kept.daemon
        assert not kept.look(0.0)
        os.kill(first.pid, signal.SIGKILL)
        assert wait_until(lambda: first.look() is not None, 20)
        assert not kept.look(10.0)
        assert not kept.alive
        assert dead == [first]
        assert not kept.look(12.9)
        assert kept.look(13.1)
        assert kept.alive
        assert kept.daemon is not first
        assert daemons == [kept.daemon]
    assert "SIGKILL" in said[0]
    assert said[1] == "one started again"


def test_a_daemon_that_dies_all_the_time_is_given_up(tmp_path: Path) -> None:
    daemons: list[Daemon] = []
    command = [sys.executable, "-c", "print('no such thing')"]
    kept = Kept(lambda: start(command, tmp_path), lambda _: None, lambda _: None, daemons)

    def live_and_die() -> None:
        for now_s in range(1000):
            time.sleep(0.05)
            kept.look(float(now_s))

    with pytest.raises(DeploymentFailed, match="one dies all the time: no such thing"):
        live_and_die()


def test_pauses_grow_and_end() -> None:
    pauses = [pause_s([0.0] * deaths, 0.0) for deaths in range(1, MOST_DEATHS + 1)]
    assert pauses == [3.0, 6.0, 12.0, 24.0, 48.0, None]


def test_deaths_of_long_ago_are_forgotten() -> None:
    assert pause_s([0.0] * 20 + [WITHIN_S], WITHIN_S) == 3.0


def test_what_a_command_says(tmp_path: Path) -> None:
    environment = flower_environment(tmp_path)
    assert output_of([sys.executable, "-c", "print(1)"], environment) == "1\n"
    assert "sorry" in output_of([sys.executable, "-c", "raise SystemExit('sorry')"], environment)


def test_flower_neither_calls_home_nor_installs_anything(tmp_path: Path) -> None:
    environment = flower_environment(tmp_path / "home")
    assert environment["FLWR_TELEMETRY_ENABLED"] == "0"
    assert environment["FLWR_DISABLE_UPDATE_CHECK"] == "1"
    assert environment["FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION"] == "1"
    assert environment["FLWR_LOG_LEVEL"] == "INFO"  # take_offline reads what nodes log
    assert environment["FLWR_HOME"] == str(tmp_path / "home")
