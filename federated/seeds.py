# SPDX-License-Identifier: Apache-2.0
"""Where randomness of a federation comes from: the run's seed, what it is for, and for whom."""

from enum import IntEnum

from agents.seeds import draw, draw_torch

__all__ = ["Role", "draw", "draw_torch"]


class Role(IntEnum):
    """What is drawn."""

    PUBLIC = 0
    """Which samples are public."""
    PARTITION = 1
    """Which site has which samples."""
    SPLIT = 2
    """Which samples of a site are for tests."""
    MODEL = 3
    """The parameters before the first round."""
    FIT = 4
    """The order of samples in training."""
    SERVER = 5
    """What a strategy draws: who is asked, and noise."""
    NOISE = 6
    """What differential privacy draws at a site: who is in a step, and noise."""
