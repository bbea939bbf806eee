# SPDX-License-Identifier: Apache-2.0
"""Random numbers inside the kernels: the seed of an episode, and what is drawn from it.

All arithmetic is of unsigned 64-bit words; a signed number among them would make numba go over to
floats, so the constants are wrapped.
"""

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel

Words = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(16)
_POOL_WORDS = 4
# The constants of numpy's SeedSequence (M. E. O'Neill's seed_seq_fe).
_HASH_START, _HASH_STEP = np.uint64(0x43B0D7E5), np.uint64(0x931E8875)
_OUT_START, _OUT_STEP = np.uint64(0x8B51F9DD), np.uint64(0x58F38DED)
_MIX_LEFT, _MIX_RIGHT = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
# Those of SplitMix64 (Steele, Lea, Flood 2014).
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@kernel
def _hashed(value: np.uint64, factor: np.uint64, step: np.uint64) -> tuple[np.uint64, np.uint64]:
    """``value`` stirred with ``factor``, and the next factor."""
    after = factor * step & _LOW
    value = (value ^ factor) * after & _LOW
    return value ^ value >> _HALF, after


@kernel
def _mixed(left: np.uint64, right: np.uint64) -> np.uint64:
    value = _MIX_LEFT * left - _MIX_RIGHT * right & _LOW
    return value ^ value >> _HALF


@kernel
def compiled_episode_seed(seed: int, lane: int, episode: int) -> int:
    """``sim.environments.seeds.episode_seed`` without numpy's ten microseconds.

    Args:
        seed, lane, episode: each in ``0 .. 2^32 - 1``.
    """
    pool = np.zeros(_POOL_WORDS, dtype=np.uint64)
    pool[0], pool[1], pool[2] = np.uint64(seed), np.uint64(lane), np.uint64(episode)
    factor = _HASH_START
    for i in range(_POOL_WORDS):
        pool[i], factor = _hashed(pool[i], factor, _HASH_STEP)
    for source in range(_POOL_WORDS):
        for target in range(_POOL_WORDS):
            if source != target:
                value, factor = _hashed(pool[source], factor, _HASH_STEP)
                pool[target] = _mixed(pool[target], value)
    value, _ = _hashed(pool[0], _OUT_START, _OUT_STEP)
    return int(np.int64(value >> np.uint64(1)))


@kernel
def make_word(seed: int) -> Words:
    """``[1]`` the state of a SplitMix64 generator."""
    return np.full(1, np.uint64(seed))


@kernel
def below(word: Words, bound: int) -> int:
    """The next number of ``0 .. bound - 1``, each alike to within ``bound / 2^32``."""
    word[0] += _GAMMA
    z = word[0]
    z = (z ^ z >> np.uint64(30)) * _FIRST
    z = (z ^ z >> np.uint64(27)) * _SECOND
    z = z ^ z >> np.uint64(31)
    return int(np.int64((z >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)))
