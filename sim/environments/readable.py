# SPDX-License-Identifier: Apache-2.0
"""Whether a policy can read what an environment shows: numbers must be finite, codes known."""

import numpy as np

from sim.environments.interface import Interface, ObservationKind, Observations


def all_finite(numbers: Observations) -> bool:
    """Whether there is no NaN and no inf; asked at every step, and counting is the fastest way."""
    return int(np.count_nonzero(np.isfinite(numbers))) == numbers.size


def readable(interface: Interface, observations: Observations) -> bool:
    """Whether all observations ``[..., *shape]`` are: any byte is a pixel, nothing else is free."""
    match interface.kind:
        case ObservationKind.VECTOR:
            return all_finite(observations)
        case ObservationKind.GRID:
            highest = observations.reshape(-1, interface.shape[-1]).max(axis=0)
            return bool((highest < interface.categories).all())
        case ObservationKind.IMAGE:
            return True
