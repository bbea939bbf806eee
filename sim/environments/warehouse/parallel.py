# SPDX-License-Identifier: Apache-2.0
"""One warehouse for PettingZoo; every robot is an agent."""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.options import options_of
from sim.environments.warehouse.picture import picture
from sim.environments.warehouse.show import Observations
from sim.environments.warehouse.single import RENDER_MODES
from sim.environments.warehouse.spaces import robot_space, shown_to_robot
from sim.errors import InputError, require
from sim.warehouse.chance import world_keys


def parallel_env(render_mode: str | None = None, **options: Any) -> "WarehouseParallelEnv":
    """A warehouse whose robots are agents.

    Args:
        render_mode: None or ``rgb_array``.
        options: fields of ``WarehouseOptions``; dicts for those that have fields themselves.

    Raises:
        InputError: an option is not allowed.
    """
    return WarehouseParallelEnv(render_mode, **options)


class WarehouseParallelEnv(ParallelEnv[str, Any, int]):
    """The agents are ``robot_0`` and so on; all live from the first step of an episode to its last.

    ``infos`` of each agent has ``action_mask`` int8 ``[A]``, see ``WarehouseBatch.action_masks``.
    A seed begins with the episode that follows from it; a reset without one with the next.

    Args:
        render_mode, options: see ``parallel_env``.
    """

    metadata = {  # noqa: RUF012
        "name": "fedfleet_warehouse_v0", "render_modes": list(RENDER_MODES), "render_fps": 10,
        "is_parallelizable": True,
    }  # fmt: skip

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        require("render_mode", render_mode, render_mode in (None, *RENDER_MODES), "rgb_array")
        self.render_mode = render_mode
        self.batch = WarehouseBatch(options_of(**options), world_keys(0, [0]))
        self.possible_agents = [f"robot_{robot}" for robot in range(self.batch.options.robots)]
        self.agents: list[str] = []
        seen, num_actions = robot_space(self.batch), self.batch.options.rules.num_actions
        # A space each: they are seeded one by one.
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = {name: spaces.Discrete(num_actions) for name in self.possible_agents}
        self._seeded = False

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent sees; the same for all."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent can do."""
        return self.action_spaces[agent]

    def reset(
        self,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The first observations and infos of an episode; there are no options."""
        if seed is None and self._seeded:
            seen = self.batch.next_episode()
        else:
            _, seed = seeding.np_random(seed)  # one of no one's choice for None
            seen = self.batch.reset(world_keys(seed, [0]))
        self._seeded, self.agents = True, list(self.possible_agents)
        return self._seen(seen), self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Take one action of each live agent; without live agents nothing happens.

        Raises:
            InputError: an agent's action is missing, of nobody, or none that there is.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        if actions.keys() != set(self.agents):
            odd = sorted(actions.keys() ^ set(self.agents))
            raise InputError(f"actions differ in {', '.join(odd[:3])}; allowed: one of each agent")
        chosen = np.array([actions[name] for name in self.agents])
        steps = self.batch.step(chosen[None])
        names, ends, cut = self.agents, bool(steps.terminated[0]), bool(steps.truncated[0])
        result = (
            self._seen(steps.observations),
            {name: float(paid) for name, paid in zip(names, steps.rewards[0], strict=True)},
            dict.fromkeys(names, ends),
            dict.fromkeys(names, cut),
            self._infos(),
        )
        if ends or cut:
            self.agents = []
        return result

    def state(self) -> NDArray[np.uint8]:
        """``[C, height, width]``, the planes of the global observation."""
        planes: NDArray[np.uint8] = self.batch.show.whole(self.batch.view)[0]
        return planes

    def render(self) -> NDArray[np.uint8] | None:
        """``[height, width, 3]`` pixels in the mode ``rgb_array``, else nothing."""
        if self.render_mode is None:
            return None
        return picture(self.batch.layout, self.batch.view, 0)

    def close(self) -> None:
        """Nothing is held open."""

    def _seen(self, seen: Observations) -> dict[str, Any]:
        return {name: shown_to_robot(seen, number) for number, name in enumerate(self.agents)}

    def _infos(self) -> dict[str, dict[str, Any]]:
        masks = self.batch.action_masks()[0].astype(np.int8)
        return {name: {"action_mask": masks[number]} for number, name in enumerate(self.agents)}
