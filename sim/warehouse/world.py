# SPDX-License-Identifier: Apache-2.0
"""Some worlds of one floor: robots, orders, delays and people, one tick after the other."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.distances import neighbour_table
from sim.errors import InputError, require
from sim.layout import Layout
from sim.warehouse import book_snapshot
from sim.warehouse.book import Book
from sim.warehouse.book_changes import next_goals, reveal, visit
from sim.warehouse.control.interface import View
from sim.warehouse.fleet import Fleet, Int8s, Int32s, fleet_at, require_starts
from sim.warehouse.motion import Bools, Motion, Moved
from sim.warehouse.orders import Orders, require_errands
from sim.warehouse.rules import Rules

Snapshot = dict[str, NDArray[Any]]
Int64s = NDArray[np.int64]


class Delays(Protocol):
    """Stops robots for a while."""

    def advance(self, tick: int, delay_ticks: Int32s) -> None:
        """Count ``[W, N]`` down by one in place, then draw new delays among those at 0."""

    def snapshot(self) -> Snapshot:
        """What it remembers."""

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""


class Walkers(Protocol):
    """People, who close cells for robots."""

    @property
    def closed(self) -> Bools:
        """``[W, cells]`` where no robot may begin to enter."""

    def advance(self, tick: int) -> None:
        """Walk for one tick."""

    def snapshot(self) -> Snapshot:
        """What it remembers."""

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""


@dataclass(frozen=True)
class Setting:
    """What all worlds have in common.

    Args:
        layout: the floor.
        rules: of motion.
        pool_size: orders that are kept known and not done (the league's rule); 0: each is known
            from its release tick on.
        goals_ahead: how many errands of its order a controller sees.
        apart: ``[cells, 4]`` bool, moves in which a robot follows nobody; None: nowhere.
    """

    layout: Layout
    rules: Rules
    pool_size: int = 0
    goals_ahead: int = 4
    apart: Bools | None = None

    def __post_init__(self) -> None:
        require("pool_size", self.pool_size, self.pool_size >= 0, "0 or more")
        require("goals_ahead", self.goals_ahead, 1 <= self.goals_ahead <= 64, "1 to 64")


class Ticked(NamedTuple):
    """What one tick brought.

    Args:
        moved: of ``Motion``.
        delayed: ``[W, N]`` who stood still because of a delay.
        orders: ``[W, N]`` what each robot worked on, -1 nothing.
        events: for each world ``[*, 4]``: tick, robot, order, errands of it that are done.
    """

    moved: Moved
    delayed: Bools
    orders: Int32s
    events: list[Int64s]


class Worlds:
    """W worlds with N robots each.

    Args:
        setting: what they have in common.
        starts: ``[W, N]`` distinct free cells.
        books: the orders of each world.
        delays, people: of all worlds; None: none.

    Raises:
        InputError: starts that are no floor or shared, not one book for each world and for its
            robots, or orders at obstacles.
    """

    def __init__(
        self,
        setting: Setting,
        starts: Int32s,
        books: list[Book],
        delays: Delays | None = None,
        people: Walkers | None = None,
    ) -> None:
        require_starts(setting.layout, starts)
        require("books", len(books), len(books) == len(starts), f"one per world, {len(starts)}")
        for book in books:
            robots = len(book.order_of)
            fits = robots == starts.shape[1]
            require("robots of a book", robots, fits, f"{starts.shape[1]}, those who start")
            require_errands(setting.layout, Orders(*book[:4]))
        self.setting, self.books = setting, books
        self.fleet: Fleet = fleet_at(starts)
        self.tick = 0
        self._delays, self.people = delays, people
        self._motion = Motion(neighbour_table(setting.layout), setting.rules, setting.apart)
        self._goals = np.empty((*starts.shape, setting.goals_ahead), dtype=np.int32)
        self._events = np.empty((starts.shape[1], 4), dtype=np.int64)

    @property
    def shape(self) -> tuple[int, int]:
        """W and N."""
        worlds, robots = self.fleet.cell.shape
        return int(worlds), int(robots)

    def reveal(self) -> None:
        """Orders become known; once at the start of each tick."""
        for book in self.books:
            reveal(book, self.tick, self.setting.pool_size)

    def view(self) -> View:
        """What a controller sees now; arrays are ours and change with the next tick."""
        for world, book in enumerate(self.books):
            next_goals(book, self._goals[world])
        closed = None if self.people is None else self.people.closed
        return View(self.tick, self.fleet, self._goals, closed)

    def step(self, actions: Int8s) -> Ticked:
        """One tick: delays, motion, errands done, people walk.

        Args:
            actions: ``[W, N]``.

        Raises:
            InputError: actions of another shape or out of range; nothing has changed then.
        """
        moved = self.move(actions)
        orders = np.stack([book.order_of for book in self.books])
        events = [self._visit(world, book) for world, book in enumerate(self.books)]
        if self.people is not None:
            self.people.advance(self.tick)
        return Ticked(moved, self.fleet.delay_ticks > 0, orders, events)

    def move(self, actions: Int8s) -> Moved:
        """The delays and the motion of a tick alone, for who does the rest of ``step`` otherwise.

        Args:
            actions: ``[W, N]``.

        Raises:
            InputError: actions of another shape or out of range; nothing has changed then.
        """
        closed = None if self.people is None else self.people.closed
        self._motion.check(self.fleet, actions)
        if self._delays is not None:
            self._delays.advance(self.tick, self.fleet.delay_ticks)
        moved = self._motion.step(self.fleet, actions, closed)
        self.tick += 1
        return moved

    def _visit(self, world: int, book: Book) -> Int64s:
        count = visit(book, self.fleet.cell[world], self.tick, self._events, 0)
        return self._events[:count].copy()

    def snapshot(self) -> Snapshot:
        """Where all stands, as arrays."""
        parts = {f"fleet/{name}": array.copy() for name, array in self.fleet._asdict().items()}
        parts["tick"] = np.array(self.tick)
        for world, book in enumerate(self.books):
            parts |= outer(book_snapshot.snapshot(book), f"book-{world}")
        for name, part in self._parts().items():
            parts |= outer(part.snapshot(), name)
        return parts

    def restore(self, snapshot: Snapshot) -> None:
        """Go on exactly where the snapshot of such worlds was taken.

        Raises:
            InputError: the arrays are not those of such worlds, or of other orders; some parts may
                have changed then.
        """
        own = self.snapshot()
        if snapshot.keys() != own.keys():
            odd = sorted(snapshot.keys() ^ own.keys())
            raise InputError(f"snapshot differs in {', '.join(odd[:3])}; it is of other worlds")
        for name in ("tick", *(f"fleet/{name}" for name in self.fleet._fields)):
            given, array = snapshot[name], own[name]
            if given.shape != array.shape or given.dtype != array.dtype:
                raise InputError(
                    f"snapshot: {name} is {given.dtype} {list(given.shape)}; "
                    f"allowed: {array.dtype} {list(array.shape)}"
                )
        for world, book in enumerate(self.books):
            book_snapshot.restore(book, inner(snapshot, f"book-{world}"))
        for name, part in self._parts().items():
            part.restore(inner(snapshot, name))
        for name, array in self.fleet._asdict().items():
            array[:] = snapshot[f"fleet/{name}"]
        self.tick = int(snapshot["tick"])

    def _parts(self) -> dict[str, Delays | Walkers]:
        parts: dict[str, Delays | Walkers | None] = {"delays": self._delays, "people": self.people}
        return {name: part for name, part in parts.items() if part is not None}


def outer(snapshot: Snapshot, name: str) -> Snapshot:
    """A snapshot as the part ``name/`` of a larger one."""
    return {f"{name}/{key}": array for key, array in snapshot.items()}


def inner(snapshot: Snapshot, name: str) -> Snapshot:
    """The part of a snapshot below ``name/``."""
    start = f"{name}/"
    return {
        key.removeprefix(start): array for key, array in snapshot.items() if key.startswith(start)
    }
