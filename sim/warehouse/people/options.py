# SPDX-License-Identifier: Apache-2.0
"""Options of the people on the floor."""

from dataclasses import dataclass
from enum import StrEnum

from sim.errors import require


class PeopleKind(StrEnum):
    """How people walk."""

    SCRIPTED = "scripted"
    """Along shortest paths over the centres of cells, through each other."""

    SOCIAL_FORCE = "social_force"
    """In continuous space; walls and other people push them (Helbing, Molnar 1995)."""


@dataclass(frozen=True)
class PeopleOptions:
    """Who walks on the floor and how far robots keep away."""

    count: int = 0
    """Walkers in each world, 0 to 1000."""

    kind: PeopleKind = PeopleKind.SCRIPTED
    """How people walk."""

    speed_m_s: float = 1.34
    """Mean of the speeds that walkers desire, 0.6 to 2 metres per second; slower ones
    could not push past each other in an aisle."""

    speed_deviation_m_s: float = 0.26
    """Deviation of these speeds, normally distributed and cut off at two deviations; 0 to 0.25
    of the mean."""

    pause_s: float = 10.0
    """Mean pause at a place, exponentially distributed, 0 to 3600 seconds."""

    places: int = 32
    """Cells, drawn once for the floor, between which people walk, 2 to 1000."""

    places_seed: int = 0
    """Where these places are drawn from, at least 0."""

    cell_m: float = 1.0
    """Side of a cell in metres, 0.5 to 10."""

    tick_s: float = 0.1
    """Length of a tick in seconds, 0.01 to 10."""

    stop_radius_m: float = 1.0
    """Robots must not enter a cell whose centre is as near as this to a walker, nor the walker's
    own cell; 0 to 100 metres."""

    def __post_init__(self) -> None:
        ranges = {
            "count": (0, 1000),
            "speed_m_s": (0.6, 2),
            "speed_deviation_m_s": (0, 0.25 * self.speed_m_s),
            "pause_s": (0, 3600),
            "places": (2, 1000),
            "places_seed": (0, 2**63 - 1),
            "cell_m": (0.5, 10),
            "tick_s": (0.01, 10),
            "stop_radius_m": (0, 100),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            require(name, value, low <= value <= high, f"{low:g} to {high:g}")
