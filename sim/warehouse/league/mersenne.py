# SPDX-License-Identifier: Apache-2.0
"""The chance of the league's program, number by number: its generator and its distributions.

The program is C++, built with GNU's standard library. The generator is the Mersenne Twister
(Matsumoto, Nishimura 1998); whole numbers come by Lemire's method (2019), normal ones by
Marsaglia's polar method, Poisson ones by Devroye's rejection (1986, chapter X.3), orders by Fisher
and Yates. Which of its words a draw takes, and how they are rounded, is that library's choice.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel

Words = NDArray[np.uint32]
"""``[625]``: 624 words of state, and how many of them are used up."""

NUM_WORDS = 624
_SHIFT = 397
_LOW32 = np.uint64(0xFFFFFFFF)
_BELOW_ONE = 1.0 - 2.0**-53


def seeded(seed: int) -> Words:
    """The state that a 32-bit seed gives; larger seeds lose their upper bits, as in the league."""
    words = np.empty(NUM_WORDS + 1, dtype=np.uint32)
    word = seed % 2**32
    for place in range(NUM_WORDS):
        words[place] = word
        word = (1812433253 * (word ^ word >> 30) + place + 1) % 2**32
    words[NUM_WORDS] = NUM_WORDS
    return words


@kernel
def _renew(words: Words) -> None:
    for place in range(NUM_WORDS):
        upper = np.int64(words[place]) & 0x80000000
        lower = np.int64(words[(place + 1) % NUM_WORDS]) & 0x7FFFFFFF
        mixed = (upper | lower) >> 1
        if lower & 1:
            mixed ^= 0x9908B0DF
        words[place] = np.int64(words[(place + _SHIFT) % NUM_WORDS]) ^ mixed
    words[NUM_WORDS] = 0


@kernel
def next_word(words: Words) -> int:
    """32 random bits."""
    if words[NUM_WORDS] == NUM_WORDS:
        _renew(words)
    word = np.int64(words[np.int64(words[NUM_WORDS])])
    words[NUM_WORDS] += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C5680
    word ^= word << 15 & 0xEFC60000
    return int(word ^ word >> 18)


@kernel
def unit(words: Words) -> float:
    """A number in [0, 1) from two words, the first one the lower."""
    low = float(next_word(words))
    return min((low + float(next_word(words)) * 2.0**32) / 2.0**64, _BELOW_ONE)


@kernel
def below(words: Words, count: int) -> int:
    """A whole number from 0 to ``count - 1``, all alike; ``count`` is 1 to 2**32 - 1."""
    wide = np.uint64(count)
    product = np.uint64(next_word(words)) * wide
    if product & _LOW32 < wide:
        least = (np.uint64(2**32) - wide) % wide
        while product & _LOW32 < least:
            product = np.uint64(next_word(words)) * wide
    return int(np.int64(product >> np.uint64(32)))


@kernel
def normal_pair(words: Words) -> tuple[float, float]:
    """Two standard normal numbers: that which is used first, and that which is kept."""
    square, x, y = 0.0, 0.0, 0.0
    while square > 1.0 or square == 0.0:
        x = 2.0 * unit(words) - 1.0
        y = 2.0 * unit(words) - 1.0
        square = x * x + y * y
    factor = math.sqrt(-2.0 * math.log(square) / square)
    return y * factor, x * factor


@kernel
def _small_poisson(words: Words, mean: float) -> int:
    least = math.exp(-mean)
    count = 0
    product = unit(words)
    while product > least:
        product *= unit(words)
        count += 1
    return count


@kernel
def _large_poisson(words: Words, mean: float) -> int:
    """Rejection from five pieces that lie above the scaled probabilities around the mean."""
    mode = math.floor(mean)
    root = math.sqrt(mode)
    quarter_pi = math.pi / 4
    edge = math.floor(
        max(6.0, min(mode, math.sqrt(2 * mode * math.log(32 * mode / quarter_pi)))) + 0.5
    )
    double = 2 * mode + edge
    inverse = 1 / double
    left = root * math.sqrt(math.pi / 2)
    right = left + math.sqrt(quarter_pi * double) * math.exp(inverse)
    near = right + 1 + 1 + math.exp(1 / 78)
    area = 2 * double * math.exp(-edge * inverse * (1 + edge / 2)) / edge + near
    kept, has_kept = 0.0, False
    while True:
        place = area * unit(words)
        height = -math.log(1.0 - unit(words))
        weight = 0.0
        if place <= right:
            if has_kept:
                number, has_kept = kept, False
            else:
                number, kept = normal_pair(words)
                has_kept = True
            if place <= left:
                step = math.floor(-abs(number) * root - 1)
                weight = -number * number / 2
                if step < -mode:
                    continue
            else:
                far = 1 + abs(number) * math.sqrt(double / 2)
                step = math.ceil(far)
                weight = far * (2 - far) * inverse
                if step > edge:
                    continue
        elif place <= right + 1:
            step = -1
        elif place <= right + 2:
            step = 0
        elif place <= near:
            step = 1
            weight = 1 / 78
        else:
            far = edge - math.log(1.0 - unit(words)) * 2 * double / edge
            step = math.ceil(far)
            weight = -edge * inverse * (1 + far / 2)
        least = math.lgamma(mode + 1) - math.lgamma(step + mode + 1)
        if weight - height - step * math.log(mean) <= least:
            return int(step + mode)


@kernel
def poisson(words: Words, mean: float) -> int:
    """A Poisson number."""
    return _large_poisson(words, mean) if mean >= 12 else _small_poisson(words, mean)


@kernel
def _swap(items: NDArray[np.int64], first: int, second: int) -> None:
    items[first], items[second] = items[second], items[first]


@kernel
def shuffle(words: Words, items: NDArray[np.int64]) -> None:
    """Bring items into random order; one draw for two of them unless there are 65536 or more."""
    place = 1
    if len(items) >= 2**16:
        for place in range(1, len(items)):
            _swap(items, place, below(words, place + 1))
        return
    if len(items) % 2 == 0 and len(items) > 0:
        _swap(items, 1, below(words, 2))
        place = 2
    while place < len(items):
        both = below(words, (place + 1) * (place + 2))
        _swap(items, place, both // (place + 2))
        _swap(items, place + 1, both % (place + 2))
        place += 2
