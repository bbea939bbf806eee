# SPDX-License-Identifier: Apache-2.0
"""What the tests of all commands do to a run, and what they compare afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from cluster.packages import HOME


def table(folder: Path) -> list[dict[str, Any]]:
    """The records without the measured seconds."""
    records = json.loads((folder / "results.json").read_text())
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


def run_and_kill(
    arguments: Sequence[str], folder: Path, driver_after: int, worker_after: int | None = None
) -> None:
    """Start a command; kill -9 its workers, then itself, after so many lines of its metrics."""
    command = [sys.executable, "-m", "cluster", *arguments, "--out", str(folder)]
    driver = subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL)
    lines = folder / "metrics.jsonl"

    def written(count: int) -> bool:
        return lines.exists() and lines.read_bytes().count(b"\n") >= count

    try:
        if worker_after is not None:
            wait_until(lambda: written(worker_after))
            for worker in workers_of(driver.pid):
                worker.kill()
        wait_until(lambda: written(driver_after) or driver.poll() is not None)
    finally:
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()


def workers_of(pid: int) -> Iterator[psutil.Process]:
    yield from processes_of(pid, "ray::Worker")


def processes_of(pid: int, title: str) -> Iterator[psutil.Process]:
    """Those below a process that call themselves so."""
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name().startswith(title):
                yield process


def wait_until(holds: Callable[[], bool], limit_s: float = 240) -> None:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
