# SPDX-License-Identifier: Apache-2.0
"""What a robot's action does, and how long it takes."""

from dataclasses import dataclass
from enum import StrEnum

from sim.errors import require

WAIT = 0
# Robots that turn.
FORWARD, TURN_RIGHT, TURN_LEFT = 1, 2, 3
# Robots that do not: one action for each direction.
NORTH, EAST, SOUTH, WEST = 1, 2, 3, 4


class Gait(StrEnum):
    """How robots move."""

    TURNING = "turning"
    """Drive forward, or turn by a quarter on the spot (League of Robot Runners)."""

    SLIDING = "sliding"
    """Drive in any of four directions without turning (POGEMA, most of path finding)."""


class Following(StrEnum):
    """When a robot may enter a cell that another one leaves."""

    NEVER = "never"
    """Once the other has left it."""

    STRAIGHT = "straight"
    """In the other's direction as soon as it keeps its distance even if the other stops at once;
    otherwise once the other has left. Bodies as large as a cell never touch."""

    TOGETHER = "together"
    """In the same tick, in any direction, so that rings rotate; only where moves take one tick."""


@dataclass(frozen=True)
class Rules:
    """How robots move in one world."""

    gait: Gait = Gait.TURNING
    """How robots move."""

    ticks_per_action: int = 1
    """Ticks that a move or a quarter turn takes, 1 to 1000."""

    following: Following = Following.STRAIGHT
    """When a robot may enter a cell that another one leaves."""

    def __post_init__(self) -> None:
        require("ticks_per_action", self.ticks_per_action, 1 <= self.ticks_per_action <= 1000,
                "1 to 1000")  # fmt: skip
        together = self.following is Following.TOGETHER
        require("following", self.following.value, not together or self.ticks_per_action == 1,
                "together only with ticks_per_action 1")  # fmt: skip

    @property
    def num_actions(self) -> int:
        """Waiting included."""
        return 4 if self.gait is Gait.TURNING else 5


GRID = Rules(Gait.SLIDING, 1, Following.TOGETHER)
"""The moves of POGEMA: vertex and swap conflicts are refused, following is allowed."""


def league(ticks_per_action: int) -> Rules:
    """Those of the League of Robot Runners 2026."""
    return Rules(Gait.TURNING, ticks_per_action, Following.STRAIGHT)
