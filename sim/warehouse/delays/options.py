# SPDX-License-Identifier: Apache-2.0
"""Options of the delays of robots that live in ticks."""

from dataclasses import dataclass
from enum import StrEnum

from sim.errors import require
from sim.warehouse.delays.standstills import reachable_mean_ticks

MAX_SHARE = 0.9
MAX_MEAN_TICKS = 10_000


class DelayKind(StrEnum):
    """What is remembered from one tick to the next."""

    NONE = "none"
    """Nobody is delayed."""

    INDEPENDENT = "independent"
    """A free robot is stopped by a coin in each tick; the length is drawn, and known, at once."""

    MARKOV = "markov"
    """A chain of two states. The same law, but nobody knows how long a standstill will last: a
    robot's ``delay_ticks`` is 1 for as long as it does."""

    FRACTIONAL = "fractional"
    """Long memory: a robot stands while its fractional noise is high. Standstills come in
    clusters, and clusters of clusters; their end is not known either."""


@dataclass(frozen=True)
class TickDelayOptions:
    """How often, how long and with how much memory robots stand still.

    A standstill is an unbroken row of ticks in which a robot is delayed. Share and mean length
    hold for every kind, so kinds are compared at equal loss of time.
    """

    kind: DelayKind = DelayKind.NONE
    """What is remembered from one tick to the next."""

    share: float = 0.05
    """Long-run share of the ticks in which a robot stands delayed, 0 to 0.9."""

    mean_ticks: float = 5.0
    """Mean length of a standstill in ticks, 1 to 10000; at least share / (1 - share), since
    another standstill begins one tick after the last at the earliest."""

    hurst: float = 0.8
    """Hurst index, between 0 and 1, of the noise behind fractional delays: 0.5 forgets, more
    is persistent, less swings back. Fractional only."""

    def __post_init__(self) -> None:
        require("share", self.share, 0 <= self.share <= MAX_SHARE, f"0 to {MAX_SHARE}")
        least = max(1.0, self.share / (1 - self.share))
        require("mean_ticks", self.mean_ticks, least <= self.mean_ticks <= MAX_MEAN_TICKS,
                f"{least:.4g} to {MAX_MEAN_TICKS} at this share")  # fmt: skip
        require("hurst", self.hurst, 0 < self.hurst < 1, "between 0 and 1, without both")
        if self.kind is DelayKind.FRACTIONAL and self.share > 0:
            low, high = reachable_mean_ticks(self.share, self.hurst)
            require("mean_ticks", self.mean_ticks, low <= self.mean_ticks <= high,
                    f"{low:.4g} to {high:.4g} at this share and Hurst index")  # fmt: skip

    @property
    def start_probability(self) -> float:
        """Chance per tick that a free robot stops; independent and Markov."""
        return self.share / (self.mean_ticks * (1 - self.share))
