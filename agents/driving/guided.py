# SPDX-License-Identifier: Apache-2.0
"""A policy that wishes, and PIBT that sees to it that nothing collides and nobody is stuck."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.driving.policy import PolicyController
from sim.distances import Neighbours
from sim.errors import InputError
from sim.warehouse.control.fields import distances
from sim.warehouse.control.interface import NO_GOAL, View
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.rules import WAIT, Gait
from sim.warehouse.world import inner, outer

PATIENCE_TICKS = 8
"""A robot that did not get nearer to its goal for so long loses its wish until it does."""

NO_WISH = -1
_TURNS = np.array([0, 0, 1, 3])
"""Quarters to the right, by the actions of robots that turn."""


class GuidedController:
    """Robots go where a policy wants, as far as PIBT lets them.

    Wishes alone could keep a robot from its goal for ever, by waiting or running in circles. So the
    wish of a robot counts only while it gets nearer to its goal now and then; the others go where
    PIBT goes, whose highest robot always gets nearer.

    Args:
        policy: says what robots want; on the fields of ``pibt``.
        pibt: decides.
    """

    def __init__(self, policy: PolicyController, pibt: PibtController) -> None:
        self._policy, self._pibt = policy, pibt
        empty = np.zeros((len(pibt.keys), 0), dtype=np.int32)
        self._aim, self._nearest, self._since = empty, empty.copy(), empty.copy()

    def act(self, view: View) -> Int8s:
        """``[W, N]``: an action for each robot.

        Raises:
            InputError: as of the policy and of PIBT.
        """
        turning = self._pibt.rules.gait is Gait.TURNING
        actions = self._policy.act(view)
        wished = wished_cells(self._pibt.fields.neighbours, turning, view.fleet, actions)
        wished[self._without_progress(view)] = NO_WISH
        return self._pibt.act(view, wished)

    def _without_progress(self, view: View) -> NDArray[np.bool_]:
        """``[W, N]``: who has no goal, or was as near to it ``PATIENCE_TICKS`` ago."""
        fields, goals = self._pibt.fields, view.goals[:, :, 0].copy()
        rows = fields.rows(goals)
        here = distances(fields.arrays, rows, view.fleet.cell)
        if self._aim.shape != goals.shape:
            self._aim = np.full(goals.shape, NO_GOAL, dtype=np.int32)
            self._nearest, self._since = here, np.zeros_like(here)
        nearer = (self._aim != goals) | (here < self._nearest)
        self._since = np.where(nearer, 0, self._since + 1).astype(np.int32)
        self._nearest, self._aim = np.where(nearer, here, self._nearest), goals
        return np.asarray((goals == NO_GOAL) | (self._since >= PATIENCE_TICKS))

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What both remember, and of each robot the goal, the least way that was left to it, and
        the ticks since then, all ``[W, N]``."""
        own = {"aim": self._aim, "nearest": self._nearest, "since": self._since}
        return {
            **{name: array.copy() for name, array in own.items()},
            **outer(self._policy.snapshot(), "policy"),
            **outer(self._pibt.snapshot(), "pibt"),
        }

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller.
        """
        own = {name: array for name, array in snapshot.items() if "/" not in name}
        kinds = {name: (array.dtype.name, array.shape) for name, array in own.items()}
        if set(kinds) != {"aim", "nearest", "since"} or len(set(kinds.values())) != 1:
            raise InputError(
                f"snapshot of a guided policy has {kinds}; allowed: aim, nearest and since, int32 "
                "[worlds, robots]"
            )
        self._policy.restore(inner(snapshot, "policy"))
        self._pibt.restore(inner(snapshot, "pibt"))
        self._aim, self._nearest, self._since = (
            own[name].copy() for name in ("aim", "nearest", "since")
        )


def wished_cells(neighbours: Neighbours, turning: bool, fleet: Fleet, actions: Int8s) -> Int32s:
    """``[W, N]`` the cell that an action leads to, or will after the turn; the own one for a wait
    and at an obstacle."""
    cell = fleet.cell
    way = (fleet.heading + _TURNS[actions]) & 3 if turning else (actions - 1) & 3
    ahead = neighbours[cell, way]
    return np.where((actions == WAIT) | (ahead < 0), cell, ahead).astype(np.int32)
