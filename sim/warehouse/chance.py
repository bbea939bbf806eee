# SPDX-License-Identifier: Apache-2.0
"""Random numbers that are a function of where they are used.

A number depends on the key of its world, the tick, the robot and the role it plays, and on nothing
else: not on how many worlds are stepped together, nor on who asks first. So a checkpoint holds no
generator. The mixer is that of SplitMix64 (Steele, Lea, Flood 2014).
"""

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel

Keys = NDArray[np.uint64]
"""``[W]``, one per world."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 1.0 / (1 << 53)


def world_keys(seed: int, worlds: list[int]) -> Keys:
    """One key per world number; each a function of the seed and that number alone.

    Args:
        seed: of the run, at least 0.
        worlds: ``[W]`` numbers across the run, at least 0.
    """
    words = [np.random.SeedSequence([seed, world]).generate_state(1, np.uint64) for world in worlds]
    return np.concatenate(words) if words else np.empty(0, dtype=np.uint64)


@kernel
def mixed(word: np.uint64) -> np.uint64:
    """One round of SplitMix64: 64 well stirred bits."""
    z = word + _GAMMA
    z = (z ^ z >> _S30) * _FIRST
    z = (z ^ z >> _S27) * _SECOND
    return z ^ z >> _S31


@kernel
def bits(key: np.uint64, tick: int, robot: int, role: int) -> np.uint64:
    """64 random bits.

    Args:
        key: of the world.
        tick, robot: 0 or more.
        role: a small number that nobody else in the world uses.
    """
    place = np.uint64(tick) << np.uint64(32) | np.uint64(robot)
    return mixed(mixed(key ^ np.uint64(role) * _GAMMA) ^ mixed(place))


@kernel
def uniform(key: np.uint64, tick: int, robot: int, role: int) -> float:
    """A number in [0, 1) with 53 random bits; arguments as of ``bits``."""
    return float(np.int64(bits(key, tick, robot, role) >> _S11)) * _UNIT


@kernel
def normal(key: np.uint64, tick: int, robot: int, role: int) -> float:
    """A standard normal number (Box and Muller); uses the roles ``role`` and ``role + 1``."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(key, tick, robot, role)))
    angle = 2.0 * np.pi * uniform(key, tick, robot, role + 1)
    return float(radius * np.cos(angle))
