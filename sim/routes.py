# SPDX-License-Identifier: Apache-2.0
"""Routes: the fixed path of every robot over cells, and how it is planned.

A route is a cheapest path for its robot alone; that robots meet is the coordinators' business.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.distances import (
    MOVE_COST,
    Neighbours,
    Tolls,
    breadth_first,
    cheapest,
    largest_component,
    neighbour_table,
    require_free,
)
from sim.errors import InputError
from sim.jit import kernel
from sim.layout import Cells, Layout

OPPOSING_WEIGHT = 3
"""How much more an earlier route counts when it makes the same move in the opposite direction."""


@dataclass(frozen=True, eq=False)
class Routes:
    """The routes of N robots, end to end in one array.

    Args:
        cells: ``[total]`` linear cell numbers; consecutive cells of a route are neighbours.
        offsets: ``[N + 1]``; robot ``i`` drives ``cells[offsets[i]:offsets[i + 1]]``.
    """

    cells: Cells
    offsets: NDArray[np.int64]

    @property
    def num_robots(self) -> int:
        """N."""
        return len(self.offsets) - 1

    def of(self, robot: int) -> Cells:
        """The cells of one robot, from start to goal."""
        return self.cells[self.offsets[robot] : self.offsets[robot + 1]]


@dataclass(frozen=True)
class RouteOptions:
    """How routes are chosen."""

    spread: float = 0.0
    """Detour, in moves per cell, that a robot makes to avoid a cell for each earlier route through
    it (four times that where the earlier route comes the opposite way). 0 gives shortest paths;
    0.01 to 0.1 spreads 250 robots over parallel aisles; allowed: 0 to 10."""

    straightness: float = 0.9
    """Probability that a robot keeps its heading where a turn would be as short. 0 chooses anew
    at every cell (many turns on open floor), 1 turns only when it must; allowed: 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.spread <= 10:
            raise InputError(f"spread is {self.spread}; allowed: 0 to 10")
        if not 0 <= self.straightness <= 1:
            raise InputError(f"straightness is {self.straightness}; allowed: 0 to 1")


@kernel
def _next_direction(
    neighbours: Neighbours,
    tolls: Tolls,
    cost: NDArray[np.int64],
    unit: int,
    cell: int,
    heading: int,
    straightness: float,
    rng: np.random.Generator,
) -> int:
    """A direction in which a cheapest path to the goal leaves ``cell``, fairly among equals."""
    num_equal = 0
    chosen = -1
    keeps_heading = False
    for direction in range(4):
        neighbour = neighbours[cell, direction]
        if neighbour < 0 or cost[neighbour] < 0:
            continue
        if cost[neighbour] + unit + tolls[cell, direction] == cost[cell]:
            keeps_heading = keeps_heading or direction == heading
            num_equal += 1
            if num_equal == 1 or rng.random() * num_equal < 1:
                chosen = direction
    if keeps_heading and num_equal > 1 and rng.random() < straightness:
        return heading
    return chosen


@kernel
def _charge(neighbours: Neighbours, tolls: Tolls, route: Cells, toll: int) -> None:
    """Raise the tolls of all later robots for the cells and moves of one route."""
    for i in range(len(route)):
        for direction in range(4):
            neighbour = neighbours[route[i], direction]
            if neighbour >= 0:
                tolls[neighbour, direction ^ 2] += toll
                if i + 1 < len(route) and neighbour == route[i + 1]:
                    tolls[neighbour, direction ^ 2] += OPPOSING_WEIGHT * toll


@kernel
def _with_room(route: Cells, needed: int) -> Cells:
    """Return the same array, or a copy that is at least twice as long and fits ``needed``."""
    if needed <= len(route):
        return route
    roomy = np.empty(2 * needed, dtype=np.int32)
    roomy[: len(route)] = route
    return roomy


