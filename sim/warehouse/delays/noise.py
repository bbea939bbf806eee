# SPDX-License-Identifier: Apache-2.0
"""Stationary noise with long memory, one random number per tick.

Two noises are made of the Markov approximation of fractional Brownian motion B with unit of time
one tick:

- increments, B(t) - B(t - 1): fractional Gaussian noise;
- smoothed, the integral of exp(-rate (t - s)) dB(s) over the past: the same memory at long lags,
  and a length of about 1 / rate at short ones.

Seen tick by tick, each is a linear function of Ornstein-Uhlenbeck states whose exact updates would
take as many correlated random numbers as there are states. Its law has an equal with a single one:
the innovations form, x = sum(z) + e, z <- decay z + gain e, where e is what the past does not tell
of x. The gain solves a Riccati equation, once. So the law tick by tick is exact, no Euler step.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import linalg

from sim.warehouse.delays.fractional import Floats, best_weights

SPEEDS = np.concatenate([[0.0], np.geomspace(1e-8, 6.0, 12)])
"""Per tick; memory up to a hundred million ticks, one state for each factor of six."""

HORIZONS = tuple(10.0**power for power in range(6))
"""Ticks, 1 to 100,000: the length of our longest runs."""

NEGLIGIBLE = 1e-9
"""A state with less deviation than this is left out; so are all of them at a Hurst index of 0.5."""

APART = 1e-3
"""A rate as close as this to a speed is moved: of equal speeds, amplitudes would be infinite."""


class NoiseLaw(NamedTuple):
    """A stationary Gaussian process of variance 1 in innovations form.

    Args:
        decay: ``[K]``, below 1: what a state keeps in a tick.
        gain: ``[K]``, what a state takes from the innovation.
        deviation: of the innovation.
        start: ``[K, K]``; times K standard normal numbers it is a stationary state.
    """

    decay: Floats
    gain: Floats
    deviation: float
    start: Floats

    def correlation(self, lags: Sequence[int]) -> Floats:
        """Exact correlation of the noise at these lags, in ticks, at least 0."""
        covariance = self.start @ self.start.T
        step = self.decay * covariance.sum(1) + self.gain * self.deviation**2
        after = [float(step @ self.decay ** (lag - 1)) if lag else 1.0 for lag in lags]
        return np.array(after)


def _innovations(
    decay: Floats, output: Floats, noise: Floats, cross: Floats, direct: float
) -> NoiseLaw:
    """Innovations form of x = output Z + v, Z <- decay Z + n, scaled to variance 1.

    Args:
        decay: ``[K]``.
        output: ``[K]``.
        noise: ``[K, K]`` covariance of n.
        cross: ``[K]`` covariance of n and v.
        direct: variance of v.
    """
    kept = np.abs(output) > NEGLIGIBLE * np.sqrt(1 - decay**2)
    if not kept.any():
        return NoiseLaw(decay[:0], decay[:0], 1.0, np.zeros((0, 0)))
    decay, output = decay[kept], output[kept]
    noise = noise[np.ix_(kept, kept)] * np.outer(output, output)  # states that simply add up
    cross = cross[kept] * output
    ones = np.ones((len(decay), 1))
    error = linalg.solve_discrete_are(
        np.diag(decay), ones, noise, np.array([[direct]]), s=cross[:, None]
    )
    variance = float(error.sum() + direct)
    gain = (decay * error.sum(1) + cross) / variance
    state = np.outer(gain, gain) * variance / (1 - np.outer(decay, decay))
    total = float(state.sum() + variance)
    values, vectors = np.linalg.eigh(state / total)
    start = vectors * np.sqrt(np.maximum(values, 0))
    return NoiseLaw(decay, gain, math.sqrt(variance / total), start)


def _within_tick(speeds: Floats) -> Floats:
    """``[K, K]`` covariance of what the states take from one tick of Brownian motion."""
    total = speeds[:, None] + speeds
    return np.where(total > 0, -np.expm1(-total) / np.where(total > 0, total, 1), 1.0)


@lru_cache(maxsize=64)
def increments(hurst: float) -> NoiseLaw:
    """Fractional Gaussian noise, approximately; exact at a Hurst index of 0.5.

    Its correlations differ from the true ones by at most 0.01 at any lag up to 1000 for Hurst
    indices of 0.3 to 0.9, which is 5 % of them or less from 0.6 on; at 0.95 by up to 0.07.
    """
    weights, noise = best_weights(hurst, SPEEDS, HORIZONS), _within_tick(SPEEDS)
    slow = SPEEDS > 0  # Brownian motion itself leaves only its increment
    output = weights[slow] * np.expm1(-SPEEDS[slow])
    cross = (noise @ weights)[slow]
    direct = float(weights @ noise @ weights)
    return _innovations(np.exp(-SPEEDS[slow]), output, noise[np.ix_(slow, slow)], cross, direct)


def _smoothed_response(hurst: float, rate: float) -> tuple[Floats, Floats]:
    """Amplitudes and speeds of the exponentials that the smoothed noise is the sum of."""
    nearest = SPEEDS[np.abs(SPEEDS - rate).argmin()]
    if abs(rate / nearest - 1) < APART:
        rate = nearest * (1 + APART)
    weights, slow = best_weights(hurst, SPEEDS, HORIZONS), SPEEDS > 0
    speeds = np.append(SPEEDS[slow], rate)
    own = -weights[slow] * SPEEDS[slow] / (rate - SPEEDS[slow])
    return np.append(own, np.sum(weights * rate / (rate - SPEEDS))), speeds


def smoothed_correlation(hurst: float, rate: float) -> float:
    """Correlation of the smoothed noise from one tick to the next."""
    amplitudes, speeds = _smoothed_response(hurst, rate)
    part = amplitudes * ((1 / (speeds[:, None] + speeds)) @ amplitudes)
    return float(part @ np.exp(-speeds) / part.sum())


@lru_cache(maxsize=64)
def smoothed(hurst: float, rate: float) -> NoiseLaw:
    """Fractional noise smoothed by an exponential of this rate per tick."""
    amplitudes, speeds = _smoothed_response(hurst, rate)
    none = np.zeros(len(speeds))
    return _innovations(np.exp(-speeds), amplitudes, _within_tick(speeds), none, 0.0)
