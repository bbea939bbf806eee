# SPDX-License-Identifier: Apache-2.0
"""What a controller sees and answers."""

from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from sim.warehouse.fleet import Fleet, Int8s, Int32s

NO_GOAL = -1
"""Stands for the goal of a robot without an order."""


class View(NamedTuple):
    """W worlds as they are at the start of a tick; not to be changed.

    Args:
        tick: its number.
        fleet: the robots.
        goals: ``[W, N, K]`` the cells of the next errands of each robot's order, in sequence; -1
            beyond the last, and for a robot without an order.
        closed: ``[W, cells]`` bool, where robots may not go now, because of people; None: nowhere.
    """

    tick: int
    fleet: Fleet
    goals: Int32s
    closed: NDArray[Any] | None


class Controller(Protocol):
    """Drives the robots of some worlds.

    A robot in the middle of an action goes on with it unless it is told to wait, which pauses it.
    A robot that is delayed does nothing whatever it is told; the controller sees delays that have
    begun, and does not know those that begin in this tick.
    """

    def act(self, view: View) -> Int8s:
        """``[W, N]``: an action of ``sim.warehouse.rules`` for each robot."""

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What it remembers, as arrays."""

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller.
        """
