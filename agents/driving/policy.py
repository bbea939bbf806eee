# SPDX-License-Identifier: Apache-2.0
"""A controller whose robots each do what a trained policy says to what they see."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.driving.pilot import Pilot
from sim.environments.warehouse.lanes import by_lane
from sim.environments.warehouse.show import Show
from sim.errors import require
from sim.jit import kernel
from sim.warehouse.chance import Keys, uniform
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import View
from sim.warehouse.fleet import Int8s

DRAWN = 70
"""The role of the numbers that draw actions."""


class PolicyController:
    """Drives every robot of every world by one policy, each with a memory of its own.

    Robots see what they saw in training, by the same kernels, and nothing of people. No action is
    masked, as none is in training; what the world refuses becomes a wait. So robots may block each
    other for ever. Memories begin empty, and last as long as the run.

    Args:
        pilot: the policy; its rules have to be those of the worlds, see ``require_rules``.
        fields: distances on the floor of the worlds; all goals at once have to fit.
        keys: ``[W]`` of the worlds, for actions that are drawn.
        robots: N of each world.
        drawn: draw actions as in training, otherwise always the most likely one.

    Raises:
        InputError: the parameters do not fit the policy.
    """

    def __init__(
        self, pilot: Pilot, fields: Fields, keys: Keys, robots: int, drawn: bool = False
    ) -> None:
        self._policy, self._keys, self._robots = pilot.policy(), keys, robots
        self._show, self._drawn = Show(pilot.world, fields.layout, fields), drawn
        self._states = [self._policy.initial_state(robots) for _ in keys]

    def act(self, view: View) -> Int8s:
        """``[W, N]``: an action for each robot.

        Raises:
            InputError: not as many worlds and robots as were named, or the distances to all goals
                at once do not fit into the memory.
        """
        shape = view.fleet.cell.shape
        wanted = len(self._keys), self._robots
        require("worlds and robots", shape, shape == wanted, f"{wanted}")
        lanes = by_lane(self._show.observe(view))
        seen = lanes.reshape(*shape, *lanes.shape[1:])
        uniforms = _uniforms(self._keys, view.tick, self._robots) if self._drawn else None
        actions = np.empty(shape, dtype=np.int8)
        begins = np.zeros(self._robots, dtype=np.bool_)
        # World by world: sums of other batches are rounded otherwise, and a world would then live
        # another life beside others than alone.
        for world, state in enumerate(self._states):
            chance = None if uniforms is None else uniforms[world]
            acted = self._policy.act(seen[world], state, begins, chance)
            actions[world], self._states[world] = acted.actions, acted.state
        return actions

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The memories, float32 ``[W, N, S]``."""
        return {"memory": torch.stack(self._states).numpy()}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller.
        """
        names = sorted(snapshot)
        require("snapshot of a policy", names, names == ["memory"], "memory alone")
        given, own = snapshot["memory"], self.snapshot()["memory"]
        fits = given.shape == own.shape and given.dtype == own.dtype
        require("memory", f"{given.dtype} {given.shape}", fits, f"{own.dtype} {own.shape}")
        self._states = [torch.tensor(memory) for memory in given]


@kernel
def _uniforms(keys: Keys, tick: int, robots: int) -> NDArray[np.float64]:
    """``[W, N]`` in [0, 1)."""
    drawn = np.empty((len(keys), robots))
    for world in range(len(keys)):
        for robot in range(robots):
            drawn[world, robot] = uniform(keys[world], tick, robot, DRAWN)
    return drawn
