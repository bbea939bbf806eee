# SPDX-License-Identifier: Apache-2.0
"""Fractional Brownian motion as a weighted sum of Markov processes, with the best weights.

Fractional Brownian motion remembers everything. A few Ornstein-Uhlenbeck processes that are driven
by one and the same Brownian motion W, dY_k = -speed_k Y_k dt + dW, remember on scales of their own,
and a weighted sum of them comes close. The weights that minimise the mean squared distance over
[0, T] solve linear equations, A w = b, whose entries are known in closed form. Source: Daems,
Opper, Crevecoeur, Birdal, "Variational Inference for SDEs Driven by Fractional Noise", ICLR 2024.
Entries are derived anew here and checked against numerical quadrature in the tests.

Two things are our own. The first speed may be 0, Brownian motion itself, so that a Hurst index of
0.5 is met exactly. And several horizons T may count at once, each error relative to the size of
the motion by then; with one long horizon alone, the increments of a tick came out wrong.

With a = H + 1/2 the motions are, in the scale of the paper,

- type I (Mandelbrot, Van Ness): the integral of (t - s)^(a-1), less (-s)^(a-1) where s < 0, over
  all s <= t against dW / Gamma(a); the sum is of Y_k(t) - Y_k(0) with stationary Y_k;
- type II (Riemann, Liouville): of (t - s)^(a-1) over 0 <= s <= t only; Y_k(0) = 0.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

SERIES_BELOW = 2.0
"""Below this, closed forms cancel, and a power series is used."""


class Motion(StrEnum):
    """The two fractional Brownian motions."""

    STATIONARY = "stationary"
    """Type I: its increments are stationary."""

    FROM_ZERO = "from_zero"
    """Type II: it has no past."""


def motion_variance(hurst: float, motion: Motion = Motion.STATIONARY) -> float:
    """Variance of the motion at time 1."""
    if motion is Motion.FROM_ZERO:
        return float(1 / (2 * hurst * special.gamma(hurst + 0.5) ** 2))
    return float(1 / (special.gamma(2 * hurst + 1) * math.sin(math.pi * hurst)))


def _lag(x: Floats) -> Floats:
    """``(x - 1 + exp(-x)) / x**2``, 1/2 at 0."""
    terms = np.arange(30)
    small = np.minimum(x, SERIES_BELOW)[..., None]
    series: Floats = ((-small) ** terms / special.gamma(terms + 3)).sum(-1)
    large = np.maximum(x, SERIES_BELOW)
    return np.where(x < SERIES_BELOW, series, (large + np.expm1(-large)) / large**2)


def gram(speeds: Floats, horizon: float, motion: Motion = Motion.STATIONARY) -> Floats:
    """``[K, K]``: A, the integral over [0, horizon] of E[Y_i(t) Y_j(t)], past as of the motion.

    Type I: E = (2 - exp(-s_i t) - exp(-s_j t)) / (s_i + s_j). Type II:
    E = (1 - exp(-(s_i + s_j) t)) / (s_i + s_j). Both are t where both speeds are 0.
    """
    total = speeds[:, None] + speeds
    if motion is Motion.FROM_ZERO:
        from_zero: Floats = horizon**2 * _lag(total * horizon)
        return from_zero
    part = speeds * _lag(speeds * horizon)
    both = (part[:, None] + part) / np.where(total > 0, total, 1)
    matrix: Floats = horizon**2 * np.where(total > 0, both, 0.5)
    return matrix


def _projection_series(order: float, x: Floats, motion: Motion) -> Floats:
    """``projection`` at horizon 1 by its power series, for small ``x``."""
    terms = np.arange(30)
    if motion is Motion.FROM_ZERO:
        ratio = (-1.0) ** terms / (
            special.gamma(terms + 1) * (order + terms) * special.gamma(order)
        )
        return np.asarray((x[:, None] ** terms * ratio / (order + terms + 1)).sum(1))
    rising = (x[:, None] ** terms / special.gamma(order + terms + 2)).sum(1)
    even = 2 * terms[1:]
    both = 2 * (x[:, None] ** (even - order) / special.gamma(even + 2)).sum(1)
    return np.asarray(rising - both)


def _projection_closed(order: float, x: Floats, motion: Motion) -> Floats:
    """``projection`` at horizon 1 in closed form, for large ``x``."""
    if motion is Motion.FROM_ZERO:
        return np.asarray(
            x**-order * (special.gammainc(order, x) - order / x * special.gammainc(order + 1, x))
        )
    # exp(x) Gamma(a, x) / Gamma(a), without overflow.
    tail = special.hyperu(1 - order, 1 - order, x) / special.gamma(order)
    first = x**-order * (2 + np.expm1(-x) / x - (tail - 1) / x)
    return np.asarray(first - 1 / (x * special.gamma(order + 1)))


def projection(
    hurst: float, speeds: Floats, horizon: float, motion: Motion = Motion.STATIONARY
) -> Floats:
    """``[K]``: b, the integral over [0, horizon] of E[B(t) Y_k(t)], past as of the motion.

    With x = speed t, a = H + 1/2, and P and Q the regularised incomplete gamma functions, type I:
    E = speed^-a (2 - exp(-x) - exp(x) Q(a, x)); type II: E = speed^-a P(a, x); integrated by parts.
    """
    order, x = hurst + 0.5, speeds * horizon
    series = _projection_series(order, np.minimum(x, SERIES_BELOW), motion)
    closed = _projection_closed(order, np.maximum(x, SERIES_BELOW), motion)
    right: Floats = horizon ** (order + 1) * np.where(x < SERIES_BELOW, series, closed)
    return right


def best_weights(
    hurst: float,
    speeds: Floats,
    horizons: Sequence[float],
    motion: Motion = Motion.STATIONARY,
) -> Floats:
    """Weights of the sum that is closest to fractional Brownian motion.

    Args:
        hurst: H, between 0 and 1.
        speeds: ``[K]``, different, at least 0, per unit of time.
        horizons: the error is the sum over these of the mean squared error over [0, horizon],
            relative to the mean square of the motion there.
        motion: type I or II.

    Returns:
        ``[K]`` weights.
    """
    matrix, right = np.zeros((len(speeds), len(speeds))), np.zeros(len(speeds))
    for horizon in horizons:
        size = motion_variance(hurst, motion) * horizon ** (2 * hurst + 1) / (2 * hurst + 1)
        matrix += gram(speeds, horizon, motion) / size
        right += projection(hurst, speeds, horizon, motion) / size
    scale = 1 / np.sqrt(np.diag(matrix))  # speeds differ by powers of ten
    return np.asarray(scale * np.linalg.solve(matrix * np.outer(scale, scale), right * scale))
