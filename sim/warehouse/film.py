# SPDX-License-Identifier: Apache-2.0
"""Where the robots of one world were in each tick of a stretch of its life, to be shown."""

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.warehouse.book import BEGUN
from sim.warehouse.control.interface import View
from sim.warehouse.fleet import Int8s
from sim.warehouse.rules import FORWARD, Gait
from sim.warehouse.world import Snapshot, Ticked, Worlds

TENTHS = 10
FREE, CALLED, BUSY = 0, 1, 2
_DOWN, _RIGHT = np.array([-1, 0, 1, 0]), np.array([0, 1, 0, -1])


class Film:
    """The first robots of world 0 over the first ticks; a ``Watcher``.

    Args:
        ticks: most ticks that are kept.
        robots: most robots that are shown.
        worlds: whose; the first picture is taken now.
    """

    def __init__(self, worlds: Worlds, ticks: int, robots: int) -> None:
        shown = min(robots, worlds.shape[1])
        self.x: NDArray[np.int32] = np.zeros((ticks + 1, shown), dtype=np.int32)
        """``[ticks + 1, robots]`` columns, in tenths of a cell."""
        self.y: NDArray[np.int32] = np.zeros_like(self.x)
        """Rows, in tenths of a cell."""
        self.heading: Int8s = np.zeros((ticks + 1, shown), dtype=np.int8)
        """0 north, 1 east, 2 south, 3 west."""
        self.work: Int8s = np.zeros((ticks + 1, shown), dtype=np.int8)
        """``FREE`` without an order, ``CALLED`` before its first errand, ``BUSY`` after it."""
        self.length = 0
        self._take(worlds)

    def watch(self, worlds: Worlds, view: View, actions: Int8s, ticked: Ticked) -> None:
        """One more picture, if there is room."""
        del view, actions, ticked
        self._take(worlds)

    def _take(self, worlds: Worlds) -> None:
        if self.length == len(self.x):
            return
        at, shown = self.length, self.x.shape[1]
        fleet, rules = worlds.fleet, worlds.setting.rules
        cell, heading = fleet.cell[0, :shown], fleet.heading[0, :shown]
        doing, progress = fleet.doing[0, :shown], fleet.progress[0, :shown]
        drives = doing == FORWARD if rules.gait is Gait.TURNING else doing > 0
        tenths = np.where(drives, TENTHS * progress // rules.ticks_per_action, 0)
        row, column = np.divmod(cell, worlds.setting.layout.width)
        self.x[at] = TENTHS * column + tenths * _RIGHT[heading]
        self.y[at] = TENTHS * row + tenths * _DOWN[heading]
        self.heading[at] = heading
        book = worlds.books[0]
        orders = book.order_of[:shown]
        begun = np.append(book.state == BEGUN, False)[orders]  # there may be no order at all
        self.work[at] = np.where(orders >= 0, np.where(begun, BUSY, CALLED), FREE)
        self.length += 1

    def snapshot(self) -> Snapshot:
        """The pictures so far."""
        return {
            "x": self.x.copy(),
            "y": self.y.copy(),
            "heading": self.heading.copy(),
            "work": self.work.copy(),
            "length": np.array(self.length),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: it is of another film.
        """
        for name, own in self.snapshot().items():
            given = snapshot.get(name)
            if given is None or given.shape != own.shape:
                raise InputError(f"snapshot: {name} is of another film")
        for name in ("x", "y", "heading", "work"):
            getattr(self, name)[:] = snapshot[name]
        self.length = int(snapshot["length"])