@kernel
def _plan(
    neighbours: Neighbours,
    stops: Cells,
    stop_offsets: NDArray[np.int64],
    toll: int,
    straightness: float,
    rng: np.random.Generator,
) -> tuple[Cells, NDArray[np.int64], int]:
    """Plan all robots in turn; the last value is the number of a stop out of reach, or -1."""
    tolls = np.zeros(neighbours.shape, dtype=np.int64)
    unit = MOVE_COST if toll > 0 else 1
    route = np.empty(1024, dtype=np.int32)
    length = 0
    offsets = np.zeros(len(stop_offsets), dtype=np.int64)
    for robot in range(len(stop_offsets) - 1):
        cell = stops[stop_offsets[robot]]
        route = _with_room(route, length + 1)
        route[length] = cell
        length += 1
        heading = -1
        for stop in range(stop_offsets[robot] + 1, stop_offsets[robot + 1]):
            if toll > 0:
                cost = cheapest(neighbours, tolls, stops[stop], cell)
            else:
                cost = breadth_first(neighbours, stops[stop], cell)
            if cost[cell] < 0:
                return route[:length], offsets, stop
            route = _with_room(route, length + cost[cell] // unit)
            while cell != stops[stop]:
                heading = _next_direction(
                    neighbours, tolls, cost, unit, cell, heading, straightness, rng
                )
                cell = neighbours[cell, heading]
                route[length] = cell
                length += 1
        offsets[robot + 1] = length
        if toll > 0:
            _charge(neighbours, tolls, route[offsets[robot] : length], toll)
    return route[:length].copy(), offsets, -1


def plan_errands(
    layout: Layout, stops: Sequence[Cells], options: RouteOptions, rng: np.random.Generator
) -> Routes:
    """Plan for every robot a path from its first stop through all the others, in order.

    Robots are planned one after another; with ``options.spread`` each avoids the earlier ones.
    Stops that repeat add nothing. A route may visit a cell again, also by turning back.

    Args:
        layout: the floor.
        stops: for each robot, the cells of its start and then of its errands, at least one.
        options: how paths are chosen.
        rng: decides between equally good paths.

    Raises:
        InputError: a robot without stops, a stop that is no free cell, or one out of reach.
    """
    for robot, cells in enumerate(stops):
        if len(cells) == 0:
            raise InputError(f"robot {robot}: no stops; at least its start is needed")
        for cell in cells:
            require_free(layout, int(cell), f"robot {robot}")
    flat = np.concatenate([np.empty(0, np.int32), *stops]).astype(np.int32)
    stop_offsets = np.cumsum([0, *map(len, stops)], dtype=np.int64)
    toll = math.ceil(options.spread * MOVE_COST)
    cells, offsets, missed = _plan(
        neighbour_table(layout), flat, stop_offsets, toll, options.straightness, rng
    )
    if missed >= 0:
        raise InputError(_unreachable(layout, flat, stop_offsets, missed))
    return Routes(cells, offsets)


def _unreachable(layout: Layout, stops: Cells, offsets: NDArray[np.int64], missed: int) -> str:
    robot = int(np.searchsorted(offsets, missed, side="right")) - 1
    start, goal = (layout.row_column(stops[stop]) for stop in (missed - 1, missed))
    return (
        f"robot {robot}: no path on layout {layout.name} from row {start[0]}, column {start[1]} "
        f"to row {goal[0]}, column {goal[1]}; both must lie in one connected area"
    )


def plan_routes(
    layout: Layout,
    starts: Cells,
    goals: Cells,
    options: RouteOptions,
    rng: np.random.Generator,
) -> Routes:
    """Plan a path from start to goal for every robot; see ``plan_errands``.

    Args:
        layout: the floor.
        starts: ``[N]`` cells.
        goals: ``[N]`` cells.
        options: how paths are chosen.
        rng: decides between equally good paths.

    Raises:
        InputError: different numbers of starts and goals, or as ``plan_errands``.
    """
    if len(starts) != len(goals):
        raise InputError(f"{len(starts)} starts and {len(goals)} goals; every robot needs both")
    return plan_errands(layout, list(np.stack([starts, goals], axis=1)), options, rng)


def sample_endpoints(
    layout: Layout, num_robots: int, rng: np.random.Generator
) -> tuple[Cells, Cells]:
    """Draw distinct starts and distinct goals from the largest connected area of the floor.

    Returns:
        starts and goals, each ``[num_robots]``; no robot's goal is its own start.

    Raises:
        InputError: fewer robots than one, or more than the area has cells.
    """
    area = largest_component(layout)
    if not 1 <= num_robots <= len(area):
        raise InputError(
            f"num_robots is {num_robots}; allowed on layout {layout.name}: 1 to {len(area)}, "
            "the free cells of its largest connected area"
        )
    if num_robots == 1:
        if len(area) == 1:
            raise InputError(f"layout {layout.name} has one free cell; start and goal need two")
        start, goal = rng.choice(area, 2, replace=False)
        return np.array([start], dtype=np.int32), np.array([goal], dtype=np.int32)
    starts = rng.choice(area, num_robots, replace=False)
    goals = rng.choice(area, num_robots, replace=False)
    for robot in np.flatnonzero(starts == goals):
        if starts[robot] == goals[robot]:  # not yet repaired as the partner of an earlier one
            partner = (robot + rng.integers(1, num_robots)) % num_robots
            goals[[robot, partner]] = goals[[partner, robot]]
    return starts, goals
