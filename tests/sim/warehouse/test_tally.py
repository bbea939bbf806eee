# SPDX-License-Identifier: Apache-2.0
"""What is counted, against counting by hand."""

from collections import Counter

import numpy as np
import pytest

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.book import LAST, NUM_DONE, new_book
from sim.warehouse.book_changes import assign
from sim.warehouse.delays.options import DelayKind
from sim.warehouse.orders import orders_of
from sim.warehouse.rules import GRID, Rules, league
from sim.warehouse.tally import make_tally
from sim.warehouse.world import Setting, Worlds
from tests.sim.warehouse.living import YARD, Recipe, alive, at_random, worlds_of

SHARES = ("working", "waiting", "refused", "delayed", "idle")


def shares_by_hand(worlds: Worlds, ticked, goals: np.ndarray) -> list[Counter[str]]:  # type: ignore[no-untyped-def]
    """What each robot did in a tick, of each world."""
    counted: list[Counter[str]] = []
    for world in range(worlds.shape[0]):
        counted.append(Counter())
        for robot in range(worlds.shape[1]):
            if ticked.delayed[world, robot]:
                what = "delayed"
            elif ticked.moved.executed[world, robot]:
                what = "working"
            elif ticked.moved.refused[world, robot]:
                what = "refused"
            else:
                what = "waiting" if goals[world, robot] >= 0 else "idle"
            counted[world][what] += 1
    return counted


@pytest.mark.parametrize("rules", [GRID, league(3)], ids=str)
def test_random_runs_are_counted_as_by_hand(rules: Rules) -> None:
    """Each robot-tick counts once; orders of all stretches are the orders of the book."""
    rng = np.random.default_rng(1)
    worlds = worlds_of(Recipe(rules=rules, robots=6, layout=YARD, people=1))
    tally = make_tally(worlds, 393, bins=10)
    by_hand = [Counter[str]() for _ in range(2)]
    visits = np.zeros(worlds.setting.layout.free.size, dtype=np.int64)
    for tick in range(393):
        worlds.reveal()
        for book in worlds.books if tick % 25 == 0 else []:
            assign(book, rng.integers(-1, 15, 6).astype(np.int32), tick)
        goals = worlds.view().goals[:, :, 0].copy()
        ticked = worlds.step(at_random(rules, worlds.shape, rng))
        tally.add(worlds, ticked, goals)
        for own, new in zip(by_hand, shares_by_hand(worlds, ticked, goals), strict=True):
            own.update(new)
        np.add.at(visits, worlds.fleet.cell.ravel(), 1)
    counts = tally.counts
    for world, book in enumerate(worlds.books):
        assert {name: int(getattr(counts, name)[world]) for name in SHARES} == {
            name: by_hand[world][name] for name in SHARES
        }
        assert counts.finished[world].sum() == book.counters[NUM_DONE] > 0
        done = book.ticks[:, LAST][book.ticks[:, LAST] >= 0]
        bins = np.bincount((done - 1) // tally.bin_ticks, minlength=counts.finished.shape[1])
        assert counts.finished[world].tolist() == bins.tolist()
    assert (counts.visits == visits).all()
    still = counts.waiting.sum() + counts.refused.sum()
    assert counts.stopped.sum() == still
    assert (counts.stopped <= counts.visits).all()


def test_shares_of_a_driven_run_sum_to_all_robot_ticks() -> None:
    """Some robots have no order, are pushed aside, and are delayed as the others are."""
    simulation = alive(Recipe(pool_size=5, robots=25, delays=DelayKind.INDEPENDENT), "pibt")
    simulation.run(60)
    counts = simulation.tally.counts
    sums = sum(getattr(counts, name) for name in SHARES)
    assert np.asarray(sums).tolist() == [25 * 60] * 2
    assert (counts.idle > 0).all()


def test_who_stands_still_is_told_by_the_longest_wait() -> None:
    hall = Layout("hall", np.ones((1, 9), dtype=np.bool_))
    book = new_book(orders_of([[2, 8], [3]]), 2)
    worlds = Worlds(Setting(hall, GRID), np.array([[0, 5]], dtype=np.int32), [book])
    tally = make_tally(worlds, 100)
    for tick in range(20):
        worlds.reveal()
        order = 0 if tick >= 4 and book.counters[NUM_DONE] == 0 else -1
        assign(book, np.array([order, -1], dtype=np.int32), tick)
        goals = worlds.view().goals[:, :, 0]
        drives = worlds.fleet.cell[0, 0] < 2
        actions = np.array([[2 if drives and tick >= 4 else 0, 0]], dtype=np.int8)
        tally.add(worlds, worlds.step(actions), goals)
    # The order came in tick 4, its first errand was done at the end of tick 5, and no second.
    assert tally.counts.longest.tolist() == [[14, 0]]
    assert tally.counts.longest_still.tolist() == [14]


@pytest.mark.parametrize(("ticks", "bins", "shape"), [(1, 100, 1), (250, 100, 84), (100, 7, 7)])
def test_stretches_cover_the_run(ticks: int, bins: int, shape: int) -> None:
    tally = make_tally(worlds_of(Recipe()), ticks, bins)
    assert tally.counts.finished.shape == (2, shape)
    assert tally.bin_ticks * (shape - 1) < ticks <= tally.bin_ticks * shape


def test_a_tally_goes_on_from_a_snapshot_of_its_kind_alone() -> None:
    tally = make_tally(worlds_of(Recipe()), 10)
    snapshot = tally.snapshot()
    for name in snapshot:
        with pytest.raises(InputError, match=f"snapshot: {name} is none of"):
            tally.restore({**snapshot, name: np.zeros((1, 2, 3), dtype=np.int64)})
        with pytest.raises(InputError, match=f"snapshot: {name} is none of"):
            tally.restore({key: array for key, array in snapshot.items() if key != name})
