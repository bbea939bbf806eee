# SPDX-License-Identifier: Apache-2.0
"""A coordination problem: a floor, routes, how fast the robots are, and who meets whom."""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.conflicts import DensityRegion, Granularity, Motion, build_graph
from sim.errors import InputError
from sim.graph import CoordinationGraph, Int32s
from sim.layout import Cells, Layout
from sim.routes import RouteOptions, Routes, plan_errands, plan_routes, sample_endpoints


@dataclass(frozen=True)
class InstanceOptions:
    """How robots drive and what counts as a conflict."""

    speed_m_s: float = 1.0
    """Mean speed of a robot."""
    speed_spread: float = 0.2
    """Robots' speeds are uniform within this share above and below the mean."""
    cell_m: float = 1.0
    """Side of a cell."""
    headway_s: float = 0.1
    """Time between one robot leaving a cell and the next entering it."""
    turn_s: float = 0.0
    """Extra time for a change of direction."""
    parking: Literal["bay", "floor"] = "bay"
    """bay: robots enter from and leave to a private bay beside their first and last cell.
    floor: they stand on those cells before and after, which forces orders."""
    granularity: Granularity = Granularity.OVERLAPS
    """overlaps: one decision for each stretch that two routes share. merged: touching intervals
    of a route become one (coarse; for sparse crossings only)."""
    density_bound: int = 0
    """Most robots at once in each square block of the floor; 0 for no limit."""
    density_block_cells: int = 8
    """Side of those blocks, in cells."""
    routes: RouteOptions = field(default_factory=RouteOptions)

    def __post_init__(self) -> None:
        for name in ("speed_m_s", "cell_m", "headway_s"):
            _require(self, name, getattr(self, name) > 0, "greater than 0")
        _require(self, "speed_spread", 0 <= self.speed_spread < 1, "at least 0 and below 1")
        _require(self, "turn_s", 0 <= self.turn_s < math.inf, "at least 0 and finite")
        _require(self, "density_bound", self.density_bound >= 0, "at least 0")
        sides = range(1, 100_001)
        _require(self, "density_block_cells", self.density_block_cells in sides, "1 to 100000")
        _require(self, "parking", self.parking in ("bay", "floor"), "bay or floor")
        fastest_s = self.cell_m / (self.speed_m_s * (1 + self.speed_spread))
        _require(
            self,
            "headway_s",
            self.headway_s <= fastest_s,
            f"at most the {fastest_s:.3g} s per cell",
        )


def _require(options: InstanceOptions, name: str, holds: bool, allowed: str) -> None:
    if not holds:
        raise InputError(f"{name} is {getattr(options, name)}; it must be {allowed}")


@dataclass(frozen=True, eq=False)
class Instance:
    """One problem for a coordinator, with what is needed to draw it."""

    layout: Layout
    routes: Routes
    graph: CoordinationGraph


def make_instance(
    layout: Layout, num_robots: int, options: InstanceOptions, rng: np.random.Generator
) -> Instance:
    """Random distinct starts and goals, shortest routes.

    Raises:
        InputError: more robots than free cells, or no well-posed instance in 20 draws.
    """
    for _ in range(20):
        starts, goals = sample_endpoints(layout, num_robots, rng)
        routes = plan_routes(layout, starts, goals, options.routes, rng)
        try:
            return instance_from_routes(layout, routes, options, rng)
        except InputError as error:
            rejected = error
    raise InputError(f"no well-posed instance in 20 draws; the last: {rejected}")


def make_errand_instance(
    layout: Layout,
    stops: list[Cells],
    options: InstanceOptions,
    rng: np.random.Generator,
) -> Instance:
    """One robot for every sequence of stops (start, errands ..., goal).

    Raises:
        InputError: a stop cannot be reached, or the instance is ill-posed.
    """
    routes = plan_errands(layout, stops, options.routes, rng)
    return instance_from_routes(layout, routes, options, rng)


def instance_from_routes(
    layout: Layout, routes: Routes, options: InstanceOptions, rng: np.random.Generator
) -> Instance:
    """Speeds for given routes, and their coordination graph.

    Raises:
        InputError: the instance is ill-posed.
    """
    spread = rng.uniform(-options.speed_spread, options.speed_spread, routes.num_robots)
    cell_s = options.cell_m / (options.speed_m_s * (1 + spread))
    motion = Motion(
        duration_ms=_durations_ms(routes, cell_s, options.turn_s),
        release_ms=np.zeros(routes.num_robots, dtype=np.int32),
        headway_ms=max(1, round(options.headway_s * 1000)),
        parked=np.full(routes.num_robots, options.parking == "floor"),
    )
    regions = _blocks(layout, options) if options.density_bound else ()
    graph = build_graph(routes, motion, options.granularity, regions)
    return Instance(layout, routes, graph)


def _durations_ms(routes: Routes, cell_s: NDArray[np.float64], turn_s: float) -> Int32s:
    """``[E]``: one cell at the robot's speed, plus the turn after it; 0 at the last event."""
    parts = []
    for robot in range(routes.num_robots):
        step = np.diff(routes.of(robot))
        turns = np.concatenate([[False], step[1:] != step[:-1], [False]])[: len(step) + 1]
        seconds = cell_s[robot] + turn_s * turns
        parts += [np.clip(np.round(seconds * 1000), 1, 2**30), [0]]  # the graph refuses too many
    return np.concatenate(parts).astype(np.int32)


def _blocks(layout: Layout, options: InstanceOptions) -> tuple[DensityRegion, ...]:
    """Square blocks of the floor that could hold more robots than the bound."""
    side, bound = options.density_block_cells, options.density_bound
    rows, columns = np.divmod(layout.free_cells, layout.width)
    block = (rows // side) * layout.width + columns // side
    cells = [layout.free_cells[block == number] for number in np.unique(block)]
    return tuple(DensityRegion(inside, bound) for inside in cells if len(inside) > bound)
