# SPDX-License-Identifier: Apache-2.0
"""What an episode begins with: a function of the key of its world and its number alone."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.environments.warehouse.options import WarehouseOptions
from sim.layout import Layout
from sim.warehouse.fleet import Int8s, Int32s, random_starts
from sim.warehouse.orders import NO_DEADLINE, Orders
from sim.warehouse.streams import draw_orders


class Episode(NamedTuple):
    """One beginning.

    Args:
        cells: ``[N]`` where robots start.
        headings: ``[N]`` where they face.
        orders: their work; ticks count from the episode's beginning.
        key: of all chance while it lasts.
    """

    cells: Int32s
    headings: Int8s
    orders: Orders
    key: np.uint64


def draw_episode(options: WarehouseOptions, layout: Layout, key: np.uint64, number: int) -> Episode:
    """Starts, headings and orders of an episode.

    Args:
        options, layout: of all worlds.
        key: of the world.
        number: of the episode, from 0.
    """
    sequence = np.random.SeedSequence([int(key), number])
    rng = np.random.default_rng(sequence)
    cells = random_starts(layout, options.robots, 1, rng)[0]
    headings = rng.integers(0, 4, options.robots, dtype=np.int8)
    ticks = options.order_ticks or options.max_steps
    orders = draw_orders(layout, options.orders, ticks, rng)
    return Episode(cells, headings, orders, sequence.generate_state(1, np.uint64)[0])


def later(orders: Orders, tick: int) -> Orders:
    """The same orders, for an episode that begins at ``tick``."""
    endless = orders.deadline_tick == NO_DEADLINE
    return replace(
        orders,
        release_tick=orders.release_tick + tick,
        deadline_tick=np.where(endless, NO_DEADLINE, orders.deadline_tick + tick),
    )
