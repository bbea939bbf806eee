# SPDX-License-Identifier: Apache-2.0
"""The book: equal to the plain one on random histories, and to the league's rules by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.warehouse.book import (
    ASSIGNED,
    BEGUN,
    DONE,
    HIDDEN,
    NUM_DONE,
    NUM_LATE,
    NUM_OPEN,
    OPEN,
    Book,
    new_book,
    open_orders,
)
from sim.warehouse.book_changes import (
    FOREIGN,
    KEEPS,
    TWICE,
    UNKNOWN,
    assign,
    next_goals,
    reveal,
    visit,
    work,
)
from sim.warehouse.book_reference import BookReference
from sim.warehouse.book_snapshot import contradiction, restore, snapshot
from sim.warehouse.orders import Orders, orders_of, repeated

SEEDS = st.integers(0, 2**32 - 1)
CELLS = 4
NO_EVENTS = np.empty((0, 4), dtype=np.int64)


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int32)


def same(one: Book, other: Book) -> bool:
    return all(np.array_equal(array, getattr(other, k)) for k, array in one._asdict().items())


def random_orders(rng: np.random.Generator) -> Orders:
    count = int(rng.integers(0, 25))
    errands = [rng.integers(0, CELLS, rng.integers(1, 4)) for _ in range(count)]
    release = np.sort(rng.integers(0, 20, count))
    return orders_of(errands, release, release + rng.integers(0, 12, count))


def some_wishes(book: Book, rng: np.random.Generator) -> Any:
    """Mostly legal, so that work goes on: what robots have, open orders; and any number."""
    robots = len(book.order_of)
    wishes = book.order_of.copy()
    for robot in range(robots):
        listed = open_orders(book)
        choice = rng.integers(0, 8)
        if choice < 5 and wishes[robot] < 0 and listed.size:
            wishes[robot] = rng.choice(listed)
        elif choice == 5:
            wishes[robot] = rng.integers(-2, len(book.state) + 2)
        elif choice == 6:
            wishes[robot] = wishes[rng.integers(0, robots)]
    return wishes


@given(SEEDS)
def test_random_histories_equal_the_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    orders, robots = random_orders(rng), int(rng.integers(1, 6))
    pool_size = int(rng.integers(0, 6))
    book, plain = new_book(orders, robots), BookReference(orders, robots)
    events, count = np.full((200, 4), -1, dtype=np.int64), 0
    goals = np.empty((robots, 2), dtype=np.int32)
    for tick in range(30):
        plain.reveal(tick, pool_size)
        assert reveal(book, tick, pool_size) == plain.counters()[0]
        if rng.random() < 0.6:
            wishes = some_wishes(book, rng)
            assert assign(book, wishes, tick).tolist() == plain.assign(wishes.tolist(), tick)
        cell = rng.integers(0, CELLS, robots).astype(np.int32)
        count = visit(book, cell, tick, events, count)
        plain.visit(cell.tolist(), tick)
        next_goals(book, goals)
        assert goals.tolist() == plain.next_goals(2)
        for name, array in plain.arrays().items():
            assert np.array_equal(getattr(book, name), array), (tick, name)
        assert contradiction(book) == ""
    assert events[:count].tolist() == [list(event) for event in plain.events]


def test_one_call_does_the_work_of_three() -> None:
    orders = repeated(orders_of([[0, 1], [1], [2, 2]]), 9)
    one, three = new_book(orders, 3), new_book(orders, 3)
    kept = np.full((2, 20, 4), -1, dtype=np.int64)
    goals = np.empty((2, 3, 2), dtype=np.int32)
    counts = [0, 0]
    for tick in range(8):
        cell = ints(tick % 3, (tick + 1) % 3, 2)
        counts[0] = work(one, cell, tick, 4, kept[0], counts[0], goals[0])
        counts[1] = visit(three, cell, tick, kept[1], counts[1])
        reveal(three, tick, 4)
        next_goals(three, goals[1])
        for book in (one, three):
            wishes = book.order_of.copy()
            free = np.flatnonzero(wishes < 0)
            waiting = open_orders(book)[: len(free)]
            wishes[free[: len(waiting)]] = waiting
            assign(book, wishes, tick)
    assert counts[0] == counts[1] > 4
    assert np.array_equal(kept[0], kept[1])
    assert np.array_equal(goals[0], goals[1])
    assert same(one, three)


def begun() -> Book:
    """Orders 0 to 3 are revealed; robot 0 has begun order 0, and robot 1 has order 1."""
    book = new_book(orders_of([[0, 1], [1, 0], [2], [3], [3]]), 2)
    reveal(book, 0, 4)
    assign(book, ints(0, 1), 0)
    visit(book, ints(0, 3), 0, NO_EVENTS, 0)
    return book


def test_states_follow_an_order_through_its_life() -> None:
    book = begun()
    assert book.state.tolist() == [BEGUN, ASSIGNED, OPEN, OPEN, HIDDEN]
    visit(book, ints(1, 3), 5, NO_EVENTS, 0)
    assert book.state[0] == DONE
    assert book.ticks[0].tolist() == [0, 0, 0, 5]
    assert (book.order_of.tolist(), book.robot[0]) == ([-1, 1], 0)


@pytest.mark.parametrize(
    ("wishes", "refusals", "outcome"),
    [
        ((0, 1), (0, 0), [0, 1]),
        ((0, 3), (0, 0), [0, 3]),  # not begun: may be left for another one
        ((0, -1), (0, 0), [0, -1]),  # or for none
        ((0, 4), (0, UNKNOWN), [0, -1]),  # hidden
        ((0, 5), (0, UNKNOWN), [0, -1]),
        ((0, -2), (0, UNKNOWN), [0, -1]),
        ((-1, 1), (KEEPS, 0), [0, 1]),  # begun: stays
        ((1, 1), (KEEPS, 0), [0, 1]),
        ((1, 0), (KEEPS, TWICE), [0, -1]),
        ((9, 0), (UNKNOWN | KEEPS, TWICE), [0, -1]),
    ],
)
def test_a_begun_order_stays_and_others_move(
    wishes: tuple[int, int], refusals: tuple[int, int], outcome: list[int]
) -> None:
    book = begun()
    assert assign(book, ints(*wishes), 1).tolist() == list(refusals)
    assert book.order_of.tolist() == outcome


def test_an_order_goes_to_the_first_who_asks() -> None:
    book = new_book(orders_of([[0], [1]]), 3)
    reveal(book, 0, 0)
    assert assign(book, ints(1, 1, 0), 0).tolist() == [0, TWICE, 0]
    assert book.order_of.tolist() == [1, -1, 0]


def test_nobody_takes_what_a_robot_of_higher_number_has_begun() -> None:
    book = new_book(orders_of([[0, 1]]), 2)
    reveal(book, 0, 0)
    assign(book, ints(-1, 0), 0)
    visit(book, ints(0, 0), 0, NO_EVENTS, 0)
    assert assign(book, ints(0, 0), 1).tolist() == [FOREIGN, 0]
    assert book.order_of.tolist() == [-1, 0]


def test_an_order_can_be_swapped_and_remembers_when() -> None:
    book = new_book(orders_of([[0], [1]]), 2)
    reveal(book, 0, 0)
    assign(book, ints(0, 1), 0)
    assert not assign(book, ints(1, 0), 3).any()
    assert book.ticks[:, 1].tolist() == [3, 3]
    assign(book, ints(1, 0), 4)
    assert book.ticks[:, 1].tolist() == [3, 3]


def test_the_pool_is_kept_full_until_orders_run_out() -> None:
    book = new_book(orders_of([[0]] * 5), 2)
    for tick, revealed in enumerate((3, 5, 5, 5)):
        assert reveal(book, tick, 3) == revealed
        waiting = open_orders(book)[:2]
        assign(book, ints(*waiting, *[-1] * (2 - len(waiting))), tick)
        visit(book, ints(0, 0), tick, NO_EVENTS, 0)
    assert book.counters[NUM_DONE] == 5


def test_orders_appear_at_their_release() -> None:
    book = new_book(orders_of([[0]] * 4, [0, 2, 2, 9]), 1)
    assert [reveal(book, tick, 0) for tick in (0, 1, 2, 8, 9)] == [1, 1, 3, 3, 4]
    assert book.ticks[:, 0].tolist() == [0, 2, 2, 9]


def test_one_errand_in_a_tick_and_late_after_the_deadline() -> None:
    book = new_book(orders_of([[7, 7], [7]], deadline_tick=[1, 0]), 2)
    reveal(book, 0, 0)
    assign(book, ints(0, 1), 0)
    events = np.full((4, 4), -1, dtype=np.int64)
    assert visit(book, ints(7, 0), 0, events, 0) == 1
    assert visit(book, ints(7, 7), 1, events, 1) == 3
    assert events.tolist() == [[0, 0, 0, 1], [1, 0, 0, 2], [1, 1, 1, 1], [-1] * 4]
    assert book.counters[NUM_LATE] == 1


def test_events_without_room_are_counted() -> None:
    book = new_book(orders_of([[7], [7]]), 2)
    reveal(book, 0, 0)
    assign(book, ints(0, 1), 0)
    events = np.full((2, 4), -1, dtype=np.int64)
    assert visit(book, ints(7, 7), 0, events[:1], 0) == 2
    assert events.tolist() == [[0, 0, 0, 1], [-1] * 4]
    assert book.counters[NUM_DONE] == 2


def test_a_book_has_robots() -> None:
    with pytest.raises(InputError, match="num_robots is 0"):
        new_book(orders_of([[0]]), 0)


def test_a_snapshot_brings_the_book_back() -> None:
    book = begun()
    saved = snapshot(book)
    assign(book, ints(0, 2), 1)
    visit(book, ints(1, 2), 1, NO_EVENTS, 0)
    assert book.counters[NUM_DONE] == 2
    restore(book, saved)
    assert same(book, begun())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": None}, "book has"),
        ({"state": np.zeros(4, dtype=np.int8)}, "book has state int8 .4."),
        ({"state": np.zeros(5, dtype=np.int64)}, "book has state int64"),
        ({"digest": np.zeros(32, dtype=np.uint8)}, "other orders"),
        ({"counters": np.array([4, 1, 0, 0, 1])}, r"counters\[1\] is not 2"),
        ({"counters": np.array([9, 2, 0, 0, 1])}, r"counters\[0\] is not 4"),
        ({"order_of": ints(0, -1)}, "order_of and state"),
        ({"order_of": ints(0, 77)}, "an order that there is not"),
        ({"robot": ints(1, 0, -1, -1, -1)}, "order_of and robot"),
        ({"robot": ints(0, 1, -1, -1, 5)}, "robot and state"),
        ({"errand": ints(0, 1, 0, 0, 0)}, "errand and state"),
        ({"state": np.array([BEGUN, 9, OPEN, OPEN, HIDDEN], dtype=np.int8)}, "state that"),
        ({"open_list": ints(2, 2, -1, -1, -1)}, "open_list and state"),
        ({"open_place": ints(-1, -1, 0, 1, -1)}, "open_list and open_place"),
    ],
)
def test_snapshots_of_another_kind_are_refused(change: dict[str, Any], message: str) -> None:
    book = begun()
    saved = {k: v for k, v in {**snapshot(book), **change}.items() if v is not None}
    with pytest.raises(InputError, match=message):
        restore(book, saved)
    assert contradiction(book) == ""


def test_a_book_of_other_orders_is_refused() -> None:
    with pytest.raises(InputError, match="other orders"):
        restore(new_book(orders_of([[0], [1]]), 1), snapshot(new_book(orders_of([[0], [2]]), 1)))


def test_the_open_orders_are_listed_oldest_first() -> None:
    book = begun()
    assign(book, ints(0, 2), 1)
    assert open_orders(book).tolist() == [1, 3]
    assert book.counters[NUM_OPEN] == 2
