# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
from scipy import special
from scipy.integrate import quad

from sim.warehouse.delays.fractional import (
    Motion,
    best_weights,
    gram,
    motion_variance,
    projection,
)


def kernel_of_motion(hurst: float, t: float, s: float, motion: Motion) -> float:
    past = (-s) ** (hurst - 0.5) if s < 0 and motion is Motion.STATIONARY else 0.0
    return ((t - s) ** (hurst - 0.5) - past) / special.gamma(hurst + 0.5)


def kernel_of_state(speed: float, t: float, s: float, motion: Motion) -> float:
    past = np.exp(speed * s) if s < 0 and motion is Motion.STATIONARY else 0.0
    return float(np.exp(-speed * (t - s)) - past)


def product_integral(first, second, t: float, motion: Motion) -> float:
    """Integral of both kernels over the past, in pieces, where they are singular or slow."""
    points = [0, t / 2, t] if motion is Motion.FROM_ZERO else [-100 * t, -t, -t / 100, 0, t / 2, t]
    pieces = [quad(lambda s: first(s) * second(s), *ends, limit=400)[0]
              for ends in itertools.pairwise(points)]  # fmt: skip
    if motion is Motion.STATIONARY:
        far = quad(lambda v: first(-np.exp(v)) * second(-np.exp(v)) * np.exp(v),
                   np.log(100 * t), np.log(100 * t) + 12, limit=400)  # fmt: skip
        pieces.append(far[0])
    return float(sum(pieces))


@pytest.mark.parametrize("motion", list(Motion))
@pytest.mark.parametrize("hurst", [0.3, 0.8])
def test_closed_forms_agree_with_quadrature(hurst: float, motion: Motion) -> None:
    speeds, horizon = np.array([0.05, 0.7, 4.0]), 3.0

    def over_time(integrand) -> float:
        nodes, weights = np.polynomial.legendre.leggauss(12)
        times = horizon * ((1 + nodes) / 2) ** 2  # squared: roots at time 0 become smooth
        return (
            float(weights @ [integrand(t) * 2 * np.sqrt(t / horizon) for t in times]) * horizon / 2
        )

    def state(speed: float, t: float):
        return lambda s: kernel_of_state(speed, t, s, motion)

    def moved(t: float):
        return lambda s: kernel_of_motion(hurst, t, s, motion)

    matrix = [[over_time(lambda t, p=p, q=q: product_integral(state(p, t), state(q, t), t, motion))
               for q in speeds] for p in speeds]  # fmt: skip
    right = [over_time(lambda t, p=p: product_integral(state(p, t), moved(t), t, motion))
             for p in speeds]  # fmt: skip
    np.testing.assert_allclose(gram(speeds, horizon, motion), matrix, rtol=2e-4)
    np.testing.assert_allclose(projection(hurst, speeds, horizon, motion), right, rtol=2e-4)


@pytest.mark.parametrize("motion", list(Motion))
@pytest.mark.parametrize("hurst", [0.2, 0.5, 0.9])
def test_series_and_closed_form_meet_and_speed_zero_is_the_limit(
    hurst: float, motion: Motion
) -> None:
    speeds = np.array([0.0, 1e-13, 2 - 1e-9, 2 + 1e-9])
    right = projection(hurst, speeds, 1.0, motion)
    matrix = gram(speeds, 1.0, motion)
    np.testing.assert_allclose(right[[0, 2]], right[[1, 3]], rtol=1e-6)
    np.testing.assert_allclose(matrix[0], matrix[1], rtol=1e-6)
    np.testing.assert_allclose(matrix[2], matrix[3], rtol=1e-6)


@pytest.mark.parametrize("motion", list(Motion))
def test_brownian_motion_is_met_exactly(motion: Motion) -> None:
    weights = best_weights(0.5, np.array([0.0, 0.01, 1.0]), [1.0, 100.0], motion)
    np.testing.assert_allclose(weights, [1, 0, 0], atol=1e-9)


def test_more_states_come_closer() -> None:
    hurst, horizon = 0.7, 50.0

    def relative_error(states: int) -> float:
        speeds = np.geomspace(1e-4, 5, states)
        weights = best_weights(hurst, speeds, [horizon])
        size = motion_variance(hurst) * horizon ** (2 * hurst + 1) / (2 * hurst + 1)
        explained = 2 * weights @ projection(hurst, speeds, horizon)
        return float(1 - (explained - weights @ gram(speeds, horizon) @ weights) / size)

    errors = [relative_error(states) for states in (2, 4, 8)]
    assert errors[0] > 3 * errors[1] > 3 * errors[2] > 0


def test_best_weights_are_a_minimum() -> None:
    speeds, horizon, rng = np.array([0.01, 0.3, 2.0]), 10.0, np.random.default_rng(0)
    matrix, right = gram(speeds, horizon), projection(0.7, speeds, horizon)
    best = best_weights(0.7, speeds, [horizon])
    for _ in range(20):
        other = best + 0.1 * rng.standard_normal(3)
        assert other @ matrix @ other - 2 * right @ other > best @ matrix @ best - 2 * right @ best
