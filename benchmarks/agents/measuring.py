# SPDX-License-Identifier: Apache-2.0
"""CPU time of one action in one environment, of several routes in turns."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Route = Callable[[], int]
"""Does something for a number of environment steps, and says for how many."""


def cpu_us_per_step(
    routes: Mapping[str, Route], rounds: int, least_s: float = 0.1
) -> dict[str, NDArray[np.float64]]:
    """CPU microseconds per environment step, ``[rounds]`` for each route.

    A round calls every route in turn, so that all suffer alike from the neighbours on the machine.

    Args:
        routes: what to measure.
        rounds: repeats, after a first one that warms up.
        least_s: a route is called until one measurement takes at least this.
    """
    each = [
        {name: _once(route, least_s) for name, route in routes.items()} for _ in range(rounds + 1)
    ]
    return {name: np.array([one[name] for one in each[1:]]) for name in routes}


def _once(route: Route, least_s: float) -> float:
    start, steps = time.process_time(), 0
    while (spent := time.process_time() - start) < least_s or not steps:
        steps += route()
    return 1e6 * spent / steps


def show(title: str, us: Mapping[str, NDArray[np.float64]]) -> None:
    """Print medians and their ranges."""
    print(title, flush=True)
    for name, values in us.items():
        spread = f"({values.min():.3g} to {values.max():.3g})"
        print(f"  {name:44}{np.median(values):8.3g} us  {spread}", flush=True)
