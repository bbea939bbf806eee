# SPDX-License-Identifier: Apache-2.0
"""RWARE's warehouse, W worlds of N robots at once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.kernel import write_masks
from sim.environments.rware.layout import RwareLayout
from sim.environments.rware.options import RwareOptions, require_fit
from sim.environments.rware.snapshot import restored, snapshot_of
from sim.environments.rware.state import (
    ACTIONS,
    OVER,
    TICK,
    make_floor,
    make_rules,
    make_scratch,
    make_state,
)
from sim.environments.rware.step import first_wrong, step_all
from sim.errors import InputError, require
from sim.warehouse.chance import Keys

Observations = NDArray[Any]
"""``[W, N, F]`` float32 (``flattened``) or uint8 (``codes``); F is 0 for ``none``."""


class RwareStep(NamedTuple):
    """What one call brought about; it belongs to the caller.

    Where an episode ended, ``observations`` holds its last ones. At the next call the actions of
    that world are not read: it returns the first observations of its next episode, with ``begins``
    true and rewards 0.

    Args:
        observations: ``[W, N, F]``.
        rewards: ``[W, N]`` float32, of the actions just taken.
        terminated: ``[W]`` bool: ``max_inactivity_steps`` without a delivery.
        truncated: ``[W]`` bool: cut off after ``max_steps``. RWARE calls that terminated as well.
        begins: ``[W]`` bool: the observations are the first of an episode.
    """

    observations: Observations
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    begins: NDArray[np.bool_]


class RwareWorlds:
    """W warehouses of one layout, stepped by one call.

    Actions are those of RWARE: 0 nothing, 1 forward, 2 turn left, 3 turn right, 4 take the shelf or
    put it down. Who may go where several want to is said in ``arbitration``.

    Args:
        layout: the floor.
        options: the rules.
        keys: ``[W]`` uint64, all chance of each world, see ``sim.warehouse.chance.world_keys``.

    Raises:
        InputError: no keys, or the layout has no room for the options.
    """

    def __init__(self, layout: RwareLayout, options: RwareOptions, keys: Keys) -> None:
        shaped = keys.ndim == 1 and len(keys) > 0 and keys.dtype == np.uint64
        require("keys", f"{keys.dtype} {keys.shape}", shaped, "uint64 [W] with W of 1 or more")
        require_fit(layout, options)
        self.layout, self.options, self.count = layout, options, len(keys)
        self._keys = keys.copy()
        self._floor = make_floor(layout, options)
        self._rules = make_rules(layout, options)
        self._state = make_state(self._floor, len(keys), options.robots)
        self._scratch = make_scratch(self._floor, options.robots)

    def reset(self) -> Observations:
        """``[W, N, F]``: every world begins its first episode, the same as at the first reset."""
        self._state.clocks[:, TICK], self._state.clocks[:, OVER] = 0, 1
        return self.step(np.zeros((self.count, self.options.robots), dtype=np.int64)).observations

    def step(self, actions: NDArray[np.integer[Any]]) -> RwareStep:
        """Take one action ``[W, N]`` for each robot; begin an episode where one had ended.

        Raises:
            InputError: not one whole number for each robot, or an action that does not exist.
        """
        chosen = self._checked(actions)
        worlds, robots = chosen.shape
        features, kind = self.options.features, self.options.observation
        vectors = np.empty((worlds, robots, features * (kind == "flattened")), dtype=np.float32)
        codes = np.empty((worlds, robots, features * (kind == "codes")), dtype=np.uint8)
        rewards = np.empty((worlds, robots), dtype=np.float32)
        flags = np.empty((3, worlds), dtype=np.bool_)
        where = (self._rules, self._floor, self._state, self._scratch, self._keys)
        step_all(*where, chosen, rewards, flags, vectors.reshape(-1), codes)
        return RwareStep(codes if kind == "codes" else vectors, rewards, *flags)

    def action_masks(self) -> NDArray[np.bool_]:
        """``[W, N, 5]``: False where the action is sure to do nothing that 0 does not.

        Forward off the floor, or with a shelf to where one stands; 4 with nothing to take, or in a
        corridor with a shelf. Forward to where a robot is may come true, as that may leave.
        """
        masks = np.ones((self.count, self.options.robots, ACTIONS), dtype=np.bool_)
        floor, state = self._floor, self._state
        write_masks(floor.ahead, floor.tiles, state.robots, state.standing, masks)
        return masks

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where the worlds stand; see ``snapshot`` for the arrays."""
        return snapshot_of(self._floor, self._state)

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where the snapshot of worlds of the same kind and keys was taken.

        Raises:
            InputError: the arrays are not those of such worlds; then nothing has changed.
        """
        self._state = restored(self._rules, self._floor, self._state, snapshot)

    def _checked(self, actions: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        wanted = (self.count, self.options.robots)
        if actions.shape != wanted:
            raise InputError(f"actions have the shape {actions.shape}; allowed: {wanted}")
        if actions.dtype.kind not in "iu":
            raise InputError(f"actions are {actions.dtype}; allowed: whole numbers of 0 to 4")
        chosen = np.ascontiguousarray(actions, dtype=np.int64)
        wrong = first_wrong(chosen, self._state.clocks)
        if wrong >= 0:
            world, robot = divmod(wrong, self.options.robots)
            raise InputError(
                f"the action of robot {robot} in world {world} is {actions[world, robot]}; "
                "allowed: 0 to 4"
            )
        return chosen
