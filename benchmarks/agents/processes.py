# SPDX-License-Identifier: Apache-2.0
"""What the processes of a training on Ray have used of the machine, and had to wait for."""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ACTOR, LEARNER, DRIVER = "ActorHost", "LearnerHost", "driver"


@dataclass(frozen=True)
class Used:
    """Seconds so far.

    Args:
        clock_s: on the wall.
        cpu_s: of all processes of a kind.
        wanted_s: of the main threads of all actors: running, or able to and without a core. None
            where the system does not tell (Linux does).
    """

    clock_s: float
    cpu_s: dict[str, float]
    wanted_s: float | None


def used() -> Used:
    """By this process and the hosts that it has on a Ray of its own."""
    cpu_s = {ACTOR: 0.0, LEARNER: 0.0, DRIVER: time.process_time()}
    wanted_s: float | None = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            title, times = "".join(process.cmdline()), process.cpu_times()
        except psutil.Error:  # it has ended
            continue
        for kind in (ACTOR, LEARNER):
            if kind in title:
                cpu_s[kind] += times.user + times.system
        if ACTOR in title and wanted_s is not None:
            wanted = _wanted_s(process.pid)
            wanted_s = None if wanted is None else wanted_s + wanted
    return Used(time.perf_counter(), cpu_s, wanted_s)


def _wanted_s(pid: int) -> float | None:
    try:
        running, waiting, _ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return 1e-9 * (int(running) + int(waiting))
