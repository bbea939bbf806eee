# SPDX-License-Identifier: Apache-2.0
"""What the measurements have in common: floors, instances, means with intervals."""

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from sim.generate import WarehouseOptions, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.layout import Layout
from sim.readers import read_map

WAREHOUSE = Path("../shared/data/maps/warehouse-10-20-10-2-1.map")
RANDOM = Path("../shared/data/maps/random-32-32-20.map")


@functools.cache
def warehouse() -> Layout:
    """MovingAI's warehouse-10-20-10-2-1 (63 x 161), or the generated floor with the same cells."""
    if WAREHOUSE.exists():
        return read_map(WAREHOUSE)
    options = WarehouseOptions.movingai_10_20_10_2_1()
    return generate_warehouse(options, np.random.default_rng(0))


def warehouse_graph(
    num_robots: int, seed: int, options: InstanceOptions | None = None
) -> CoordinationGraph:
    """A random instance on the warehouse."""
    rng = np.random.default_rng([num_robots, seed])
    return make_instance(warehouse(), num_robots, options or InstanceOptions(), rng).graph


def interval(values: Sequence[float], digits: int = 3) -> str:
    """``mean +- half width`` of the 95 % t-interval over independent instances."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ± {half_width(values):.{digits}f}"


def half_width(values: Sequence[float]) -> float:
    """Of the 95 % t-interval of the mean; 0 for a single value, which says nothing of it."""
    if len(values) < 2:
        return 0.0
    return float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))


def cpu_s(action: Callable[[], object], repeats: int = 5) -> float:
    """Median CPU time of a call, after a first one that compiles."""
    action()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))
