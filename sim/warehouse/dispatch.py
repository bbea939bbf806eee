# SPDX-License-Identifier: Apache-2.0
"""Who works on which order: looked at anew every few ticks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.layout import Layout
from sim.warehouse.assignment import UNREACHABLE as NO_PAIR
from sim.warehouse.assignment import AssignmentMethod, assign_orders
from sim.warehouse.book import ASSIGNED, Book, open_orders
from sim.warehouse.book_changes import assign
from sim.warehouse.control.fields import UNREACHABLE, Fields
from sim.warehouse.fleet import Int32s
from sim.warehouse.world import Snapshot, Worlds

NO_ORDER = -1
Costs = NDArray[np.int64]


@dataclass(frozen=True)
class DispatchOptions:
    """Who gets which order."""

    assignment: AssignmentMethod = AssignmentMethod.OPTIMAL
    """How robots and orders are paired by their costs: the way to the first errand and on to the
    last."""

    every_ticks: int = 1
    """Robots are given orders every so many ticks, 1 to 1000."""

    after_ticks: int = 0
    """What is decided takes effect so many ticks later, 0 to 1000: the time to think. The League of
    Robot Runners has 10 for both."""

    change: bool = True
    """Whether an order that is not begun may go to another robot."""

    look_at: int = 600
    """Of the open orders the oldest so many are looked at, 1 to 100000."""

    def __post_init__(self) -> None:
        require("every_ticks", self.every_ticks, 1 <= self.every_ticks <= 1000, "1 to 1000")
        require("after_ticks", self.after_ticks, 0 <= self.after_ticks <= 1000, "0 to 1000")
        require("look_at", self.look_at, 1 <= self.look_at <= 100_000, "1 to 100000")
        late = self.after_ticks in (0, self.every_ticks)
        require("after_ticks", self.after_ticks, late, f"0, or every_ticks, {self.every_ticks}")


class Dispatcher:
    """Gives orders to the robots of some worlds.

    Args:
        layout: the floor.
        options: how.
        fields: distances, may be shared with others.
        worlds, robots: W and N.
    """

    def __init__(
        self, layout: Layout, options: DispatchOptions, fields: Fields, worlds: int, robots: int
    ) -> None:
        self._layout, self._options, self._fields = layout, options, fields
        self._proposed = np.full((worlds, robots), NO_ORDER, dtype=np.int32)
        self._lengths: dict[tuple[int, ...], int] = {}
        self.refused = 0

    def dispatch(self, worlds: Worlds) -> None:
        """Give out orders, if this is a tick for that; after ``Worlds.reveal``."""
        if worlds.tick % self._options.every_ticks:
            return
        for world, book in enumerate(worlds.books):
            if not len(book.state):
                continue
            cells = worlds.fleet.cell[world]
            if self._options.after_ticks:
                self._give(book, _still_legal(book, self._proposed[world]), worlds.tick)
                self._proposed[world] = self.propose(book, cells)
            else:
                self._give(book, self.propose(book, cells), worlds.tick)

    def _give(self, book: Book, order_for: Int32s, tick: int) -> None:
        self.refused += int((assign(book, order_for, tick) != 0).sum())

    def propose(self, book: Book, cells: Int32s) -> Int32s:
        """``[N]`` the order of each robot, -1 none.

        Args:
            book: of one world.
            cells: ``[N]`` where its robots are.
        """
        proposed = book.order_of.copy()
        changes = book.order_of < 0
        orders = open_orders(book)[: self._options.look_at]
        if not changes.any() or not len(orders):
            return proposed  # nobody is free, or nothing to do: nothing that could be better
        if self._options.change:
            held = (book.order_of >= 0) & (book.state[book.order_of] == ASSIGNED)
            orders = np.concatenate([orders, book.order_of[held]])
            changes |= held
        robots = np.flatnonzero(changes)
        cost = self._costs(book, cells[robots], orders)
        chosen = assign_orders(self._options.assignment, cost)
        proposed[robots] = np.where(chosen >= 0, orders[chosen], NO_ORDER)
        return proposed

    def _costs(self, book: Book, cells: Int32s, orders: Int32s) -> Costs:
        """``[R, M]`` moves from each robot through all errands of each order."""
        first = book.errand_cells[book.errand_ptr[orders]]
        rows, arrays = self._fields.rows(first), self._fields.arrays
        way = arrays.data[rows[:, None], arrays.index[cells]].T.astype(np.int64)
        length = np.array([self._length(book, int(order)) for order in orders], dtype=np.int64)
        return np.where(way >= UNREACHABLE, NO_PAIR, way + length)

    def _length(self, book: Book, order: int) -> int:
        """Moves from the first errand to the last; ``NO_PAIR`` where no way leads on."""
        cells = tuple(book.errand_cells[book.errand_ptr[order] : book.errand_ptr[order + 1]])
        if cells not in self._lengths:
            rows = self._fields.rows(np.array(cells, dtype=np.int32))
            data, index = self._fields.arrays
            legs = data[rows[1:], index[np.array(cells[:-1], dtype=np.int64)]]
            cut = (legs >= UNREACHABLE).any()
            self._lengths[cells] = NO_PAIR if cut else int(legs.sum(dtype=np.int64))
        return self._lengths[cells]

    def snapshot(self) -> Snapshot:
        """What is proposed and not yet in effect."""
        return {"proposed": self._proposed.copy(), "refused": np.array(self.refused)}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: it is of other worlds.
        """
        shapes = {name: array.shape for name, array in snapshot.items()}
        if shapes != {"proposed": self._proposed.shape, "refused": ()}:
            raise InputError(f"snapshot of a dispatcher; allowed: {list(self._proposed.shape)}")
        self._proposed[:] = snapshot["proposed"]
        self.refused = int(snapshot["refused"])


def _still_legal(book: Book, proposed: Int32s) -> Int32s:
    """What was proposed some ticks ago, but for robots that began an order in between.

    A robot that has finished its order in between gets nothing now; it was not free then.
    """
    order_for = proposed.copy()
    known = order_for >= 0
    own = book.order_of
    begun = (own >= 0) & (book.state[own] > ASSIGNED)
    order_for[begun] = own[begun]
    states = book.state[np.where(known, proposed, 0)]
    gone = known & ~begun & (states > ASSIGNED)
    order_for[gone] = NO_ORDER
    taken = set(own[begun].tolist())
    for robot in np.flatnonzero(~begun & (order_for >= 0)):
        if int(order_for[robot]) in taken:
            order_for[robot] = NO_ORDER
    return order_for
