# SPDX-License-Identifier: Apache-2.0
"""Generators from a seed, what it is for, and for which one: the same wherever they are made."""

from enum import IntEnum

import numpy as np
import torch


def draw(seed: int, role: IntEnum, *numbers: int) -> np.random.Generator:
    """The generator for a role, such as of one rollout of one group, or of a site in a round."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(role, *numbers)))


def draw_torch(seed: int, role: IntEnum, *numbers: int) -> torch.Generator:
    """The same for torch."""
    return torch.Generator().manual_seed(int(draw(seed, role, *numbers).integers(2**62)))
