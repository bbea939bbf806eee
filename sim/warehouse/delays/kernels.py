# SPDX-License-Identifier: Apache-2.0
"""One tick of the delays of many worlds, compiled.

Every kernel counts delays down and lets new ones begin, in place. A delay that somebody else has
set is counted down like any other. Slow twins: ``sim/warehouse/delays/reference.py``.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.chance import Keys, normal, uniform

Floats = NDArray[np.float64]
DelayTicks = NDArray[np.int32]
"""``[W, N]``, how many more ticks each robot stands still, this one included."""

# Roles of chance (sim/warehouse/chance.py) from 80 to 89 belong to delays.
START, LENGTH, COUNT = 80, 81, 82
NOISE, PAST = 84, 86

MAX_TICKS = 2**30


@kernel
def count_down(delay_ticks: DelayTicks) -> None:
    """One tick less, down to 0."""
    for world in range(delay_ticks.shape[0]):
        for robot in range(delay_ticks.shape[1]):
            delay_ticks[world, robot] = max(delay_ticks[world, robot] - 1, 0)


@kernel
def geometric(chance_to_end: float, u: float) -> int:
    """A length of 1 or more that ends with the same chance after each tick; ``u`` in [0, 1)."""
    if chance_to_end >= 1:
        return 1
    return int(min(1 + math.log1p(-u) / math.log1p(-chance_to_end), MAX_TICKS))


@kernel
def independent(
    keys: Keys, tick: int, start_probability: float, end_probability: float, delay_ticks: DelayTicks
) -> None:
    """Robots that stood free in the last tick may stop, for a length drawn at once."""
    for world in range(delay_ticks.shape[0]):
        for robot in range(delay_ticks.shape[1]):
            if delay_ticks[world, robot] > 0:
                delay_ticks[world, robot] -= 1
            elif uniform(keys[world], tick, robot, START) < start_probability:
                u = uniform(keys[world], tick, robot, LENGTH)
                delay_ticks[world, robot] = geometric(end_probability, u)


@kernel
def markov(
    keys: Keys, tick: int, start_probability: float, end_probability: float, delay_ticks: DelayTicks
) -> None:
    """A chain of two states for each robot."""
    for world in range(delay_ticks.shape[0]):
        for robot in range(delay_ticks.shape[1]):
            if delay_ticks[world, robot] > 1:
                delay_ticks[world, robot] -= 1
                continue
            u = uniform(keys[world], tick, robot, START)
            stood = delay_ticks[world, robot] == 1
            stands = u >= end_probability if stood else u < start_probability
            delay_ticks[world, robot] = 1 if stands else 0


@kernel
def drawn_length(shortest: int, cumulative: Floats, key: np.uint64, tick: int, robot: int) -> int:
    """A length by its cumulative distribution, last entry left out."""
    u = uniform(key, tick, robot, LENGTH)
    return int(shortest + np.searchsorted(cumulative, u, side="right"))


@kernel
def bernoulli(
    keys: Keys,
    tick: int,
    probability: float,
    shortest: int,
    cumulative: Floats,
    delay_ticks: DelayTicks,
) -> None:
    """Every robot free of a delay, also one that has just ended, may fall into the next."""
    for world in range(delay_ticks.shape[0]):
        key = keys[world]
        for robot in range(delay_ticks.shape[1]):
            left = max(delay_ticks[world, robot] - 1, 0)
            if left == 0 and uniform(key, tick, robot, START) < probability:
                left = drawn_length(shortest, cumulative, key, tick, robot)
            delay_ticks[world, robot] = left


@kernel
def poisson_count(key: np.uint64, tick: int, mean: float) -> int:
    """A Poisson number: the events of a process of rate 1 before the time ``mean``."""
    count, time = 0, -math.log1p(-uniform(key, tick, 0, COUNT))
    while time < mean:
        count += 1
        time -= math.log1p(-uniform(key, tick, count, COUNT))
    return count


@kernel
def poisson(
    keys: Keys,
    tick: int,
    mean_per_robot: float,
    shortest: int,
    cumulative: Floats,
    delay_ticks: DelayTicks,
) -> None:
    """A Poisson number of robots, at most the free ones, is drawn from these; all sets alike."""
    robots = delay_ticks.shape[1]
    for world in range(delay_ticks.shape[0]):
        key = keys[world]
        free = 0
        for robot in range(robots):
            delay_ticks[world, robot] = max(delay_ticks[world, robot] - 1, 0)
            free += delay_ticks[world, robot] == 0
        wanted = poisson_count(key, tick, mean_per_robot * robots)
        for robot in range(robots):
            if wanted == 0:
                break
            if delay_ticks[world, robot] == 0:
                if uniform(key, tick, robot, START) * free < wanted:
                    wanted -= 1
                    delay_ticks[world, robot] = drawn_length(shortest, cumulative, key, tick, robot)
                free -= 1


@kernel
def stationary_state(keys: Keys, start: Floats, state: Floats) -> None:
    """Fill the noise states ``[W, K, N]`` as if the noise had always been there."""
    for world in range(state.shape[0]):
        for robot in range(state.shape[2]):
            state[world, :, robot] = 0.0
            for source in range(len(start)):
                z = normal(keys[world], source, robot, PAST)
                for k in range(len(start)):
                    state[world, k, robot] += start[k, source] * z


@kernel
def two_normals(key: np.uint64, tick: int, pair: int) -> tuple[float, float]:
    """The two independent standard normal numbers of a pair of robots (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(key, tick, pair, NOISE)))
    angle = 2.0 * math.pi * uniform(key, tick, pair, NOISE + 1)
    return radius * math.cos(angle), radius * math.sin(angle)


@kernel
def next_noise(
    key: np.uint64,
    tick: int,
    decay: Floats,
    gain: Floats,
    deviation: float,
    state: Floats,
    innovation: Floats,
    noise: Floats,
) -> None:
    """The noise of one world in this tick, and the state after it.

    Args:
        key, tick: where chance comes from.
        decay, gain, deviation: of the ``NoiseLaw``.
        state: ``[K, N]``, changed in place.
        innovation: ``[N + 1]``, scratch.
        noise: ``[N]``, the result.
    """
    robots = len(noise)
    for pair in range((robots + 1) // 2):
        first, second = two_normals(key, tick, pair)
        innovation[2 * pair] = deviation * first
        innovation[2 * pair + 1] = deviation * second
    noise[:] = innovation[:robots]
    for k in range(len(decay)):
        for robot in range(robots):
            noise[robot] += state[k, robot]
            state[k, robot] = decay[k] * state[k, robot] + gain[k] * innovation[robot]


@kernel
def fractional(
    keys: Keys,
    tick: int,
    decay: Floats,
    gain: Floats,
    deviation: float,
    threshold: float,
    state: Floats,
    delay_ticks: DelayTicks,
) -> None:
    """Robots stand while their noise exceeds the threshold; ``state`` is ``[W, K, N]``."""
    robots = delay_ticks.shape[1]
    innovation, noise = np.empty(robots + 1), np.empty(robots)
    for world in range(delay_ticks.shape[0]):
        next_noise(keys[world], tick, decay, gain, deviation, state[world], innovation, noise)
        for robot in range(robots):
            left = max(delay_ticks[world, robot] - 1, 0)
            delay_ticks[world, robot] = max(left, 1 if noise[robot] > threshold else 0)
