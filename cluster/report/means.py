# SPDX-License-Identifier: Apache-2.0
"""Means over instances with their 95 % t-interval; medians with their range; resampled numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
T_QUANTILES = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
SHORTEST_S = 1e-4


@dataclass(frozen=True)
class Mean:
    """A mean over ``n`` instances; with one instance the interval is the point itself."""

    value: float
    low: float
    high: float
    n: int

    @property
    def has_interval(self) -> bool:
        """Whether there were enough instances for an interval."""
        return self.n > 1

    @property
    def is_drawable(self) -> bool:
        """Whether the interval is worth drawing; with two instances it covers everything."""
        return self.n > 2


@dataclass(frozen=True)
class Median(Mean):
    """A median over ``n`` values, between the least and the greatest of them."""

    @property
    def is_drawable(self) -> bool:
        """Whether there is a range at all: unlike a confidence interval it is never too wide."""
        return self.n > 1


@dataclass(frozen=True)
class Resampled(Mean):
    """A number of ``n`` runs with its bootstrap interval, which stays among their values."""


def median_of(values: Sequence[float]) -> Median | None:
    """The median and the range; infinite where so many of the values are."""
    if not values:
        return None
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return Median(middle, ordered[0], ordered[-1], len(ordered))


def t_quantile(degrees: int) -> float:
    """The factor of the standard error in a 95 % interval."""
    if degrees <= len(T_QUANTILES):
        return T_QUANTILES[degrees - 1]
    return 1.960 + 2.4 / degrees


def mean_of(values: Sequence[float | None]) -> Mean | None:
    """The mean of the values that exist, or None if none does."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = fmean(known)
    if len(known) == 1:
        return Mean(middle, middle, middle, 1)
    half = t_quantile(len(known) - 1) * stdev(known) / math.sqrt(len(known))
    return Mean(middle, middle - half, middle + half, len(known))


def geometric_mean_of(seconds: Sequence[float | None]) -> Mean | None:
    """The mean on the logarithmic scale, which is the scale that run times are drawn on."""
    logs = mean_of([math.log(max(s, SHORTEST_S)) if s is not None else None for s in seconds])
    if logs is None:
        return None
    return Mean(math.exp(logs.value), math.exp(logs.low), math.exp(logs.high), logs.n)
