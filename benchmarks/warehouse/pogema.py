# SPDX-License-Identifier: Apache-2.0
"""Steps under POGEMA's rules, against POGEMA: lifelong, 3 x 11 x 11 numbers for each robot.

POGEMA has old pins, so it runs in an environment of its own:

    python3.11 -m venv pogema
    pogema/bin/pip install pogema==1.4.0
    POGEMA_PYTHON=pogema/bin/python python -m benchmarks.warehouse --parts pogema

Both are timed in turns, each by the CPU time of its own process. POGEMA always writes observations;
"patched" is POGEMA with its method for that taken out, which none of its options does.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.agents.measuring import Route, cpu_us_per_step, show
from benchmarks.quantum.timing import Figure, ratio
from sim.environments.pogema import (
    Collision,
    ObservationType,
    OnTarget,
    PogemaOptions,
    PogemaWorlds,
)
from sim.layout import Layout
from sim.warehouse.chance import world_keys

ROBOTS = (64, 256)
ROBOTS_IN_ALL = 1024  # of all worlds that are stepped together
ROUNDS, STEPS = 7, 64
DENSITY, RADIUS_CELLS = 0.3, 5
OBSERVED_TARGET, MOVES_TARGET = 60.0, 150.0
PEER = Path(__file__).with_name("pogema_peer.py")


def measure(
    robots: tuple[int, ...] = ROBOTS, rounds: int = ROUNDS, python: str | None = None
) -> list[Figure]:
    """Ratios of CPU time per step of a robot; only ours where there is no POGEMA.

    Args:
        robots: in each world.
        rounds: repeats.
        python: of POGEMA's environment; None: ``POGEMA_PYTHON``.
    """
    chosen = _with_pogema(python or os.environ.get("POGEMA_PYTHON", ""))
    return [
        figure
        for count in robots
        for collision in (Collision.PRIORITY, Collision.BLOCK_BOTH, Collision.SOFT)
        for figure in _measure(count, collision, rounds, chosen)
    ]


def _with_pogema(python: str) -> str | None:
    """``python``, or None and a message where it cannot import POGEMA."""
    if python:
        tried = subprocess.run([python, "-P", "-c", "import pogema"], check=False)
        if tried.returncode == 0:
            return python
    print(f"POGEMA_PYTHON is {python!r}, which has no pogema.\n{__doc__}", flush=True)
    return None


def _measure(robots: int, collision: Collision, rounds: int, python: str | None) -> list[Figure]:
    routes = {f"ours, {kind}": _route(robots, collision, kind) for kind in ObservationType}
    title = f"{robots} robots, {collision}: CPU time of one robot's step"
    if not python:
        show(title, cpu_us_per_step(routes, rounds))
        return []
    us: dict[str, list[float]] = {name: [] for name in (*routes, "POGEMA", "POGEMA, patched")}
    with _peer(python, robots, collision) as ask:
        for _ in range(rounds):
            for name, (value,) in cpu_us_per_step(routes, 1).items():
                us[name].append(value)
            us["POGEMA"].append(next(ask))
            us["POGEMA, patched"].append(next(ask))
    found = {name: np.array(values) for name, values in us.items()}
    show(title, found)
    return _ratios(f"POGEMA / ours, {robots} robots, {collision}", found)


def _ratios(title: str, us: dict[str, NDArray[np.float64]]) -> list[Figure]:
    return [
        ratio(f"{title}, float32", us["POGEMA"], us["ours, float32"], OBSERVED_TARGET),
        ratio(f"{title}, uint8", us["POGEMA"], us["ours, uint8"], OBSERVED_TARGET),
        ratio(f"{title}, moves only", us["POGEMA"], us["ours, none"], MOVES_TARGET),
        ratio(f"{title}, moves only, patched", us["POGEMA, patched"], us["ours, none"]),
    ]


def _route(robots: int, collision: Collision, observations: ObservationType) -> Route:
    options = PogemaOptions(
        robots, OnTarget.RESTART, collision, RADIUS_CELLS, 2**31 - 1, observations
    )
    side, rng = round((10 * robots) ** 0.5), np.random.default_rng(0)
    layout = Layout("random", rng.random((side, side)) >= DENSITY)
    count = ROBOTS_IN_ALL // robots
    worlds = PogemaWorlds(layout, options, world_keys(0, list(range(count))))
    worlds.reset()
    actions = rng.integers(0, 5, (STEPS, count, robots))

    def route() -> int:
        for each in actions:
            worlds.step(each)
        return int(actions.size)

    return route


@contextmanager
def _peer(python: str, robots: int, collision: Collision) -> Iterator[Iterator[float]]:
    """Microseconds with observations and without, measured anew for every other number."""
    command = [python, "-P", str(PEER), "time", str(robots), collision.value]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield _answers(process)
        process.communicate()


def _answers(process: "subprocess.Popen[str]") -> Iterator[float]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    while True:
        print(file=process.stdin, flush=True)
        yield from map(float, process.stdout.readline().split())
