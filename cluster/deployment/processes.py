# SPDX-License-Identifier: Apache-2.0
"""Processes that we start, watch, and end with everything that they started."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import psutil

from cluster.deployment.errors import DeploymentFailed

GRACE_S = 5.0
"""Time to say goodbye before a process is killed."""
ANSWER_S = 120.0
"""For a command line that takes seconds, and more on a loaded machine."""
CONNECT_S = 1.0
PR_SET_PDEATHSIG = 1
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Daemon:
    """A process with a log file, and all of its descendants.

    Args:
        name: how people call it.
        command: what to start; it ends with this process, even if that is killed.
        environment: of the process.
        log: where its output goes, after what is there; None shows it to whoever runs us.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.name = name
        self.log = log
        self._family: dict[int, psutil.Process] = {}
        with nullcontext() if log is None else log.open("ab") as file:
            # A session of its own: Ctrl-C is for us, and we end things in order.
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_us(),  # noqa: PLW1509 - one call of libc, safe enough
            )
        self._self = psutil.Process(self._process.pid)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def look(self) -> int | None:
        """Its exit status, None while it runs; notes what it has started so far."""
        status = self._process.poll()
        if status is None:
            try:
                found = self._self.children(recursive=True)
            except psutil.Error:
                found = []
            self._family |= {one.pid: one for one in found}
        return status

    def end(self) -> None:
        """End it, and whatever it started that is still there."""
        if self.look() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _end(list(self._family.values()))

    def last_words(self) -> str:
        """Why it ended, as far as that is known, and where its log is."""
        status = self._process.poll()
        if status is not None and status < 0:
            return f"{signal.Signals(-status).name} (see {self.log})"
        text = "" if self.log is None else self.log.read_text(encoding="utf-8", errors="replace")
        return f"{reason(text)} (see {self.log})"


def reason(text: str) -> str:
    """Why a process ended, by its log: what follows Flower's last exit code, else the last line."""
    lines = [line.strip() for line in COLOUR.sub("", text).splitlines() if line.strip()]
    codes = [at for at, line in enumerate(lines) if "Exit Code:" in line]
    told = lines[codes[-1] + 1 : codes[-1] + 3] if codes else lines[-1:]
    return " ".join(told) or "it said nothing"


@contextmanager
def ending(daemons: Sequence[Daemon]) -> Iterator[None]:
    """Whatever happens in the block, the daemons that are in the list then are ended.

    SIGTERM is like Ctrl-C inside; both are ignored while the daemons end.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for daemon in reversed(daemons):
            daemon.end()
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)


def output_of(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a command that ends by itself says: its output, or else its errors.

    Raises:
        DeploymentFailed: it does not end in time.
    """
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_S,
        )
    except subprocess.TimeoutExpired as late:
        raise DeploymentFailed(f"no answer in {ANSWER_S:g} s from: {' '.join(command)}") from late
    return done.stdout or done.stderr


def listens(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError:
        return False
    return True


def wait_until(ready: Callable[[], bool], limit_s: float, pause_s: float = 0.2) -> bool:
    """Whether something became true in time."""
    end_s = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > end_s:
            return False
        time.sleep(pause_s)
    return True


def _end(processes: Sequence[psutil.Process]) -> None:
    """psutil looks at the time of their start, so a number that was given again is no danger."""
    for one in processes:
        _tell(one.terminate)
    _, stubborn = psutil.wait_procs(processes, GRACE_S)
    for one in stubborn:
        _tell(one.kill)
    psutil.wait_procs(stubborn, GRACE_S)


def _tell(what: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        what()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _die_with_us() -> Callable[[], None] | None:
    """On Linux the kernel ends the process when ours is gone; elsewhere only we do."""
    if sys.platform != "linux":
        return None
    libc, us = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != us:
            os._exit(1)

    return ask
