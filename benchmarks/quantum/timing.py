# SPDX-License-Identifier: Apache-2.0
"""Routes timed side by side in one process, and ratios of them held against targets.

A round calls every route in turn, so that all suffer alike from the neighbours on the machine. The
clock is the CPU time of the process: that of the wall counts the neighbours.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

Route = Callable[[], object]

LEAST_S = 0.03
"""A route is called so often that one measurement takes at least this.

As in training, where nothing else runs in between: right after PennyLane, the caches are cold.
"""


@dataclass(frozen=True)
class Figure:
    """A ratio: its median over the rounds, the lowest and the highest, and what was asked for."""

    title: str
    value: float
    low: float
    high: float
    target: float | None = None
    at_most: bool = False

    def __str__(self) -> str:
        text = f"{self.title:62}{self.value:8.3g}x  ({self.low:.3g} to {self.high:.3g})"
        if self.target is None:
            return text
        met = self.value <= self.target if self.at_most else self.value >= self.target
        bound = f"{'at most' if self.at_most else 'at least'} {self.target:g}"
        return f"{text:96}{bound:14}{'pass' if met else 'MISS'}"


def interleaved(routes: Mapping[str, Route], rounds: int) -> dict[str, np.ndarray]:
    """CPU seconds of one call, ``[rounds]`` for each route."""
    calls = {name: _calls(route) for name, route in routes.items()}
    seconds: dict[str, list[float]] = {name: [] for name in routes}
    for _ in range(rounds):
        for name, route in routes.items():
            route()
            start = time.process_time()
            for _ in range(calls[name]):
                route()
            seconds[name].append((time.process_time() - start) / calls[name])
    return {name: np.array(found) for name, found in seconds.items()}


def cpu_s(route: Route) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    route()
    return time.process_time() - start


def _calls(route: Route) -> int:
    route()
    return math.ceil(LEAST_S / max(cpu_s(route), 1e-5))


def ratio(
    title: str,
    slow: np.ndarray,
    fast: np.ndarray,
    target: float | None = None,
    at_most: bool = False,
) -> Figure:
    """How many times longer the first takes."""
    each = slow / fast
    value = float(np.median(slow) / np.median(fast))
    return Figure(title, value, float(each.min()), float(each.max()), target, at_most)


def show(title: str, seconds: Mapping[str, np.ndarray]) -> None:
    """Print absolute times."""
    cells = ", ".join(f"{name} {_time(np.median(found))}" for name, found in seconds.items())
    print(f"{title}: {cells}", flush=True)


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def require_same(
    name: str, found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor], most: float
) -> None:
    """A route that computes something else is not worth timing.

    Raises:
        AssertionError: an entry differs by more than ``most``, relative to the largest or to 1.
    """
    for one, other in zip(found, wanted, strict=True):
        error = float((one.double() - other.double()).abs().max() / max(1.0, other.abs().max()))
        if not error <= most:
            raise AssertionError(f"{name} differs by {error:.1e}; allowed: {most:.0e}")
