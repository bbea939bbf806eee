# SPDX-License-Identifier: Apache-2.0
"""The Hurst index of a series, estimated from its slow frequencies.

The local Whittle estimator: near frequency 0 the spectrum of a series with Hurst index H goes like
frequency^(1 - 2 H), and H is fitted to the lowest m frequencies by Whittle's likelihood, whatever
the spectrum does elsewhere. Its error is asymptotically normal with deviation 1 / (2 sqrt(m)),
whatever H is. Source: Robinson, "Gaussian semiparametric estimation of long range dependence",
Annals of Statistics 1995.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sim.errors import InputError, require

HURST_BOUNDS = (0.0, 1.25)
"""Where the estimate is looked for; the estimator is normal there."""

MIN_LENGTH = 64
FREQUENCY_POWER = 0.65


class HurstEstimate(NamedTuple):
    """A Hurst index and how sure it is.

    Args:
        hurst: the estimate.
        error: its asymptotic standard error.
        frequencies: how many it was fitted to, m.
    """

    hurst: float
    error: float
    frequencies: int


def hurst_index(series: NDArray[np.generic], frequencies: int | None = None) -> HurstEstimate:
    """Estimate the Hurst index of stationary series (noise, not its running sum).

    Args:
        series: ``[T]`` or ``[R, T]``, R independent series with the same law; T at least 64.
        frequencies: m, 4 to (T - 1) / 2, of which the lowest count; by default T^0.65. More
            are surer, but faster memories, such as the length of a delay, mix in.

    Raises:
        InputError: too short, not finite, constant, or ``frequencies`` out of range.
    """
    rows = np.atleast_2d(np.asarray(series, dtype=np.float64))
    length = rows.shape[-1]
    require("series", rows.shape, rows.ndim == 2 and len(rows) > 0 and length >= MIN_LENGTH,
            f"[T] or [R, T] with T at least {MIN_LENGTH}")  # fmt: skip
    if not np.isfinite(rows).all() or np.ptp(rows, axis=1).max() == 0:
        raise InputError("series is constant or not finite; allowed: finite numbers that vary")
    used = int(length**FREQUENCY_POWER) if frequencies is None else frequencies
    most = (length - 1) // 2
    require("frequencies", used, 4 <= used <= most, f"4 to {most}")
    centred = rows - rows.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(centred, axis=1)[:, 1 : used + 1]) ** 2).mean(axis=0)
    log_frequency = np.log(np.arange(1, used + 1) * (2 * math.pi / length))

    def objective(hurst: float) -> float:
        slope = 2 * hurst - 1
        weighted = np.mean(power * np.exp(slope * log_frequency))
        return math.log(weighted) - slope * float(log_frequency.mean())

    found = minimize_scalar(objective, bounds=HURST_BOUNDS, method="bounded")
    return HurstEstimate(float(found.x), 0.5 / math.sqrt(used * len(rows)), used)
