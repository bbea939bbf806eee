# SPDX-License-Identifier: Apache-2.0
"""Trial functions for tests. Here and not in ``tests/``, so that Ray workers can import them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from cluster.trials import Result


def draw(rng: np.random.Generator, scale: float = 1.0, pause_s: float = 0.0) -> Result:
    """A number that depends on the generator alone."""
    time.sleep(pause_s)
    return Result({"value": scale * float(rng.random())})


def draw_and_show_pid(rng: np.random.Generator, pid_file: Path, pause_s: float) -> Result:
    """Like :func:`draw`, but a test can find the process while it pauses."""
    pid_file.write_text(str(os.getpid()), encoding="utf-8")
    return draw(rng, pause_s=pause_s)


def total(rng: np.random.Generator, table: np.ndarray) -> Result:
    """The sum of a shared array, and the array itself to keep."""
    return Result({"total": float(table.sum()), "value": float(rng.random())}, {"table": table})


def explode(rng: np.random.Generator) -> Result:
    """A bug."""
    raise ZeroDivisionError(f"a bug, after drawing {rng.random():.1f}")


def die_at_first(rng: np.random.Generator, mark: Path) -> Result:
    """Kill the own process as ``kill -9`` would, unless ``mark`` shows that it was done before."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(rng)


def die_always(rng: np.random.Generator) -> Result:
    """Kill the own process as ``kill -9`` would, before ``rng`` is used."""
    os.kill(os.getpid(), signal.SIGKILL)
    return draw(rng)


def no_warm_up() -> None:
    """Nothing to prepare."""
