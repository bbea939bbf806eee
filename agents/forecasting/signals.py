# SPDX-License-Identifier: Apache-2.0
"""The series behind the tasks, as the released code of arXiv 2402.17760 makes them."""

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import odeint
from scipy.special import jv

Floats = NDArray[np.float64]


def damped_oscillation() -> Floats:
    """Angular velocity of a damped pendulum, ``[240]``: th'' = -0.15 th' - 9.81 sin th."""

    def slope(state: Floats, _: float) -> tuple[float, float]:
        angle, velocity = state
        return velocity, -0.15 * velocity - 9.81 * np.sin(angle)

    path: Floats = odeint(slope, (0.0, 3.0), np.linspace(0.0, 20.0, 240))
    return path[:, 1]


def bessel() -> Floats:
    """The Bessel function of the second order on 2 to 100, ``[256]``."""
    values: Floats = jv(2, np.linspace(2.0, 100.0, 256))
    return values


def narma_input(length: int = 300) -> Floats:
    """The input of NARMA, ``[300]``: a product of three sines, between 0 and 0.2."""
    t = np.arange(length) / length
    waves = [np.sin(2 * np.pi * frequency * t) for frequency in (2.11, 3.73, 4.11)]
    product: Floats = 0.1 * (waves[0] * waves[1] * waves[2] + 1.0)
    return product


def narma(order: int, driven_by: Floats) -> Floats:
    """The nonlinear moving average of an order under an input; all is 0 before the start."""
    y = np.zeros_like(driven_by)
    y[0] = 0.196
    for t in range(len(y) - 1):
        recent = y[max(0, t - order + 1) : t + 1].sum()
        delayed = driven_by[t - order + 1] if t >= order - 1 else 0.0
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * recent + 1.5 * delayed * driven_by[t] + 0.1
    return y


def scaled(series: Floats) -> Floats:
    """The series stretched to -1 to 1; over all of it, test part included, as the paper does."""
    low, high = series.min(), series.max()
    stretched: Floats = 2.0 * (series - low) / (high - low) - 1.0
    return stretched
