# SPDX-License-Identifier: Apache-2.0
"""A book as arrays that can be written to a file, and back, without its orders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.warehouse.book import (
    ASSIGNED,
    BEGUN,
    DONE,
    HIDDEN,
    NUM_DONE,
    NUM_ERRANDS,
    NUM_LATE,
    NUM_OPEN,
    NUM_REVEALED,
    OPEN,
    Book,
)

CONSTANTS = ("errand_ptr", "errand_cells", "release_tick", "deadline_tick")


def snapshot(book: Book) -> dict[str, NDArray[Any]]:
    """Copies of all that changes, and the digest of the orders."""
    return {k: array.copy() for k, array in book._asdict().items() if k not in CONSTANTS}


def restore(book: Book, saved: dict[str, NDArray[Any]]) -> None:
    """Go on from a snapshot.

    Args:
        book: of the same orders and as many robots; overwritten.
        saved: what ``snapshot`` gave.

    Raises:
        InputError: the arrays are of another kind, of other orders, or contradict each other; the
            book is as before then.
    """
    own = snapshot(book)
    if saved.keys() != own.keys():
        raise InputError(f"book has {sorted(saved)}; allowed: {sorted(own)}")
    for key, array in own.items():
        other = saved[key]
        if other.shape != array.shape or other.dtype != array.dtype:
            raise InputError(
                f"book has {key} {other.dtype} {list(other.shape)}; allowed: {array.dtype} "
                f"{list(array.shape)}"
            )
    if not np.array_equal(own["digest"], saved["digest"]):
        raise InputError("book has the digest of other orders; allowed: a book of these orders")
    fault = contradiction(book._replace(**saved))
    if fault:
        raise InputError(f"book contradicts itself: {fault}")
    for key in own:
        getattr(book, key)[...] = saved[key]


def contradiction(book: Book) -> str:
    """What is wrong within a book; empty if nothing is. Looks at all orders."""
    checks = (_counters, _states, _robots, _pool)
    return next((fault for check in checks if (fault := check(book))), "")


def _counters(book: Book) -> str:
    expected = {
        NUM_REVEALED: int((book.state != HIDDEN).sum()),
        NUM_OPEN: int((book.state == OPEN).sum()),
        NUM_DONE: int((book.state == DONE).sum()),
        NUM_LATE: int((book.ticks[:, 3] > book.deadline_tick).sum()),
        NUM_ERRANDS: int(book.errand.sum(dtype=np.int64)),
    }
    wrong = [place for place, count in expected.items() if book.counters[place] != count]
    return f"counters[{wrong[0]}] is not {expected[wrong[0]]}" if wrong else ""


def _states(book: Book) -> str:
    if not ((book.state >= HIDDEN) & (book.state <= DONE)).all():
        return "a state that there is not"
    if (book.state[: book.counters[NUM_REVEALED]] == HIDDEN).any():
        return "an order is hidden and a later one is not"
    lengths = np.diff(book.errand_ptr)
    low = np.choose(book.state, [0, 0, 0, 1, lengths])
    high = np.choose(book.state, [0, 0, 0, lengths - 1, lengths])
    return "" if ((low <= book.errand) & (book.errand <= high)).all() else "errand and state"


def _robots(book: Book) -> str:
    working = (book.state == ASSIGNED) | (book.state == BEGUN)
    robots = np.flatnonzero(book.order_of >= 0)
    orders = book.order_of[robots]
    if (book.order_of < -1).any() or (orders >= len(book.state)).any():
        return "order_of has an order that there is not"
    if not np.array_equal(np.sort(orders), np.flatnonzero(working)):
        return "order_of and state"
    if not np.array_equal(book.robot[orders], robots):
        return "order_of and robot"
    has_robot = working | (book.state == DONE)
    fits = (book.robot >= 0) & (book.robot < len(book.order_of))
    return (
        ""
        if np.array_equal(np.where(has_robot, fits, book.robot == -1), np.ones_like(fits))
        else "robot and state"
    )


def _pool(book: Book) -> str:
    count = book.counters[NUM_OPEN]
    listed = book.open_list[:count]
    if not np.array_equal(np.sort(listed), np.flatnonzero(book.state == OPEN)):
        return "open_list and state"
    place = np.full(len(book.state), -1, dtype=np.int32)
    place[listed] = np.arange(count)
    same = np.array_equal(book.open_place, place) and (book.open_list[count:] == -1).all()
    return "" if same else "open_list and open_place"
