# SPDX-License-Identifier: Apache-2.0
"""The book of one world: what is known of every order, and who works on it.

What happens to it is in ``book_changes.py``.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import require
from sim.jit import kernel
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.orders import Int64s, Orders

HIDDEN, OPEN, ASSIGNED, BEGUN, DONE = 0, 1, 2, 3, 4
"""States: not known yet; nobody has it; a robot has it; and has done an errand of it; done."""

NUM_REVEALED, NUM_OPEN, NUM_DONE, NUM_LATE, NUM_ERRANDS = 0, 1, 2, 3, 4
"""Places in ``Book.counters``: orders revealed (so the next to be), open, done, done late; errands
done."""

REVEALED, GIVEN, FIRST, LAST = 0, 1, 2, 3
"""Columns of ``Book.ticks``: when an order was revealed, last given to a robot, its first errand
was done, and its last one."""


class Book(NamedTuple):
    """M orders and N robots of one world.

    Args:
        errand_ptr, errand_cells, release_tick, deadline_tick: of ``Orders``; never changed.
        digest: uint8 ``[32]`` of these four; never changed.
        state: int8 ``[M]``.
        robot: int32 ``[M]`` who has it, or has done it; -1 nobody.
        errand: int32 ``[M]`` how many errands are done, so the number of the next one.
        ticks: int64 ``[M, 4]``, -1 for what has not happened.
        order_of: int32 ``[N]`` what each robot works on; -1 nothing.
        open_list: int32 ``[M]``; the first ``counters[NUM_OPEN]`` are the open orders, in a
            sequence that depends on all that happened (``open_orders`` sorts them).
        open_place: int32 ``[M]`` where in ``open_list`` an order stands; -1 nowhere.
        counters: int64 ``[5]``.
    """

    errand_ptr: Int64s
    errand_cells: Int32s
    release_tick: Int64s
    deadline_tick: Int64s
    digest: NDArray[np.uint8]
    state: Int8s
    robot: Int32s
    errand: Int32s
    ticks: Int64s
    order_of: Int32s
    open_list: Int32s
    open_place: Int32s
    counters: Int64s


def new_book(orders: Orders, num_robots: int) -> Book:
    """Nothing is known yet, and nobody works.

    Raises:
        InputError: less than one robot.
    """
    require("num_robots", num_robots, num_robots >= 1, "1 or more")
    constants = orders.errand_ptr, orders.errand_cells, orders.release_tick, orders.deadline_tick
    digest = hashlib.sha256(b"".join(array.tobytes() for array in constants)).digest()
    count = len(orders)
    return Book(
        *constants,
        digest=np.frombuffer(digest, dtype=np.uint8).copy(),
        state=np.full(count, HIDDEN, dtype=np.int8),
        robot=np.full(count, -1, dtype=np.int32),
        errand=np.zeros(count, dtype=np.int32),
        ticks=np.full((count, 4), -1, dtype=np.int64),
        order_of=np.full(num_robots, -1, dtype=np.int32),
        open_list=np.full(count, -1, dtype=np.int32),
        open_place=np.full(count, -1, dtype=np.int32),
        counters=np.zeros(5, dtype=np.int64),
    )


def open_orders(book: Book) -> Int32s:
    """The open orders, ascending, so the one that waits longest comes first."""
    return np.sort(book.open_list[: book.counters[NUM_OPEN]])


@kernel
def put_in_pool(book: Book, order: int) -> None:
    """Make an order open; it must not be open already."""
    place = book.counters[NUM_OPEN]
    book.state[order] = OPEN
    book.robot[order] = -1
    book.open_list[place] = order
    book.open_place[order] = place
    book.counters[NUM_OPEN] = place + 1


@kernel
def take_from_pool(book: Book, order: int) -> None:
    """Remove an open order from the list; the last one takes its place."""
    last = book.counters[NUM_OPEN] - 1
    place, moved = book.open_place[order], book.open_list[last]
    book.open_list[place] = moved
    book.open_place[moved] = place
    book.open_list[last] = -1
    book.open_place[order] = -1
    book.counters[NUM_OPEN] = last
