# SPDX-License-Identifier: Apache-2.0
"""Streams of orders: how many come when, where they lead, and how long they may take."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.distances import NO_CELL, Neighbours, breadth_first, largest_component, neighbour_table
from sim.errors import require
from sim.jit import kernel
from sim.layout import Cells, Layout
from sim.warehouse.hot_zones import ZoneOptions, draw_picks
from sim.warehouse.orders import MAX_ORDERS, NO_DEADLINE, Int64s, Orders

MAX_TICKS = 10_000_000


@dataclass(frozen=True)
class OrderOptions:
    """How orders come in."""

    orders_per_tick: float = 0.1
    """Mean number of orders that arrive in a tick (Poisson), 0 to 10000."""

    rush_amplitude: float = 0.0
    """The mean swings up and down by this share of it, 0 to 1: busy and quiet hours."""

    rush_period_ticks: int = 1000
    """From one rush to the next, in ticks; 2 to 10000000."""

    hot_zones: int = 0
    """Number of places where picks are frequent, 0 to 1000."""

    hot_share: float = 0.5
    """Share of all picks that lie in hot zones, 0 to 1; without zones it means nothing."""

    hot_radius_cells: int = 4
    """Size of a hot zone: rows and columns from its centre, added; 0 to 10000."""

    hot_ticks: int = 0
    """Hot zones move to other places every so many ticks; 0: never."""

    errands_min: int = 2
    """Least errands of an order, 1 or more. All but the last one are picks."""

    errands_max: int = 2
    """Most errands of an order, the least to 1000; every number between is equally likely."""

    deadline_slack: float | None = None
    """An order has this many ticks per move between its errands, 0 to 1000000; None: no deadlines.
    Orders of one errand have no way to go, so two errands are the least then."""

    backlog: bool = False
    """All orders are known from tick 0 on, as in the League of Robot Runners, and as many as would
    come in on average. No deadlines."""

    def __post_init__(self) -> None:
        self._require_reals()
        counts = {
            "rush_period_ticks": (2, MAX_TICKS),
            "hot_zones": (0, 1000),
            "hot_radius_cells": (0, 10_000),
            "hot_ticks": (0, MAX_TICKS),
            "errands_min": (1, 1000),
            "errands_max": (self.errands_min, 1000),
        }
        for name, (low, high) in counts.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            require(name, value, whole and low <= value <= high, f"{low} to {high}, whole numbers")

    def _require_reals(self) -> None:
        for name, high in (("orders_per_tick", 10_000), ("rush_amplitude", 1), ("hot_share", 1)):
            value = getattr(self, name)
            require(name, value, 0 <= value <= high, f"0 to {high}")
        slack = self.deadline_slack
        if slack is not None:
            require("deadline_slack", slack, 0 <= slack <= 1e6, "0 to 1000000, or None")
            require("deadline_slack", slack, not self.backlog, "None with backlog")
            require("deadline_slack", slack, self.errands_min > 1, "None for orders of one errand")


def draw_orders(
    layout: Layout, options: OrderOptions, ticks: int, rng: np.random.Generator
) -> Orders:
    """The orders of some ticks.

    Picks are at service points and the last errand is at an emitter, where the layout has such
    stations in its largest connected area; else both are anywhere in that area. Errands are drawn
    independently, so two in a row may be at one cell.

    Args:
        layout: the floor.
        options: how orders come in.
        ticks: 0 or more; orders are released at ticks 0 to ``ticks - 1``.
        rng: consumed.

    Raises:
        InputError: ticks out of range, or more than 5 million errands in the mean.
    """
    require("ticks", ticks, 0 <= ticks <= MAX_TICKS, f"0 to {MAX_TICKS}")
    most = MAX_ORDERS // 2 // options.errands_max
    require("orders_per_tick", options.orders_per_tick, options.orders_per_tick * ticks <= most,
            f"at most {most} orders in {ticks} ticks")  # fmt: skip
    arrival_tick = _arrivals(options, ticks, rng)
    lengths = rng.integers(options.errands_min, options.errands_max + 1, len(arrival_tick))
    ptr = np.cumsum(np.r_[0, lengths], dtype=np.int64)
    cells = _errand_cells(layout, options, np.repeat(arrival_tick, lengths), ptr[1:] - 1, rng)
    release_tick = np.zeros_like(arrival_tick) if options.backlog else arrival_tick
    deadline_tick = np.full(len(arrival_tick), NO_DEADLINE, dtype=np.int64)
    if options.deadline_slack is not None:
        moves = np.maximum(travel_moves(layout, ptr, cells), 1)
        deadline_tick = release_tick + np.ceil(options.deadline_slack * moves).astype(np.int64)
    return Orders(ptr, cells, release_tick, deadline_tick)


def _arrivals(options: OrderOptions, ticks: int, rng: np.random.Generator) -> Int64s:
    """``[M]`` ascending ticks."""
    if options.backlog:
        count = math.ceil(options.orders_per_tick * ticks)
        return np.arange(count, dtype=np.int64) * ticks // max(count, 1)
    tick = np.arange(ticks, dtype=np.int64)
    swing = options.rush_amplitude * np.sin(2 * np.pi * tick / options.rush_period_ticks)
    return np.repeat(tick, rng.poisson(options.orders_per_tick * (1 + swing)))


def _errand_cells(
    layout: Layout, options: OrderOptions, ticks: Int64s, last: Int64s, rng: np.random.Generator
) -> Cells:
    """Cells of all errands; ``ticks`` is when their orders arrive, ``last`` where those end."""
    area = largest_component(layout)
    pick, deliver = (
        stations if (stations := np.intersect1d(cells, area)).size else area
        for cells in (layout.service_points, layout.emitters)
    )
    is_pick = np.ones(len(ticks), dtype=np.bool_)
    if options.errands_max > 1:
        is_pick[last[np.diff(last, prepend=-1) > 1]] = False
    zones = ZoneOptions(
        options.hot_zones, options.hot_share, options.hot_radius_cells, options.hot_ticks
    )
    cells = rng.choice(deliver, len(ticks))
    cells[is_pick] = draw_picks(pick, layout.width, zones, ticks[is_pick], rng)
    return cells.astype(np.int32)


def travel_moves(layout: Layout, errand_ptr: Int64s, errand_cells: Cells) -> Int64s:
    """``[M]`` the least moves from the first errand of each order through all to its last.

    Args:
        layout: on which all errands of an order are connected.
        errand_ptr, errand_cells: as in ``Orders``.
    """
    moves = np.zeros(len(errand_cells), dtype=np.int64)
    if len(moves) > 1:
        ends = np.argsort(errand_cells[1:], kind="stable") + 1
        _add_legs(neighbour_table(layout), errand_cells, ends, moves)
        moves[errand_ptr[:-1]] = 0  # from the order before: nobody's way
    total = np.concatenate([[0], np.cumsum(moves)])
    return np.asarray(total[errand_ptr[1:]] - total[errand_ptr[:-1]], dtype=np.int64)


@kernel
def _add_legs(neighbours: Neighbours, cells: Cells, ends: NDArray[np.int64], moves: Int64s) -> None:
    """Moves from the errand before to each of ``ends``, one search for all that end in one cell."""
    distance, target = np.empty(0, dtype=np.int64), -1
    for end in ends:
        if cells[end] != target:
            target = cells[end]
            distance = breadth_first(neighbours, target, NO_CELL)
        moves[end] = distance[cells[end - 1]]
