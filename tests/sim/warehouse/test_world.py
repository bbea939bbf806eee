# SPDX-License-Identifier: Apache-2.0
"""Worlds step by step, whatever they are told."""

import numpy as np
import pytest

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.book import NUM_REVEALED, new_book
from sim.warehouse.book_changes import assign
from sim.warehouse.book_snapshot import contradiction
from sim.warehouse.delays.options import DelayKind
from sim.warehouse.orders import orders_of
from sim.warehouse.rules import GRID, Rules, league
from sim.warehouse.world import Setting, Worlds
from tests.sim.warehouse.living import YARD, Recipe, assert_same, at_random, worlds_of

HALL = Layout("hall", np.ones((3, 3), dtype=np.bool_))


def errands_left(worlds: Worlds) -> list[dict[int, int]]:
    """Of each world: robot to the cell of its next errand."""
    goals = worlds.view().goals[:, :, 0]
    return [{r: int(goal) for r, goal in enumerate(row) if goal >= 0} for row in goals]


@pytest.mark.parametrize("rules", [GRID, league(3)], ids=str)
@pytest.mark.parametrize("delays", [DelayKind.NONE, DelayKind.INDEPENDENT, DelayKind.FRACTIONAL])
def test_whatever_robots_are_told_worlds_stay_sound(rules: Rules, delays: DelayKind) -> None:
    """Random actions and random orders; errands are done there, and only there, where robots are
    at the end of a tick."""
    rng = np.random.default_rng(5)
    worlds = worlds_of(Recipe(rules=rules, delays=delays, robots=6, layout=YARD))
    free, done = YARD.free.ravel(), 0
    for tick in range(300):
        worlds.reveal()
        for book in worlds.books if tick % 25 == 0 else []:
            assign(book, rng.integers(-1, 15, 6).astype(np.int32), tick)
        left, before = errands_left(worlds), worlds.fleet.cell.copy()
        ticked = worlds.step(at_random(rules, worlds.shape, rng))
        cell = worlds.fleet.cell
        assert worlds.tick == tick + 1
        assert free[cell].all()
        assert all(len(set(row.tolist())) == 6 for row in cell)
        assert (cell == before)[ticked.delayed].all()
        assert not ticked.moved.executed[ticked.delayed].any()
        for world, events in enumerate(ticked.events):
            there = {r for r, goal in left[world].items() if cell[world, r] == goal}
            assert set(events[:, 1].tolist()) == there
            assert (events[:, 0] == tick + 1).all()
            assert (events[:, 2] == ticked.orders[world, events[:, 1]]).all()
            assert contradiction(worlds.books[world]) == ""
            done += len(events)
    assert done > 5
    assert ticked.delayed.any() == (delays is not DelayKind.NONE)


GARBAGE = [
    (np.zeros((2, 11), np.int8), r"shape \(2, 11\); allowed: \(2, 12\)"),
    (np.zeros(12, np.int8), r"shape \(12,\)"),
    (np.zeros((0, 0), np.int8), r"shape \(0, 0\)"),
    (np.full((2, 12), 5, np.int8), "robot 0 in world 0 is 5; allowed: 0 to 4"),
    (np.full((2, 12), -1, np.int64), "is -1; allowed: 0 to 4"),
    (np.full((2, 12), 256, np.int64), "is 256; allowed: 0 to 4"),
    (np.full((2, 12), np.nan), "float64; allowed: whole numbers"),
    (np.full((2, 12), "north"), "allowed: whole numbers"),
    (np.full((2, 12), None), "allowed: whole numbers"),
]


@pytest.mark.parametrize(("actions", "words"), GARBAGE)
def test_actions_that_mean_nothing_change_nothing(actions: np.ndarray, words: str) -> None:
    worlds = worlds_of(Recipe())
    for _ in range(3):
        worlds.step(np.ones(worlds.shape, dtype=np.int8))
    before = worlds.snapshot()
    with pytest.raises(InputError, match=words):
        worlds.step(actions)
    assert_same(worlds.snapshot(), before)


def test_orders_become_known_by_the_pool_or_by_their_ticks() -> None:
    orders = orders_of([[0], [1], [2]], release_tick=[0, 1, 4])
    start = np.array([[8]], dtype=np.int32)
    for pool_size, known in ((0, [1, 2, 2, 2, 3]), (2, [2, 2, 2, 2, 2])):
        worlds = Worlds(Setting(HALL, GRID, pool_size), start, [new_book(orders, 1)])
        seen = []
        for _ in range(5):
            worlds.reveal()
            seen.append(int(worlds.books[0].counters[NUM_REVEALED]))
            worlds.step(np.zeros((1, 1), dtype=np.int8))
        assert seen == known


def test_one_errand_is_done_in_a_tick() -> None:
    """Three at the cell where the robot stands, after each other."""
    book = new_book(orders_of([[4, 4, 4]]), 1)
    worlds = Worlds(Setting(HALL, GRID), np.array([[4]], dtype=np.int32), [book])
    worlds.reveal()
    assign(book, np.array([0], dtype=np.int32), 0)
    wait = np.zeros((1, 1), dtype=np.int8)
    events = np.concatenate([worlds.step(wait).events[0] for _ in range(4)])
    assert events.tolist() == [[1, 0, 0, 1], [2, 0, 0, 2], [3, 0, 0, 3]]


def test_worlds_that_cannot_be_are_refused() -> None:
    book, starts = new_book(orders_of([[0]]), 2), np.array([[0, 1]], dtype=np.int32)
    with pytest.raises(InputError, match="books is 2; allowed: one per world, 1"):
        Worlds(Setting(HALL, GRID), starts, [book, book])
    with pytest.raises(InputError, match="robots is 10; allowed: at most 9, the free cells"):
        Worlds(Setting(HALL, GRID), np.arange(10, dtype=np.int32)[None], [book])
    with pytest.raises(InputError, match="two robots of world 0 start in one cell"):
        Worlds(Setting(HALL, GRID), np.array([[1, 1]], dtype=np.int32), [book])
    with pytest.raises(InputError, match="pool_size is -1; allowed: 0 or more"):
        Setting(HALL, GRID, pool_size=-1)
    with pytest.raises(InputError, match="goals_ahead is 0; allowed: 1 to 64"):
        Setting(HALL, GRID, goals_ahead=0)


def test_robots_and_book_fit_together() -> None:
    with pytest.raises(InputError, match="robots"):
        Worlds(Setting(HALL, GRID), np.array([[0, 1]], np.int32), [new_book(orders_of([[0]]), 1)])


def test_orders_at_obstacles_are_refused() -> None:
    wall = Layout("wall", np.array([[1, 1, 0]], dtype=np.bool_))
    book = new_book(orders_of([[0], [1, 2]]), 1)
    with pytest.raises(InputError, match="order 1, errand 1: row 0, column 2 is an obstacle"):
        Worlds(Setting(wall, GRID), np.array([[0]], np.int32), [book])
