# SPDX-License-Identifier: Apache-2.0
"""Errands and orders of W worlds in one tick, compiled: a call for each world takes longer.

``Worlds.step``, ``reveal`` and ``view`` do the same world by world, and the tests compare.
"""

from typing import Any

import numpy as np
from numba.typed import List
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.book import NUM_DONE, NUM_OPEN, Book
from sim.warehouse.book_changes import assign, next_goals, reveal, visit
from sim.warehouse.control.fields import UNREACHABLE, FieldArrays, distance
from sim.warehouse.fleet import Int32s

Books = Any
"""A numba list of the W books; it shares their arrays."""


@kernel
def stack(book: Book, worlds: int) -> Books:
    """A list that holds one book ``worlds`` times, to be replaced by ``put``."""
    books = List()
    for _ in range(worlds):
        books.append(book)
    return books


@kernel
def put(books: Books, world: int, book: Book) -> None:
    """Another book for a world."""
    books[world] = book


@kernel
def finish(
    books: Books, cell: Int32s, tick: int, errand_reward: float, order_reward: float,
    rewards: NDArray[np.float32], done: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Robots that stand on their next errand have done it.

    Args:
        books: changed.
        cell: ``[W, N]`` where the robots are.
        tick: the present one.
        errand_reward, order_reward: what they are worth.
        rewards: ``[W, N]``, to which that is added.
        done: ``[W]`` gets whether all orders are done.
    """
    events = np.empty((cell.shape[1], 4), dtype=np.int64)
    for world in range(len(books)):
        book = books[world]
        for i in range(visit(book, cell[world], tick, events, 0)):
            robot, order = events[i, 1], events[i, 2]
            rewards[world, robot] += errand_reward
            if events[i, 3] == book.errand_ptr[order + 1] - book.errand_ptr[order]:
                rewards[world, robot] += order_reward
        done[world] = book.counters[NUM_DONE] == len(book.state)


@kernel
def wanted(books: Books, tick: int, pool_size: int, orders: Int32s, cells: Int32s) -> None:
    """Orders become known; those that free robots may choose from.

    Args:
        books: changed.
        tick: the present one.
        pool_size: see ``reveal``.
        orders: ``[W, L]`` gets the oldest open orders, -1 beyond; none if nobody is free.
        cells: ``[W, L]`` gets their first errands.
    """
    for world in range(len(books)):
        book = books[world]
        reveal(book, tick, pool_size)
        orders[world], cells[world] = -1, -1
        if not (book.order_of < 0).any():
            continue
        oldest = np.sort(book.open_list[: book.counters[NUM_OPEN]])
        for k in range(min(len(oldest), orders.shape[1])):
            orders[world, k] = oldest[k]
            cells[world, k] = book.errand_cells[book.errand_ptr[oldest[k]]]


@kernel
def give(
    books: Books, tick: int, cell: Int32s, orders: Int32s, rows: Int32s, fields: FieldArrays,
    goals: Int32s,
) -> None:  # fmt: skip
    """Free robots get orders: the shortest way first, of equals the lower robot, the older order.

    Args:
        books: changed.
        tick: the present one.
        cell: ``[W, N]`` where the robots are.
        orders: ``[W, L]`` of ``wanted``; those given become -1.
        rows: ``[W, L]`` of their first errands in ``fields``.
        fields: distances.
        goals: ``[W, N, K]`` gets the next errands of each robot.
    """
    for world in range(len(books)):
        book = books[world]
        if orders[world, 0] >= 0:
            order_for = book.order_of.copy()
            while _give_nearest(order_for, cell[world], orders[world], rows[world], fields):
                pass
            assign(book, order_for, tick)
        next_goals(book, goals[world])


@kernel
def _give_nearest(
    order_for: Int32s, cell: Int32s, orders: Int32s, rows: Int32s, fields: FieldArrays
) -> bool:
    """Give one order; whether there was one to give."""
    nearest, who, which = UNREACHABLE, -1, -1
    for robot in range(len(cell)):
        if order_for[robot] >= 0:
            continue
        for k in range(len(orders)):
            if orders[k] >= 0:
                way = distance(fields, rows[k], cell[robot])
                if way < nearest:
                    nearest, who, which = way, robot, k
    if who < 0:
        return False
    order_for[who] = orders[which]
    orders[which] = -1
    return True
