# SPDX-License-Identifier: Apache-2.0
"""What can be chosen about RWARE's worlds."""

from dataclasses import dataclass
from typing import Literal, get_args

from sim.environments.rware.layout import RwareLayout
from sim.errors import require

Reward = Literal["global", "individual", "two_stage"]
Observation = Literal["flattened", "codes", "none"]

_MAX_SENSOR_RANGE = 16
_MAX_SHELVES = 2**15 - 1  # shelves are numbered by int16
_MAX_SIDE_OF_CODES = 2**8


@dataclass(frozen=True)
class RwareOptions:
    """Rules of an RWARE warehouse; the names and meanings are those of rware 2.0.0.

    Args:
        robots: N.
        request_queue: shelves that are requested at any time. rware breaks when all are.
        sensor_range: cells that a robot sees in each direction.
        reward: what a delivery brings. ``global``: 1 to all robots. ``individual``: 1 to the robot
            that brought it. ``two_stage``: 0.5 to that, and 0.5 when it puts the shelf down again.
        max_steps: the episode is cut off after so many steps; None: never.
        max_inactivity_steps: the episode ends after so many steps without a delivery; None: never.
        msg_bits: bits that robots send each other; only 0 can be had here.
        normalised_coordinates: own coordinates from 0 to 1 instead of in cells.
        observation: ``flattened``: RWARE's float32 vector. ``codes``: the same in one byte per
            cell. ``none``: nothing is written, for those who look at the state themselves.

    Raises:
        InputError: a value that is not allowed.
    """

    robots: int
    request_queue: int
    sensor_range: int = 1
    reward: Reward = "individual"
    max_steps: int | None = 500
    max_inactivity_steps: int | None = None
    msg_bits: int = 0
    normalised_coordinates: bool = False
    observation: Observation = "flattened"

    def __post_init__(self) -> None:
        require("robots", self.robots, self.robots >= 1, "1 or more")
        require("request_queue", self.request_queue, self.request_queue >= 0, "0 or more")
        seen = 1 <= self.sensor_range <= _MAX_SENSOR_RANGE
        require("sensor_range", self.sensor_range, seen, f"1 to {_MAX_SENSOR_RANGE}")
        rewards, kinds = get_args(Reward), get_args(Observation)
        require("reward", self.reward, self.reward in rewards, ", ".join(rewards))
        require("observation", self.observation, self.observation in kinds, ", ".join(kinds))
        for name in ("max_steps", "max_inactivity_steps"):
            value = getattr(self, name)
            require(name, value, value is None or value >= 1, "1 or more, or None")
        require("msg_bits", self.msg_bits, self.msg_bits == 0, "0, as robots send no messages here")

    @property
    def cells_seen(self) -> int:
        """How many cells a robot sees."""
        return (2 * self.sensor_range + 1) ** 2

    @property
    def features(self) -> int:
        """F, the length of an observation."""
        lengths = {"flattened": 8 + 7 * self.cells_seen, "codes": 5 + self.cells_seen, "none": 0}
        return lengths[self.observation]


def require_fit(layout: RwareLayout, options: RwareOptions) -> None:
    """Refuse options that the layout has no room for.

    Raises:
        InputError: more robots than cells, not more shelves than requests, more shelves or (for
            codes) longer sides than can be numbered.
    """
    require("robots", options.robots, options.robots <= layout.size, f"1 to {layout.size} cells")
    shelves = len(layout.shelf_cells)
    require("shelves", shelves, 1 <= shelves <= _MAX_SHELVES, f"1 to {_MAX_SHELVES}")
    fits = options.request_queue < shelves
    require("request_queue", options.request_queue, fits, f"less than the {shelves} shelves")
    side = max(layout.height, layout.width)
    short = options.observation != "codes" or side <= _MAX_SIDE_OF_CODES
    require("side of a layout seen in codes", side, short, f"1 to {_MAX_SIDE_OF_CODES}")
