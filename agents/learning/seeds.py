# SPDX-License-Identifier: Apache-2.0
"""Where randomness of a training comes from: its seed, what it is for, and for which one."""

from enum import IntEnum

from agents.seeds import draw, draw_torch

__all__ = ["Role", "draw", "draw_torch"]


class Role(IntEnum):
    """What is drawn."""

    POLICY = 0
    """The parameters at the beginning."""
    ACTIONS = 1
    """Actions of one rollout of one group."""
    MINIBATCHES = 2
    """How lanes are shared out in one update."""
    EVALUATION = 3
    """Actions when a policy is judged."""
