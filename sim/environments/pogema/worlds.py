# SPDX-License-Identifier: Apache-2.0
"""Worlds with POGEMA's rules, W at once."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sim.environments.pogema.blocks import Numbers
from sim.environments.pogema.floors import SLACK, make_floors, without_margin
from sim.environments.pogema.options import ObservationType, PogemaOptions
from sim.environments.pogema.orders import drawn, given
from sim.environments.pogema.snapshots import restore, snapshot
from sim.environments.pogema.state import ACTIONS, make_scratch, make_state, rules_of
from sim.environments.pogema.steps import step_all, wrong_action
from sim.errors import InputError, require
from sim.layout import Cells, Layout
from sim.warehouse.chance import Keys


class PogemaStep(NamedTuple):
    """What one action of each robot brought about.

    Where an episode ended, ``observations`` holds its final ones. At the next call the actions of
    that world are ignored: it returns the first observations of its next episode, with ``begins``
    true and no reward.

    Args:
        observations: ``[W, N, 3, D, D]`` float32 or uint8 zeros and ones: obstacles, robots, the
            own target; ``[W, N, 0]`` where none are written.
        rewards: ``[W, N]`` float32.
        terminated: ``[W, N]`` bool; the episode ends once all robots of a world have.
        truncated: ``[W]`` bool: the episode was cut off.
        begins: ``[W]`` bool: the observations are the first of an episode.
    """

    observations: Numbers
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    begins: NDArray[np.bool_]


class PogemaWorlds:
    """W worlds of N robots that step as pogema 1.4.0 does.

    The actions are POGEMA's: 0 wait, 1 north, 2 south, 3 west, 4 east. From the same starts and
    targets, all of positions, rewards, ends and observations are equal to POGEMA's, bit for bit.
    What is drawn has the same probabilities but is another draw. Differences on purpose: outside
    of the layout nothing is ever drawn (``empty_outside``), observations are of type ``default``,
    and where an episode has ended, the next one begins with the next step. What is returned
    belongs to the caller.

    Args:
        layouts: one for all worlds, or one for each; all of one size.
        options: the rules.
        keys: ``[W]`` of ``sim.warehouse.chance.world_keys``. What happens in a world follows from
            its key, the number of the episode and the actions.
        starts: ``[W, N]`` cells of the layouts in which all episodes begin; None: drawn.
        targets: ``[W, N, K]``, with ``starts``: the targets of each robot, one after the other and
            then again from the first one. K is 1 where robots do not restart.

    Raises:
        InputError: one of these is not so, or there is no room for so many robots.
    """

    def __init__(
        self,
        layouts: Layout | Sequence[Layout],
        options: PogemaOptions,
        keys: Keys,
        starts: NDArray[np.int32] | None = None,
        targets: NDArray[np.int32] | None = None,
    ) -> None:
        floor_plans = [layouts] if isinstance(layouts, Layout) else list(layouts)
        whole = keys.ndim == 1 and len(keys) > 0 and keys.dtype == np.uint64
        require("keys", (keys.shape, keys.dtype.name), whole, "[W] uint64, one or more")
        self._dtype: DTypeLike = (
            np.float32 if options.observations == ObservationType.FLOAT32 else np.uint8
        )
        self.options, self.count = options, len(keys)
        self._rules, self._width = rules_of(options), floor_plans[0].width if floor_plans else 0
        self._floors = make_floors(floor_plans, options.obs_radius)
        if (starts is None) != (targets is None):
            raise InputError("of starts and targets one is missing; allowed: both or none")
        self._orders = (
            drawn(floor_plans, self._floors, options, keys)
            if starts is None or targets is None
            else given(floor_plans, options, keys, starts, targets)
        )
        self._state = make_state(self._floors, self._orders.floor, options.robots)
        side = options.side_cells
        self._window = (3, side, side) if self._rules.observed else (0,)
        self._numbers = self._state.cell.size * math.prod(self._window)
        self._scratch = make_scratch(self._floors, options.robots)

    def reset(self) -> Numbers:
        """``[W, N, 3, D, D]``: every world begins its episode 0."""
        self._state.episode[:] = -1
        self._state.over[:] = True
        return self.step(np.zeros(self._state.cell.shape, dtype=np.int64)).observations

    def step(self, actions: NDArray[np.integer[Any]]) -> PogemaStep:
        """Take one action ``[W, N]`` with each robot; begin the next episode where one had ended.

        Raises:
            InputError: another shape, numbers that are not whole, or an action that does not
                exist; then nothing has changed.
        """
        checked = self._checked(actions)
        shape = self._state.cell.shape
        flat: Numbers = np.empty(self._numbers + SLACK, dtype=self._dtype)
        step = PogemaStep(
            flat[: self._numbers].reshape(*shape, *self._window),
            np.empty(shape, dtype=np.float32),
            np.empty(shape, dtype=np.bool_),
            *np.empty((2, self.count), dtype=np.bool_),
        )
        step_all(
            self._rules, self._floors, self._orders, self._state, self._scratch, checked,
            flat, *step[1:],
        )  # fmt: skip
        return step

    @property
    def positions(self) -> Cells:
        """``[W, N]`` cells of the layout; of robots that have left, where they did."""
        return self._of_layout(self._state.cell)

    @property
    def targets(self) -> Cells:
        """``[W, N]`` cells of the layout."""
        return self._of_layout(self._state.target)

    @property
    def active(self) -> NDArray[np.bool_]:
        """``[W, N]``: false where a robot has left the floor."""
        return self._state.active.copy()

    def action_masks(self) -> NDArray[np.bool_]:
        """``[W, N, 5]``: true unless an obstacle is there; who has left the floor can only wait."""
        stride = self._floors.stride
        ahead = self._state.cell[:, :, None] + np.array([0, -stride, stride, -1, 1])
        masks: NDArray[np.bool_] = (
            self._floors.blocked[self._orders.floor[:, None, None], ahead] == 0
        ) & self._state.active[:, :, None]
        masks[:, :, 0] = True
        return masks

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where the worlds stand, as a few small arrays; nothing that needs pickle."""
        return snapshot(self._state)

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where the snapshot was taken, of worlds with the same arguments.

        Raises:
            InputError: the arrays are not those of such worlds; then nothing has changed.
        """
        restore(self._state, self._floors, self._orders.floor, arrays)

    def _checked(self, actions: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        shape = self._state.cell.shape
        if actions.shape != shape or actions.dtype.kind not in "iu":
            raise InputError(
                f"actions have the shape {actions.shape} and the type {actions.dtype}; allowed: "
                f"{shape}, whole numbers"
            )
        checked = np.ascontiguousarray(actions, dtype=np.int64)
        w, robot = wrong_action(self._state.over, checked)
        if w >= 0:
            raise InputError(
                f"the action of robot {robot} in world {w} is {actions[w, robot]}; allowed: 0 to "
                f"{ACTIONS - 1}"
            )
        return checked

    def _of_layout(self, cells: Cells) -> Cells:
        return without_margin(cells, self._width, self._floors.margin)
