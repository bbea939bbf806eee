# SPDX-License-Identifier: Apache-2.0
"""POGEMA's rules, compiled: many worlds of robots on a grid that see only what is near."""

from sim.environments.pogema.options import (
    Collision,
    ObservationType,
    OnTarget,
    PogemaOptions,
)
from sim.environments.pogema.worlds import PogemaStep, PogemaWorlds

__all__ = [
    "Collision",
    "ObservationType",
    "OnTarget",
    "PogemaOptions",
    "PogemaStep",
    "PogemaWorlds",
]
