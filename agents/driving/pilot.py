# SPDX-License-Identifier: Apache-2.0
"""A policy that was trained in a warehouse, as it travels between processes; needs no torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.policies.options import PolicyOptions
from sim.environments.make import interface_of
from sim.environments.warehouse_names import warehouse_robots
from sim.errors import InputError
from sim.warehouse.rules import Rules

if TYPE_CHECKING:  # torch and gymnasium take seconds to import
    from agents.policies.policy import Policy
    from sim.environments.warehouse.options import WarehouseOptions

DIGITS = 16


@dataclass(frozen=True, eq=False)
class Pilot:
    """What was trained, and where.

    Args:
        environment: ``warehouse-N``.
        options: what the policy is made of.
        parameters: its numbers by name.

    Raises:
        InputError: it was trained elsewhere, or a parameter is not a finite number.
    """

    environment: str
    options: PolicyOptions
    parameters: Mapping[str, NDArray[np.float32]]

    def __post_init__(self) -> None:
        if warehouse_robots(self.environment) is None:
            raise InputError(
                f"policy was trained in {self.environment}; allowed: warehouse-N, as it has to "
                "see what robots see"
            )
        for name, array in self.parameters.items():
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise InputError(
                    f"policy has {name} with {array.dtype} that are not all finite; allowed: "
                    "finite float32"
                )

    @property
    def world(self) -> "WarehouseOptions":
        """The world that it was trained in."""
        from sim.environments.warehouse.lanes import options_for

        return options_for(warehouse_robots(self.environment) or 0)

    @property
    def digest(self) -> str:
        """Changes with all that it does."""
        state = sha256(f"{self.environment} {asdict(self.options)}".encode())
        for name, array in sorted(self.parameters.items()):
            state.update(f"{name} {array.shape}".encode() + array.tobytes())
        return state.hexdigest()[:DIGITS]

    def policy(self) -> "Policy":
        """The policy itself.

        Raises:
            InputError: the parameters are not those of such a policy.
        """
        import torch

        from agents.policies.make import make_policy
        from agents.policies.policy import load_arrays

        policy = make_policy(self.options, interface_of(self.environment), torch.Generator())
        load_arrays(policy, dict(self.parameters))
        return policy


def require_rules(pilot: Pilot, rules: Rules) -> None:
    """Refuse worlds whose robots move otherwise than those that the policy was trained with.

    Floor, number of robots, orders and delays may differ: a policy sees only what is around a
    robot. What it sees is told by its parameters, which fit no other.

    Raises:
        InputError: names both.
    """
    trained = pilot.world.rules
    if rules != trained:
        raise InputError(
            f"policy was trained in {pilot.environment} with robots that are {_said(trained)}; "
            f"these are {_said(rules)}; allowed: the same"
        )


def _said(rules: Rules) -> str:
    return f"{rules.gait}, {rules.ticks_per_action} ticks per action, following {rules.following}"
