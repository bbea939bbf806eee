# SPDX-License-Identifier: Apache-2.0
"""The delays of one robot in one tick in plain Python: slow and obvious, for tests.

Takes the same random numbers as ``sim/warehouse/delays/kernels.py``, and so gives the same delays.
"""

import math

import numpy as np

from sim.delays import LorrDelayOptions
from sim.warehouse.chance import uniform
from sim.warehouse.delays.kernels import COUNT, LENGTH, NOISE, START, DelayTicks, Floats
from sim.warehouse.delays.noise import NoiseLaw
from sim.warehouse.delays.options import DelayKind, TickDelayOptions


def chain_reference(
    options: TickDelayOptions, key: np.uint64, tick: int, robot: int, left: int
) -> int:
    """The next ``delay_ticks`` of a robot under independent or Markov delays."""
    u, end_probability = uniform(key, tick, robot, START), 1 / options.mean_ticks
    if left > 1:
        return left - 1
    if options.kind is DelayKind.MARKOV and left == 1:
        return 1 if u >= end_probability else 0
    if left == 1 or u >= options.start_probability:
        return 0
    if options.kind is DelayKind.MARKOV or end_probability == 1:
        return 1
    surviving, length = 1 - uniform(key, tick, robot, LENGTH), 1
    while surviving <= (1 - end_probability) ** length:
        length += 1
    return length


def league_reference(
    options: LorrDelayOptions, key: np.uint64, tick: int, left: list[int]
) -> list[int]:
    """The next ``delay_ticks`` of the robots of one world under the league's delays."""
    left = [max(ticks - 1, 0) for ticks in left]
    free = [robot for robot, ticks in enumerate(left) if ticks == 0]
    coins = {robot: uniform(key, tick, robot, START) for robot in free}
    if options.event_model == "bernoulli":
        stopped = [robot for robot in free if coins[robot] < options.p_delay]
    else:
        arrivals = 0.0
        wanted = -1
        while arrivals < options.p_delay * len(left) or wanted < 0:
            wanted += 1
            arrivals -= math.log1p(-uniform(key, tick, wanted, COUNT))
        stopped = []
        for position, robot in enumerate(free):  # selection sampling, Knuth volume 2
            if coins[robot] * (len(free) - position) < wanted - len(stopped):
                stopped.append(robot)
    cumulative = np.cumsum(options.delay_distribution)[:-1]
    for robot in stopped:
        u = uniform(key, tick, robot, LENGTH)
        left[robot] = options.min_delay_ticks + int((cumulative <= u).sum())
    return left


def noise_reference(
    law: NoiseLaw, key: np.uint64, tick: int, robot: int, state: Floats
) -> tuple[float, Floats]:
    """The noise of a robot in this tick, and its state ``[K]`` after it."""
    pair, second = divmod(robot, 2)
    radius = math.sqrt(-2 * math.log(1 - uniform(key, tick, pair, NOISE)))
    angle = 2 * math.pi * uniform(key, tick, pair, NOISE + 1)
    innovation = law.deviation * radius * (math.sin(angle) if second else math.cos(angle))
    noise = innovation
    for part in state:
        noise += part
    return noise, law.decay * state + law.gain * innovation


def fractional_reference(
    law: NoiseLaw, threshold: float, key: np.uint64, tick: int, state: Floats, left: DelayTicks
) -> tuple[Floats, DelayTicks]:
    """State ``[K, N]`` and ``delay_ticks`` ``[N]`` of one world after this tick."""
    after, delayed = np.empty_like(state), np.maximum(left - 1, 0)
    for robot in range(len(left)):
        noise, after[:, robot] = noise_reference(law, key, tick, robot, state[:, robot])
        if noise > threshold:
            delayed[robot] = max(delayed[robot], 1)
    return after, delayed
