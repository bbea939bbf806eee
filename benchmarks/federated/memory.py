# SPDX-License-Identifier: Apache-2.0
"""Memory of 1,000 VQC clients: Ray, its hosts and the server, above a process with the task alone.

Proportional set sizes of a fresh process and all that it started, sampled five times a second; the
peak counts. ``flwr run`` beside it, with its daemons.
"""

import subprocess
import sys
import threading
from collections.abc import Callable

import psutil

from benchmarks.federated.setting import Figure, vqc_clients
from benchmarks.federated.vqc import ours, theirs
from cluster.federation_sites import task_maker

CLIENTS, ROUNDS, REPEATS = 1000, 5, 3
TARGET_GB = 1.5
SAMPLE_S = 0.2


def measure() -> list[Figure]:
    many = tuple(_in_fresh_process("ours", CLIENTS) for _ in range(REPEATS))
    few = tuple(_in_fresh_process("ours", 10) for _ in range(REPEATS))
    flower = (_in_fresh_process("theirs", CLIENTS),)
    return [
        Figure(f"memory of {CLIENTS} clients", many, "GB", TARGET_GB, at_most=True),
        Figure("memory of 10 clients", few, "GB"),
        Figure(f"memory of {CLIENTS} clients, flwr run", flower, "GB"),
    ]


def _in_fresh_process(whose: str, clients: int) -> float:
    command = [sys.executable, "-m", "benchmarks.federated.memory", whose, str(clients)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(output.split()[-1])


def grown_gb(whose: str, clients: int) -> float:
    """What the rounds add to this process, which should be a fresh one, at the peak."""
    task_maker(vqc_clients(clients))().initial()
    before = _pss_gb()
    rounds = ours if whose == "ours" else theirs
    return _peak_gb(lambda: rounds(clients, ROUNDS)) - before


def _peak_gb(action: Callable[[], object]) -> float:
    done = threading.Event()
    found = [0.0]

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            found.append(_pss_gb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        action()
    finally:
        done.set()
        watcher.join()
    return max(found)


def _pss_gb() -> float:
    """Of this process and all of its descendants."""
    here = psutil.Process()
    return sum(map(_pss, [here, *here.children(recursive=True)])) / 1e9


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it has just ended
        return 0


if __name__ == "__main__":
    print(grown_gb(sys.argv[1], int(sys.argv[2])))
