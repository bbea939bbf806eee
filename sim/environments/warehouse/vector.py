# SPDX-License-Identifier: Apache-2.0
"""Many warehouses for Gymnasium, stepped by one call."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.options import options_of
from sim.environments.warehouse.spaces import action_space, shown_to_teams, team_space
from sim.errors import require
from sim.warehouse.chance import Keys, world_keys


class WarehouseVectorEnv(VectorEnv[Any, NDArray[np.int64], NDArray[Any]]):
    """W worlds as ``WarehouseEnv`` each; world ``w`` does what one with the seed ``seed + w`` does.

    Where an episode ended, the next call begins another one (next-step autoreset). ``infos`` has
    ``action_mask`` int8 ``[W, N, A]`` and ``rewards`` float32 ``[W, N]``.

    Args:
        num_envs: W.
        options: fields of ``WarehouseOptions``; dicts for those that have fields themselves.

    Raises:
        InputError: an option is not allowed.
    """

    metadata = {  # noqa: RUF012
        "render_modes": [], "render_fps": 10, "autoreset_mode": AutoresetMode.NEXT_STEP,
    }  # fmt: skip

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        require("num_envs", num_envs, num_envs >= 1, "1 or more")
        self.num_envs = num_envs
        self.batch = WarehouseBatch(options_of(**options), world_keys(0, list(range(num_envs))))
        self.single_action_space = action_space(self.batch)
        self.single_observation_space = team_space(self.batch)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._seeded = False

    def reset(
        self,
        *,
        seed: int | Sequence[int] | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> tuple[Any, dict[str, Any]]:
        """The first observations; there are no options.

        Args:
            seed: of the first world, the others count on; or one for each. None: the next episodes
                of all worlds, at first with seeds of no one's choice.
            options: not used.

        Raises:
            InputError: not one seed for each world.
        """
        several = seed is not None and not isinstance(seed, (int, np.integer))
        super().reset(seed=None if several else seed)  # type: ignore[arg-type]
        if seed is None and self._seeded:
            seen = self.batch.next_episode()
        else:
            seen = self.batch.reset(self._keys(seed))
        self._seeded = True
        return shown_to_teams(seen), self._infos(np.zeros(self.batch.shape, np.float32))

    def _keys(self, seed: int | Sequence[int] | None) -> Keys:
        if seed is None:
            assert self.np_random_seed is not None
            seed = self.np_random_seed
        if isinstance(seed, (int, np.integer)):
            seeds = [int(seed) + world for world in range(self.num_envs)]
        else:
            seeds = [int(one) for one in seed]
        fits = len(seeds) == self.num_envs and min(seeds) >= 0
        require("seed", seeds, fits, f"one for each of {self.num_envs} worlds, 0 or more")
        return np.concatenate([world_keys(one, [0]) for one in seeds])

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Take actions ``[W, N]``; those of worlds that begin an episode are not used.

        Raises:
            InputError: not whole numbers of those that there are, or another shape.
        """
        steps = self.batch.step(actions)
        return (
            shown_to_teams(steps.observations),
            steps.rewards.sum(1, dtype=np.float64),
            steps.terminated,
            steps.truncated,
            self._infos(steps.rewards),
        )

    def _infos(self, rewards: NDArray[np.float32]) -> dict[str, Any]:
        every = np.ones(self.num_envs, dtype=np.bool_)
        masks = self.batch.action_masks().astype(np.int8)
        return {
            "action_mask": masks, "_action_mask": every, "rewards": rewards,
            "_rewards": every.copy(),
        }  # fmt: skip
