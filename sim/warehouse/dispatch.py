# SPDX-License-Identifier: Apache-2.0
"""Who works on which order: looked at anew every few ticks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.layout import Layout
from sim.warehouse.assignment import AssignmentMethod, assign_orders
from sim.warehouse.book import ASSIGNED, Book, open_orders
from sim.warehouse.book_changes import assign
from sim.warehouse.control.fields import Fields
from sim.warehouse.dispatch_costs import costs, distances_for, manhattan
from sim.warehouse.fleet import Int32s
from sim.warehouse.world import Snapshot, Worlds

NO_ORDER = -1


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
    """Whether an order that is not begun may go to another robot: of ``look_at`` of them, those
    that are farthest from their robots."""

    look_at: int = 600
    """Of the open orders the oldest so many are looked at, and then the next ones while robots are
    free, 1 to 100000. If memory is too small for the distances to twice as many goals, the way to
    an order and its length are Manhattan distances."""

    def __post_init__(self) -> None:
        require("every_ticks", self.every_ticks, 1 <= self.every_ticks <= 1000, "1 to 1000")
        require("after_ticks", self.after_ticks, 0 <= self.after_ticks <= 1000, "0 to 1000")
        require("look_at", self.look_at, 1 <= self.look_at <= 100_000, "1 to 100000")
        late = self.after_ticks in (0, self.every_ticks)
        require("after_ticks", self.after_ticks, late, f"0, or every_ticks, {self.every_ticks}")


class Dispatcher:
    """Gives orders to the robots of some worlds.

    Never more than ``look_at`` orders, and as many more that may change hands, are looked at
    together: matrices stay small. Distances are exact if ``fields`` has room for so many goals,
    else they are Manhattan distances: a way that is longer than it looks costs time, not safety.

    Args:
        layout: the floor.
        options: how.
        fields: distances, may be shared with others.
        worlds, robots: W and N.
    """

    def __init__(
        self, layout: Layout, options: DispatchOptions, fields: Fields, worlds: int, robots: int
    ) -> None:
        self._layout, self._options = layout, options
        goals = options.look_at + (min(options.look_at, robots) if options.change else 0)
        self._distances = distances_for(layout, fields, goals)
        self._proposed = np.full((worlds, robots), NO_ORDER, dtype=np.int32)
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
        free, orders = proposed < 0, open_orders(book)
        most = self._options.look_at
        if not free.any() or not len(orders):
            return proposed  # nobody is free, or nothing to do: nothing that could be better
        held = self._held(book, cells) if self._options.change else np.empty(0, dtype=np.int64)
        robots = np.sort(np.concatenate([np.flatnonzero(free), held]))
        self._match(book, cells, robots, np.concatenate([orders[:most], proposed[held]]), proposed)
        for start in range(most, len(orders), most):
            robots = robots[proposed[robots] < 0]
            if not len(robots):
                break
            self._match(book, cells, robots, orders[start : start + most], proposed)
        return proposed

    def _held(self, book: Book, cells: Int32s) -> NDArray[np.int64]:
        """Robots that have not begun their order: of too many those with the longest ways."""
        held: NDArray[np.int64] = np.flatnonzero(book.order_of >= 0)
        held = held[book.state[book.order_of[held]] == ASSIGNED]
        if len(held) <= self._options.look_at:
            return held
        goals = book.errand_cells[book.errand_ptr[book.order_of[held]]]
        away = manhattan(self._layout.width, cells[held], goals)
        farthest = np.argsort(-away, kind="stable")[: self._options.look_at]
        return held[np.sort(farthest)]

    def _match(
        self,
        book: Book,
        cells: Int32s,
        robots: NDArray[np.int64],
        orders: Int32s,
        proposed: Int32s,
    ) -> None:
        """Pair some robots with some orders; ``proposed`` is changed."""
        cost = costs(self._distances, book, cells[robots], orders)
        chosen = assign_orders(self._options.assignment, cost)
        proposed[robots] = np.where(chosen >= 0, orders[chosen], NO_ORDER)

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
