# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim.warehouse.chance import world_keys
from sim.warehouse.delays.hurst import hurst_index
from sim.warehouse.delays.kernels import next_noise, stationary_state
from sim.warehouse.delays.noise import (
    HORIZONS,
    SPEEDS,
    NoiseLaw,
    _smoothed_response,
    best_weights,
    increments,
    smoothed,
    smoothed_correlation,
)
from tests.sim.warehouse.delays import exact_noise

LAGS = np.unique(np.round(np.geomspace(1, 1000, 100)).astype(int))


def sampled(law: NoiseLaw, rows: int, length: int, seed: int = 0) -> np.ndarray:
    keys = world_keys(seed, [0])
    state = np.empty((1, len(law.decay), rows))
    stationary_state(keys, law.start, state)
    noise, scratch = np.empty((length, rows)), np.empty(rows + 1)
    for tick in range(length):
        next_noise(
            keys[0], tick, law.decay, law.gain, law.deviation, state[0], scratch, noise[tick]
        )
    return noise.T


@pytest.mark.parametrize("hurst", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_increments_have_the_correlations_of_fractional_noise(hurst: float) -> None:
    np.testing.assert_allclose(
        increments(hurst).correlation(LAGS), exact_noise.correlations(hurst, LAGS), atol=0.01
    )


def test_persistent_correlations_are_right_in_relation_too() -> None:
    for hurst, error in ((0.6, 0.05), (0.7, 0.03), (0.8, 0.02), (0.9, 0.06)):
        exact = exact_noise.correlations(hurst, LAGS)
        np.testing.assert_allclose(increments(hurst).correlation(LAGS), exact, rtol=error)


@pytest.mark.parametrize("hurst", [0.3, 0.8])
def test_innovations_form_keeps_the_law_of_the_states(hurst: float) -> None:
    """Increments from the variance of the sum of Ornstein-Uhlenbeck processes itself."""
    weights = best_weights(hurst, SPEEDS, HORIZONS)
    total = SPEEDS[:, None] + SPEEDS

    def variance(t: float) -> float:
        left = -np.expm1(-SPEEDS * t)
        safe = np.where(total > 0, total, 1)
        return float(weights @ np.where(total > 0, (left[:, None] + left) / safe, t) @ weights)

    lags = [0, 1, 2, 5, 30, 400]
    second = [(variance(h + 1) - 2 * variance(h) + variance(abs(h - 1))) / 2 for h in lags]
    np.testing.assert_allclose(
        increments(hurst).correlation(lags), np.array(second) / second[0], atol=1e-9
    )


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("rate", [0.01, 0.5, 2.9, float(SPEEDS[-2])])
def test_smoothed_noise_is_the_convolution_tick_by_tick(hurst: float, rate: float) -> None:
    amplitudes, speeds = _smoothed_response(hurst, rate)
    part = amplitudes * ((1 / (speeds[:, None] + speeds)) @ amplitudes)
    lags = [0, 1, 7, 300]
    exact = [float(part @ np.exp(-speeds * lag)) / part.sum() for lag in lags]
    law = smoothed(hurst, rate)
    np.testing.assert_allclose(law.correlation(lags), exact, atol=1e-9)
    assert law.correlation([1])[0] == pytest.approx(smoothed_correlation(hurst, rate), abs=1e-9)


def test_smoothing_forgets_its_own_length() -> None:
    """At lags far beyond 1 / rate, correlations fall like those of fractional noise."""
    law = smoothed(0.8, 0.5)
    ratio = law.correlation([1000])[0] / law.correlation([100])[0]
    assert ratio == pytest.approx(10 ** (2 * 0.8 - 2), rel=0.06)


def test_samples_are_stationary_from_the_first_tick() -> None:
    noise = sampled(smoothed(0.8, 0.3), rows=20_000, length=3)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.02)
    measured = float((noise[:, 0] * noise[:, 2]).mean())
    assert measured == pytest.approx(smoothed(0.8, 0.3).correlation([2])[0], abs=0.03)


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7, 0.8, 0.9])
def test_estimator_recovers_the_index_of_the_approximation(hurst: float) -> None:
    found = hurst_index(sampled(increments(hurst), rows=32, length=2**13))
    assert found.hurst == pytest.approx(hurst, abs=3 * found.error + 0.01)
