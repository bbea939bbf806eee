# SPDX-License-Identifier: Apache-2.0
"""Returns and lengths of the episodes that run in several lanes."""

import numpy as np
from numpy.typing import NDArray

from sim.environments.interface import Steps


class Running:
    """What the running episodes have brought so far, undiscounted, and how many actions they took.

    Args:
        lanes: how many.
    """

    def __init__(self, lanes: int) -> None:
        self.returns = np.zeros(lanes, dtype=np.float32)
        self.lengths = np.zeros(lanes, dtype=np.int64)

    def follow(self, happened: Steps) -> NDArray[np.bool_]:
        """Count one call; which episodes it ended, ``[B]``: until the next one theirs stand."""
        self.returns += happened.rewards
        self.lengths += 1
        if happened.begins.any():
            self.returns[happened.begins] = 0
            self.lengths[happened.begins] = 0
        return happened.terminated | happened.truncated
