# SPDX-License-Identifier: Apache-2.0
"""What happens to a book: orders are revealed, given to robots, visited and done.

The kernels change the book in place and never look at all orders. Who may be given which order, and
when new ones are revealed, are the rules of the League of Robot Runners (its Start-Kit, 2026).
"""

import numpy as np

from sim.jit import kernel
from sim.warehouse.book import (
    ASSIGNED,
    BEGUN,
    DONE,
    FIRST,
    GIVEN,
    HIDDEN,
    LAST,
    NUM_DONE,
    NUM_ERRANDS,
    NUM_LATE,
    NUM_REVEALED,
    OPEN,
    REVEALED,
    Book,
    put_in_pool,
    take_from_pool,
)
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.orders import Int64s

UNKNOWN, TWICE, KEEPS, FOREIGN = 1, 2, 4, 8
"""Refusals, which add up: the order is not known or done already; a robot of lower number has it;
the robot has begun another one; a robot of higher number has begun it."""


@kernel
def reveal(book: Book, tick: int, pool_size: int) -> int:
    """Reveal orders in sequence; returns how many are known by now.

    Args:
        book: changed.
        tick: the present one.
        pool_size: how many orders are kept known and not done, whatever their release ticks; 0:
            all whose release tick has come.
    """
    order, counters = book.counters[NUM_REVEALED], book.counters
    while order < len(book.state):
        if pool_size > 0 and order - counters[NUM_DONE] >= pool_size:
            break
        if pool_size == 0 and book.release_tick[order] > tick:
            break
        put_in_pool(book, order)
        book.ticks[order, REVEALED] = tick
        order += 1
    counters[NUM_REVEALED] = order
    return int(order)


@kernel
def assign(book: Book, order_for: Int32s, tick: int) -> Int8s:
    """Give orders to robots; all that are not begun change hands at will.

    What is refused leaves the robot without order, or with the one it has begun.

    Args:
        book: changed.
        order_for: ``[N]`` what each robot is to work on from now on, -1 nothing. A robot that has
            begun an order must be given that one.
        tick: the present one.

    Returns:
        ``[N]`` 0, or the sum of the refusals of this robot.
    """
    refusals = np.zeros(len(book.order_of), dtype=np.int8)
    for order in book.order_of:
        if order >= 0 and book.state[order] == ASSIGNED:
            put_in_pool(book, order)
    for robot in range(len(book.order_of)):
        order = order_for[robot]
        own = book.order_of[robot]
        if order != -1 and not (0 <= order < len(book.state) and HIDDEN < book.state[order] < DONE):
            refusals[robot] += UNKNOWN
            order = -1
        if order >= 0 and 0 <= book.robot[order] < robot:
            refusals[robot] += TWICE
            order = -1
        if own >= 0 and book.state[own] == BEGUN and order != own:
            refusals[robot] += KEEPS
            order = own
        if order >= 0 and book.robot[order] > robot:
            refusals[robot] += FOREIGN
            order = -1
        if order >= 0 and book.state[order] == OPEN:
            take_from_pool(book, order)
            book.state[order] = ASSIGNED
            book.robot[order] = robot
            if order != own:
                book.ticks[order, GIVEN] = tick
        book.order_of[robot] = order
    return refusals


@kernel
def visit(book: Book, cell: Int32s, tick: int, events: Int64s, count: int) -> int:
    """Each robot that stands on the cell of its next errand has done it; one in a tick.

    Args:
        book: changed.
        cell: ``[N]`` where the robots are.
        tick: the present one.
        events: ``[*, 4]`` gets one row for each errand done: tick, robot, order, and how many of
            its errands are done now.
        count: rows of ``events`` that are written already.

    Returns:
        ``count`` and the new ones; those that found no room are counted and not written.
    """
    for robot in range(len(book.order_of)):
        order = book.order_of[robot]
        if order < 0:
            continue
        place = book.errand_ptr[order] + book.errand[order]
        if cell[robot] != book.errand_cells[place]:
            continue
        if book.errand[order] == 0:
            book.state[order] = BEGUN
            book.ticks[order, FIRST] = tick
        book.errand[order] += 1
        book.counters[NUM_ERRANDS] += 1
        if place + 1 == book.errand_ptr[order + 1]:
            _finish(book, order, tick)
        if count < len(events):
            events[count, 0], events[count, 1] = tick, robot
            events[count, 2], events[count, 3] = order, book.errand[order]
        count += 1
    return count


@kernel
def _finish(book: Book, order: int, tick: int) -> None:
    book.state[order] = DONE
    book.ticks[order, LAST] = tick
    book.order_of[book.robot[order]] = -1
    book.counters[NUM_DONE] += 1
    if tick > book.deadline_tick[order]:
        book.counters[NUM_LATE] += 1


@kernel
def next_goals(book: Book, goals: Int32s) -> None:
    """Where every robot has to go.

    Args:
        book: read.
        goals: ``[N, K]`` gets the cells of the next errands; -1 beyond the last, and for a robot
            without order.
    """
    depth = goals.shape[1]
    for robot in range(len(book.order_of)):
        order = book.order_of[robot]
        left = 0
        if order >= 0:
            first = book.errand_ptr[order] + book.errand[order]
            left = min(depth, book.errand_ptr[order + 1] - first)
            for k in range(left):
                goals[robot, k] = book.errand_cells[first + k]
        for k in range(left, depth):
            goals[robot, k] = -1


@kernel
def work(
    book: Book,
    cell: Int32s,
    tick: int,
    pool_size: int,
    events: Int64s,
    count: int,
    goals: Int32s,
) -> int:
    """``visit``, ``reveal`` and ``next_goals`` in one call, as the league ends a tick.

    Called from Python this takes half the time of the three: most of that goes into handing
    over the book. Arguments and result as there.
    """
    count = visit(book, cell, tick, events, count)
    reveal(book, tick, pool_size)
    next_goals(book, goals)
    return count
