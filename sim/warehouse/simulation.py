# SPDX-License-Identifier: Apache-2.0
"""Worlds with somebody who gives out orders and somebody who drives, tick after tick."""

import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.warehouse.control.interface import Controller, View
from sim.warehouse.dispatch import Dispatcher
from sim.warehouse.fleet import Int8s
from sim.warehouse.tally import Tally
from sim.warehouse.world import Snapshot, Ticked, Worlds, inner, outer


class Watcher(Protocol):
    """Sees each tick, and changes nothing."""

    def watch(self, worlds: Worlds, view: View, actions: Int8s, ticked: Ticked) -> None:
        """Look at the worlds after a tick, at what the controller saw of goals and answered (the
        robots in the view have moved on), and at what came of it."""

    def snapshot(self) -> Snapshot:
        """What was seen."""

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""


class Simulation:
    """A run that can be stopped and continued at any tick.

    Args:
        worlds, dispatcher, controller: who live, who gives out orders, who drives.
        tally: counts.
        watchers: by name; they see each tick.
    """

    def __init__(
        self,
        worlds: Worlds,
        dispatcher: Dispatcher,
        controller: Controller,
        tally: Tally,
        watchers: dict[str, Watcher] | None = None,
    ) -> None:
        self.worlds, self.dispatcher, self.controller = worlds, dispatcher, controller
        self.tally, self._watchers = tally, watchers or {}
        self._seconds: list[float] = []

    @property
    def decision_s(self) -> NDArray[np.float64]:
        """CPU seconds of dispatcher and controller in each tick of this process so far."""
        return np.array(self._seconds)

    def run(self, ticks: int) -> None:
        """Live on for so many ticks."""
        for _ in range(ticks):
            self._tick()

    def _tick(self) -> None:
        self.worlds.reveal()
        started_s = time.process_time()
        self.dispatcher.dispatch(self.worlds)
        view = self.worlds.view()
        actions = self.controller.act(view)
        self._seconds.append(time.process_time() - started_s)
        ticked = self.worlds.step(actions)
        self.tally.add(self.worlds, ticked, view.goals[:, :, 0])
        for watcher in self._watchers.values():
            watcher.watch(self.worlds, view, actions, ticked)

    def snapshot(self) -> Snapshot:
        """Where all stands, as arrays."""
        parts = {
            "worlds": self.worlds.snapshot(),
            "dispatcher": self.dispatcher.snapshot(),
            "controller": self.controller.snapshot(),
            "tally": self.tally.snapshot(),
            **{f"watcher-{name}": watcher.snapshot() for name, watcher in self._watchers.items()},
        }
        return {
            key: array for name, part in parts.items() for key, array in outer(part, name).items()
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on exactly where the snapshot of such a run was taken.

        Raises:
            InputError: it is of another one.
        """
        self.worlds.restore(inner(snapshot, "worlds"))
        self.dispatcher.restore(inner(snapshot, "dispatcher"))
        self.controller.restore(inner(snapshot, "controller"))
        self.tally.restore(inner(snapshot, "tally"))
        for name, watcher in self._watchers.items():
            watcher.restore(inner(snapshot, f"watcher-{name}"))
