# SPDX-License-Identifier: Apache-2.0
"""What can be chosen in the living warehouse as an environment."""

import math
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

import numpy as np

from sim.distances import largest_component
from sim.errors import InputError, require
from sim.generate import WarehouseOptions as FloorOptions
from sim.generate import generate_warehouse
from sim.layout import Layout
from sim.readers import read_map
from sim.warehouse.delays.options import TickDelayOptions
from sim.warehouse.rules import Following, Gait, Rules
from sim.warehouse.streams import OrderOptions

GENERATE = "generate"
"""Stands for a map that is made."""

MAX_RADIUS_CELLS = 64
MAX_NEIGHBOURS = 256
MAX_STEPS = 1_000_000

MAX_POOL = 100_000

T = TypeVar("T")


class Observation(StrEnum):
    """What is shown."""

    LOCAL = "local"
    """Planes of the cells around each robot."""

    GLOBAL = "global"
    """Planes of the whole floor, and a vector of each robot."""

    GRAPH = "graph"
    """A vector of each robot, and the robots nearest to it."""


def _small() -> FloorOptions:
    return FloorOptions(
        rack_columns=2, rack_rows=3, rack_length_cells=3, rack_depth_cells=1, open_cells=2,
        num_stations=4, num_pick_points=8, missing_rack_ratio=0.0,
    )  # fmt: skip


def _plenty() -> OrderOptions:
    return OrderOptions(orders_per_tick=1.0, backlog=True)


@dataclass(frozen=True)
class WarehouseOptions:
    """A warehouse, its robots, their work, what they see and what it is worth.

    Raises:
        InputError: a value that is not allowed.
    """

    map: str = GENERATE
    """``generate`` makes the floor; otherwise the path of a ``.map`` file. Of any floor the largest
    connected area is used."""

    floor: FloorOptions = field(default_factory=_small)
    """Measures of a floor that is made; by default 9 x 13 cells with 6 racks."""

    floor_seed: int = 0
    """Of a floor that is made; all worlds and episodes have the same."""

    robots: int = 4
    """In each world."""

    gait: Gait = Gait.SLIDING
    """Robots slide in four directions, or drive forward and turn."""

    ticks_per_action: int = 1
    """Ticks that a move or a quarter turn takes. A step of the environment is one tick."""

    delays: TickDelayOptions = field(default_factory=TickDelayOptions)
    """Robots that are stopped for a while."""

    orders: OrderOptions = field(default_factory=_plenty)
    """What there is to do; by default more than the robots can."""

    order_ticks: int = 0
    """Orders come in during so many ticks of an episode, and it terminates when all are done. 0:
    they come in without end, and no episode terminates."""

    pool_size: int = 8
    """So many orders are known and not done, whenever they come in, as in the League of Robot
    Runners; 0: each is known from the tick on in which it comes in."""

    observation: Observation = Observation.LOCAL
    """What is shown."""

    radius: int = 3
    """A robot sees so many cells in each direction, 1 to 64. Local only."""

    neighbours: int = 4
    """A robot is linked to so many of the others, 1 to 256. Graph only."""

    max_steps: int = 500
    """An episode is truncated after so many steps, 1 to 1,000,000."""

    errand_reward: float = 0.5
    """For each errand done, paid to the robot that did it."""

    order_reward: float = 1.0
    """For each order done, that is for its last errand in addition."""

    way_reward: float = 0.0
    """For each move that is left less to the next errand of its order, and taken for each more; so
    what is learnt sees at once which way is right, and the sum over a way is always the same."""

    step_cost: float = 0.01
    """Taken from each robot in each step."""

    def __post_init__(self) -> None:
        _require_whole("robots", self.robots, 1, 1_000_000)
        _require_whole("ticks_per_action", self.ticks_per_action, 1, 1000)
        _require_whole("floor_seed", self.floor_seed, 0, 2**32 - 1)
        _require_whole("radius", self.radius, 1, MAX_RADIUS_CELLS)
        _require_whole("neighbours", self.neighbours, 1, MAX_NEIGHBOURS)
        _require_whole("max_steps", self.max_steps, 1, MAX_STEPS)
        _require_whole("order_ticks", self.order_ticks, 0, MAX_STEPS)
        _require_whole("pool_size", self.pool_size, 0, MAX_POOL)
        require("gait", self.gait, self.gait in list(Gait), ", ".join(Gait))
        known = self.observation in list(Observation)
        require("observation", self.observation, known, ", ".join(Observation))
        for name in ("errand_reward", "order_reward", "way_reward", "step_cost"):
            value = getattr(self, name)
            real = isinstance(value, (int, float)) and math.isfinite(value)
            require(name, value, real, "finite numbers")

    @property
    def rules(self) -> Rules:
        """How robots move: close behind each other, and in rings, where moves take one tick."""
        together = self.ticks_per_action == 1
        following = Following.TOGETHER if together else Following.STRAIGHT
        return Rules(self.gait, self.ticks_per_action, following)


def _require_whole(name: str, value: object, least: int, most: int) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    allowed = f"whole numbers from {least} to {most}"
    require(name, value, whole and least <= cast(int, value) <= most, allowed)


def make_layout(options: WarehouseOptions) -> Layout:
    """The floor of all worlds.

    Raises:
        InputError: a bad map file, or more robots than cells.
    """
    if options.map == GENERATE:
        rng = np.random.default_rng(options.floor_seed)
        layout = generate_warehouse(options.floor, rng)
    else:
        layout = read_map(Path(options.map))
    layout = _connected(layout)
    cells = len(layout.free_cells)
    require("robots", options.robots, options.robots <= cells,
            f"1 to {cells}, the cells of {layout.name} that robots can reach")  # fmt: skip
    return layout


def _connected(layout: Layout) -> Layout:
    """The largest area alone, so that every robot reaches every errand."""
    free = np.zeros_like(layout.free)
    free.ravel()[largest_component(layout)] = True
    inside = free.ravel()
    emitters = layout.emitters[inside[layout.emitters]]
    return Layout(layout.name, free, emitters, layout.service_points[inside[layout.service_points]])


def options_of(**chosen: Any) -> WarehouseOptions:
    """Options from the keywords of ``gymnasium.make``: names for choices, dicts for groups.

    Raises:
        InputError: there is no such field, or a value is not allowed.
    """
    return _filled("", WarehouseOptions, chosen)


def _filled(place: str, kind: type[T], chosen: dict[str, Any]) -> T:
    types = get_type_hints(kind)
    names = [item.name for item in fields(cast(Any, kind))]
    for name in chosen:
        require("option", f"{place}{name}", name in names, ", ".join(names))
    values = {n: _value(f"{place}{n}", types[n], value) for n, value in chosen.items()}
    try:
        return kind(**values)
    except TypeError as error:  # a text where a number should be
        raise InputError(f"{place or 'options'} are {chosen!r}; {error}") from error


def _value(place: str, kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        require(place, value, value in list(kind), ", ".join(kind))
        return kind(value)
    if is_dataclass(kind):
        if isinstance(value, dict):
            return _filled(f"{place}.", cast(type[Any], kind), value)
        require(place, value, isinstance(value, cast(type, kind)), "a dict of its fields")
    return value
