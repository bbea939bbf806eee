# SPDX-License-Identifier: Apache-2.0
"""How long noise stays above a threshold: the rate that gives a mean length.

A robot stands while its standard normal noise x exceeds the quantile q that belongs to the share.
So the share is exact. A standstill ends with the chance P(x(t) > q >= x(t + 1)) per tick, which the
correlation of two ticks alone decides. It is the integral of exp(-q^2 / (1 + cos u)) / (2 pi) over
u from 0 to arccos(correlation) (Plackett 1954). The mean length is share over this chance. So the
mean length is exact too, whatever the memory.
"""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from scipy.optimize import brentq

from sim.warehouse.delays.noise import smoothed_correlation

RATES = (1e-4, 3.0)
"""Per tick; within the range where the noise is fractional."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)


def threshold(share: float) -> float:
    """What standard normal noise exceeds in this share of the ticks; infinite for 0."""
    return NormalDist().inv_cdf(1 - share) if share > 0 else math.inf


def mean_standstill_ticks(share: float, correlation: float) -> float:
    """Mean length of a standstill.

    Args:
        share: above 0, below 1.
        correlation: of the noise from one tick to the next, -1 to below 1.
    """
    angle = math.acos(correlation)
    points = angle * (1 + _NODES) / 2
    density = np.exp(-(threshold(share) ** 2) / (1 + np.cos(points))) / (2 * math.pi)
    return share / float(angle / 2 * (_WEIGHTS @ density))


@lru_cache(maxsize=256)
def reachable_mean_ticks(share: float, hurst: float) -> tuple[float, float]:
    """Shortest and longest mean standstill of fractional delays, in ticks."""
    longest, shortest = (
        mean_standstill_ticks(share, smoothed_correlation(hurst, rate)) for rate in RATES
    )
    return shortest, longest


@lru_cache(maxsize=256)
def rate_of(share: float, mean_ticks: float, hurst: float) -> float:
    """Rate of smoothing per tick at which standstills have this mean length."""

    def excess(log_rate: float) -> float:
        correlation = smoothed_correlation(hurst, math.exp(log_rate))
        return math.log(mean_standstill_ticks(share, correlation) / mean_ticks)

    return math.exp(brentq(excess, math.log(RATES[0]), math.log(RATES[1]), xtol=1e-12))
