# SPDX-License-Identifier: Apache-2.0
"""The living warehouse for our own training: every robot is a lane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.interface import Interface, ObservationKind, Observations, Steps
from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.options import WarehouseOptions
from sim.environments.warehouse.show import planes_of
from sim.errors import InputError, require
from sim.warehouse.chance import world_keys
from sim.warehouse.streams import OrderOptions

MAX_STEPS = 200
WAY_REWARD = 0.1
"""Errands alone are found too seldom by chance to begin to learn from."""


def options_for(robots: int) -> WarehouseOptions:
    """The world of a name: the small floor, sliding robots, local observations."""
    work = OrderOptions(orders_per_tick=float(robots), backlog=True)
    return WarehouseOptions(
        robots=robots, max_steps=MAX_STEPS, orders=work, pool_size=2 * robots, way_reward=WAY_REWARD
    )


def interface_for(robots: int) -> Interface:
    """What a policy must know: planes are the channels of a grid."""
    options = options_for(robots)
    side, planes = 2 * options.radius + 1, len(planes_of(options))
    actions = options.rules.num_actions
    return Interface(
        ObservationKind.GRID, (side, side, planes), actions, (2,) * planes, options.max_steps
    )


class WarehouseLanes:
    """The robots of whole worlds, each in a lane; a ``VectorEnvironment``.

    Robots of one world are neighbouring lanes, and episodes of a world begin and end in all of them
    at once. A world is known by the number of its first lane.

    Args:
        robots: N of each world.
        lanes: ``[B]`` numbers in the whole run, ascending by one; B a multiple of N.
        seed: of the run.

    Raises:
        InputError: the lanes are no whole worlds.
    """

    def __init__(self, robots: int, lanes: Sequence[int], seed: int) -> None:
        numbers = list(lanes)
        if len(numbers) % robots or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise InputError(
                f"{len(numbers)} lanes; allowed for warehouse-{robots}: neighbouring ones, a "
                f"multiple of {robots}, as the robots of a world act together"
            )
        self.interface, self.count = interface_for(robots), len(numbers)
        self._batch = WarehouseBatch(options_for(robots), world_keys(seed, numbers[::robots]))
        self._robots = robots

    def reset(self) -> Observations:
        """``[B, D, D, C]``: every world begins its episode 0."""
        return by_lane(self._batch.reset())

    def step(self, actions: NDArray[np.int64]) -> Steps:
        """Take one action ``[B]`` in each lane; begin the next episode where one had ended.

        Raises:
            InputError: not one action for each lane, or one that does not exist.
        """
        given = np.asarray(actions)
        require("actions", given.shape, given.shape == (self.count,), f"({self.count},)")
        steps = self._batch.step(given.reshape(self._batch.shape))
        flags = (steps.terminated, steps.truncated, steps.begins)
        terminated, truncated, begins = (flag.repeat(self._robots) for flag in flags)
        return Steps(
            observations=by_lane(steps.observations),
            rewards=steps.rewards.ravel(),
            terminated=terminated,
            truncated=truncated,
            begins=begins,
            broken=np.zeros(self.count, dtype=np.bool_),
        )

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where the worlds stand, as arrays."""
        return self._batch.snapshot()

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where the snapshot of a vector of the same name, lanes and seed was taken.

        Raises:
            InputError: the arrays are not those of such a vector.
        """
        self._batch.restore(snapshot)


def by_lane(seen: dict[str, NDArray[Any]]) -> Observations:
    """``[W * N, D, D, C]``: what robots see, as policies read it; robots of a world are together.

    Args:
        seen: local observations, see ``show.Observations``.
    """
    planes = seen["planes"]
    return np.ascontiguousarray(np.moveaxis(planes.reshape(-1, *planes.shape[2:]), 1, -1))
