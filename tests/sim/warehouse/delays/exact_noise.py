# SPDX-License-Identifier: Apache-2.0
"""Exact fractional Gaussian noise: correlations, and samples by circulant embedding."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def correlations(hurst: float, lags: ArrayLike) -> NDArray[np.float64]:
    lag, power = np.abs(np.asarray(lags, dtype=float)), 2 * hurst
    return np.asarray((lag + 1) ** power - 2 * lag**power + np.abs(lag - 1) ** power) / 2


def samples(hurst: float, count: int, length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """``[count, length]``; Davies and Harte 1987."""
    row = correlations(hurst, np.arange(length + 1))
    eigenvalues = np.fft.fft(np.concatenate([row, row[-2:0:-1]])).real
    assert eigenvalues.min() > -1e-9
    shape = (count, 2 * length)
    white = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    spectrum = np.sqrt(np.maximum(eigenvalues, 0) / (2 * length)) * white
    return np.fft.fft(spectrum, axis=1).real[:, :length]
