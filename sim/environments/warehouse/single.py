# SPDX-License-Identifier: Apache-2.0
"""One warehouse for Gymnasium; its robots are one agent."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.options import options_of
from sim.environments.warehouse.picture import picture
from sim.environments.warehouse.show import Observations
from sim.environments.warehouse.spaces import action_space, shown_to_teams, team_space
from sim.errors import require
from sim.warehouse.chance import world_keys

RENDER_MODES = ("rgb_array",)


class WarehouseEnv(gymnasium.Env[Any, NDArray[np.int64]]):
    """One world; an action is one number for each robot, the reward is the sum of theirs.

    ``info`` has ``action_mask`` int8 ``[N, A]``, see ``WarehouseBatch.action_masks``, and
    ``rewards`` float32 ``[N]``, the share of each robot.

    A seed begins with the episode that follows from it; each further reset without one with the
    next. What happens in an episode is a function of the seed, its number and the actions.

    Args:
        render_mode: None or ``rgb_array``.
        options: fields of ``WarehouseOptions``; dicts for those that have fields themselves.

    Raises:
        InputError: an option is not allowed.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        require("render_mode", render_mode, render_mode in (None, *RENDER_MODES), "rgb_array")
        self.render_mode = render_mode
        self.batch = WarehouseBatch(options_of(**options), world_keys(0, [0]))
        self.action_space = action_space(self.batch)
        self.observation_space = team_space(self.batch)
        self._seeded, self._over = False, True

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of an episode; there are no options."""
        super().reset(seed=seed)
        if seed is None and self._seeded:
            seen = self.batch.next_episode()
        else:
            assert self.np_random_seed is not None
            seen = self.batch.reset(world_keys(self.np_random_seed, [0]))
        self._seeded, self._over = True, False
        return self._first(seen), self._info(np.zeros(self.batch.options.robots, np.float32))

    def step(self, action: NDArray[np.int64]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action ``[N]``.

        Raises:
            InputError: the action is not ``[N]`` whole numbers of those that there are.
            ResetNeeded: the episode is over, or none has begun.
        """
        if self._over:
            raise ResetNeeded("the episode is over, or none has begun; call reset")
        steps = self.batch.step(np.asarray(action)[None])
        ends, cut = bool(steps.terminated[0]), bool(steps.truncated[0])
        self._over = ends or cut
        rewards = steps.rewards[0]
        paid = float(rewards.sum(dtype=np.float64))
        return self._first(steps.observations), paid, ends, cut, self._info(rewards)

    def render(self) -> NDArray[np.uint8] | None:
        """``[height, width, 3]`` pixels in the mode ``rgb_array``, else nothing."""
        if self.render_mode is None:
            return None
        return picture(self.batch.layout, self.batch.view, 0)

    def _first(self, seen: Observations) -> Any:
        return shown_to_teams({name: array[0] for name, array in seen.items()})

    def _info(self, rewards: NDArray[np.float32]) -> dict[str, Any]:
        return {"action_mask": self.batch.action_masks()[0].astype(np.int8), "rewards": rewards}
