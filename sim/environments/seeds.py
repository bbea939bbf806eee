# SPDX-License-Identifier: Apache-2.0
"""The seed of an episode: the same whoever plays it."""

import numpy as np


def episode_seed(seed: int, lane: int, episode: int) -> int:
    """A number in ``0 .. 2^31 - 1`` from which ``episode`` of ``lane`` of a run can be replayed.

    Args:
        seed, lane, episode: at least 0; ``lane`` counts across the whole run.
    """
    return int(np.random.SeedSequence([seed, lane, episode]).generate_state(1)[0] >> 1)
