# SPDX-License-Identifier: Apache-2.0
"""What can be chosen in worlds with POGEMA's rules; the names and defaults are POGEMA's."""

from dataclasses import dataclass
from enum import StrEnum

from sim.errors import require

MAX_ROBOTS = 10_000_000
MAX_RADIUS_CELLS = 128
MAX_STEPS = 2**31 - 1


class OnTarget(StrEnum):
    """What happens to a robot that stands on its target."""

    FINISH = "finish"
    """It is rewarded, leaves the floor and has terminated."""

    NOTHING = "nothing"
    """It stays; when all stand on theirs, all are rewarded and have terminated."""

    RESTART = "restart"
    """It is rewarded and gets another target (lifelong); nobody ever terminates."""


class Collision(StrEnum):
    """Who moves when several robots want one cell; two never exchange their cells."""

    BLOCK_BOTH = "block_both"
    """Nobody of those, and nobody into a cell in which a robot stood before the step."""

    PRIORITY = "priority"
    """Robots move one after the other in the order of their numbers, each into a cell that is free
    by then. So a robot may follow one of a lower number."""

    SOFT = "soft"
    """All at once: whoever leaves makes room for a follower, and rings rotate. A robot whose way is
    barred stays, and so does who wanted to enter its cell."""


class ObservationType(StrEnum):
    """The numbers in which observations are written."""

    FLOAT32 = "float32"
    """POGEMA's."""

    UINT8 = "uint8"
    """The same zeros and ones in a quarter of the memory."""

    NONE = "none"
    """None are written: the robots only move."""


@dataclass(frozen=True)
class PogemaOptions:
    """The rules of a batch of worlds.

    Raises:
        InputError: a value that is not allowed.
    """

    robots: int = 1
    """In each world."""

    on_target: OnTarget = OnTarget.FINISH
    """What happens to a robot that stands on its target."""

    collision: Collision = Collision.PRIORITY
    """Who moves when several robots want one cell."""

    obs_radius: int = 5
    """A robot sees ``2 * obs_radius + 1`` cells in each direction of the grid; 1 to 128."""

    max_episode_steps: int = 64
    """An episode is cut off after so many steps."""

    observations: ObservationType = ObservationType.FLOAT32
    """The numbers in which observations are written."""

    def __post_init__(self) -> None:
        _require_whole("robots", self.robots, MAX_ROBOTS)
        _require_whole("obs_radius", self.obs_radius, MAX_RADIUS_CELLS)
        _require_whole("max_episode_steps", self.max_episode_steps, MAX_STEPS)
        _require_one_of("on_target", self.on_target, OnTarget)
        _require_one_of("collision", self.collision, Collision)
        _require_one_of("observations", self.observations, ObservationType)

    @property
    def side_cells(self) -> int:
        """D, how many cells a robot sees in each direction of the grid."""
        return 2 * self.obs_radius + 1


def _require_whole(name: str, value: int, most: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    require(name, value, whole and 1 <= value <= most, f"whole numbers from 1 to {most}")


def _require_one_of(name: str, value: str, allowed: type[StrEnum]) -> None:
    require(name, value, value in list(allowed), ", ".join(allowed))
