# SPDX-License-Identifier: Apache-2.0
"""Watches one world and notes what its output file needs."""

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.warehouse.book import REVEALED
from sim.warehouse.control.interface import View
from sim.warehouse.fleet import Int8s, Int32s
from sim.warehouse.league.delays import LeagueDelays
from sim.warehouse.league.record import LeagueRecord
from sim.warehouse.world import Snapshot, Ticked, Worlds

Rows = NDArray[np.int64]


class LeagueRecorder:
    """World 0 over a run of so many ticks; a ``Watcher``.

    Args:
        worlds: at tick 0.
        ticks: length of the run.
    """

    def __init__(self, worlds: Worlds, ticks: int) -> None:
        robots = worlds.shape[1]
        self._starts = worlds.fleet.cell[0].copy()
        self._executed: Int8s = np.zeros((ticks, robots), dtype=np.int8)
        self._planned: Int8s = np.zeros((ticks, robots), dtype=np.int8)
        # An errand takes a tick at least, and so does a change of hands.
        self._orders: Int32s = np.full((ticks, robots), -1, dtype=np.int32)
        self._events: list[Rows] = [np.empty((0, 4), dtype=np.int64)]
        self._tick = 0

    def watch(self, worlds: Worlds, view: View, actions: Int8s, ticked: Ticked) -> None:
        """Note what was told, and what came of it."""
        del worlds, view
        self._orders[self._tick] = ticked.orders[0]
        self._executed[self._tick] = ticked.moved.executed[0]
        self._planned[self._tick] = actions[0]
        self._events.append(ticked.events[0])
        self._tick += 1

    def record(
        self, worlds: Worlds, delays: LeagueDelays, planner_seconds: NDArray[np.float64]
    ) -> LeagueRecord:
        """All that was noted.

        Args:
            worlds: at the end of the run.
            delays: those that the robots had.
            planner_seconds: ``[P]`` measured.
        """
        book = worlds.books[0]
        revealed = np.flatnonzero(book.ticks[:, REVEALED] >= 0)
        return LeagueRecord(
            starts=self._starts,
            executed=self._executed,
            planned=self._planned,
            delay_intervals=delays.intervals(),
            events=np.concatenate(self._events),
            assignments=_changes(self._orders),
            revealed_ticks=book.ticks[revealed, REVEALED],
            orders=tuple(
                book.errand_cells[book.errand_ptr[order] : book.errand_ptr[order + 1]]
                for order in revealed
            ),
            planner_seconds=planner_seconds,
        )

    def snapshot(self) -> Snapshot:
        """What was noted so far."""
        return {
            "starts": self._starts.copy(),
            "executed": self._executed.copy(),
            "planned": self._planned.copy(),
            "orders": self._orders.copy(),
            "events": np.concatenate(self._events),
            "tick": np.array(self._tick),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: it is of another run.
        """
        own = {"starts": self._starts, "executed": self._executed, "planned": self._planned,
               "orders": self._orders}  # fmt: skip
        for name, array in own.items():
            given = snapshot.get(name)
            if given is None or given.shape != array.shape:
                raise InputError(f"snapshot: {name} is of another run")
            array[:] = given
        for name, shape in (("events", (-1, 4)), ("tick", ())):
            given = snapshot.get(name)
            if given is None or given.shape[1:] != shape[1:] or given.ndim != len(shape):
                raise InputError(f"snapshot: {name} is of another run")
        self._events = [snapshot["events"].copy()]
        self._tick = int(snapshot["tick"])


def _changes(orders: Int32s) -> Rows:
    """``[A, 3]`` tick, robot and order whenever a robot gets another one."""
    before = np.vstack([np.full_like(orders[:1], -1), orders[:-1]])
    ticks, robots = np.nonzero(orders != before)
    return np.stack([ticks, robots, orders[ticks, robots]], axis=1).astype(np.int64)
