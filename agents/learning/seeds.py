# SPDX-License-Identifier: Apache-2.0
"""Where randomness of a training comes from: its seed, what it is for, and for which one."""

from enum import IntEnum

import numpy as np
import torch


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


def draw(seed: int, role: Role, *numbers: int) -> np.random.Generator:
    """The generator for a role, such as of one rollout of one group."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(role, *numbers)))


def draw_torch(seed: int, role: Role, *numbers: int) -> torch.Generator:
    """The same for torch."""
    return torch.Generator().manual_seed(int(draw(seed, role, *numbers).integers(2**62)))
