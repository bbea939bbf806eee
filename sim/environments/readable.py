# SPDX-License-Identifier: Apache-2.0
"""Whether a policy can read what an environment shows: numbers must be finite, codes known."""

import numpy as np

from sim.environments.interface import Interface, ObservationKind, Observations


def readable(interface: Interface, observations: Observations) -> bool:
    """Whether all observations ``[..., *shape]`` are: any byte is a pixel, nothing else is free."""
    match interface.kind:
        case ObservationKind.VECTOR:
            return bool(np.isfinite(observations).all())
        case ObservationKind.GRID:
            highest = observations.reshape(-1, interface.shape[-1]).max(axis=0)
            return bool((highest < interface.categories).all())
        case ObservationKind.IMAGE:
            return True
