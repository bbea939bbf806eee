# SPDX-License-Identifier: Apache-2.0
"""The batch lives as ``Worlds`` does, step by step, with orders given out slowly."""

import functools
from typing import Any

import numpy as np
import pytest

from sim.distances import distances_to
from sim.environments.warehouse.batch import LOOK_AT, WarehouseBatch
from sim.environments.warehouse.episodes import draw_episode
from sim.environments.warehouse.options import options_of
from sim.layout import Layout
from sim.warehouse.book import Book, new_book, open_orders
from sim.warehouse.book_changes import assign
from sim.warehouse.chance import world_keys
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.world import Setting, Worlds

COSTS = {"errand_reward": 0.5, "order_reward": 1.0, "step_cost": 0.125}


_distances = functools.cache(distances_to)


def _give(layout: Layout, book: Book, cells: Int32s, tick: int) -> None:
    """The pairs of free robots and old orders, by way, robot and order; each once."""
    order_for = book.order_of.copy()
    orders = open_orders(book)[:LOOK_AT]
    pairs = []
    for order in orders:
        away = _distances(layout, int(book.errand_cells[book.errand_ptr[order]]))
        free = np.flatnonzero(order_for < 0)
        pairs += [(int(away[cells[robot]]), int(robot), int(order)) for robot in free]
    given = set[int]()
    for _, robot, order in sorted(pairs):
        if order_for[robot] < 0 and order not in given:
            order_for[robot] = order
            given.add(order)
    assert not assign(book, order_for, tick).any()


def _greedy(batch: WarehouseBatch, rng: np.random.Generator) -> Int8s:
    """Towards the goal most of the time, so that errands get done."""
    ways = batch.show.observe(batch.view)["robots"][:, :, 12:16]
    towards = np.where(ways.any(2), 1 + ways.argmax(2), 0)
    chance = rng.integers(0, 5, batch.shape)
    return np.where(rng.random(batch.shape) < 0.7, towards, chance).astype(np.int8)


@pytest.mark.parametrize(
    "chosen",
    [
        {"pool_size": 5},
        {"pool_size": 0, "orders": {"orders_per_tick": 0.4, "errands_max": 3}},
        {"pool_size": 0, "order_ticks": 50},
    ],
)
def test_a_batch_lives_as_worlds_do(chosen: dict[str, Any]) -> None:
    options = options_of(robots=6, observation="graph", max_steps=400, **chosen, **COSTS)
    keys, rng = world_keys(2, [0, 1]), np.random.default_rng(0)
    batch = WarehouseBatch(options, keys)
    episodes = [draw_episode(options, batch.layout, key, 0) for key in keys]
    worlds = Worlds(
        Setting(batch.layout, options.rules, options.pool_size, 1),
        np.stack([episode.cells for episode in episodes]),
        [new_book(episode.orders, 6) for episode in episodes],
    )
    worlds.fleet.heading[:] = [episode.headings for episode in episodes]
    ends, paid = [len(episode.orders) for episode in episodes], 0
    for _ in range(options.max_steps):
        worlds.reveal()
        for book, cells in zip(worlds.books, worlds.fleet.cell, strict=True):
            _give(batch.layout, book, cells, worlds.tick)
        view = worlds.view()
        np.testing.assert_array_equal(batch.view.goals, view.goals)
        for own, slow in zip(batch.view.fleet, view.fleet, strict=True):
            np.testing.assert_array_equal(own, slow)
        actions = _greedy(batch, rng)
        steps, ticked = batch.step(actions), worlds.step(actions)
        rewards = np.full((2, 6), -0.125)
        for world, events in enumerate(ticked.events):
            for _, robot, order, done in events:
                last = done == np.diff(worlds.books[world].errand_ptr)[order]
                rewards[world, robot] += 1.5 if last else 0.5
                paid += 1
        np.testing.assert_array_equal(steps.rewards, rewards)
        np.testing.assert_array_equal(steps.refused, ticked.moved.refused)
        all_done = [book.counters[2] == end for book, end in zip(worlds.books, ends, strict=True)]
        ended = np.array(all_done) & (options.order_ticks > 0)
        np.testing.assert_array_equal(steps.terminated, ended)
        if ended.any():
            break
    assert paid > 50
