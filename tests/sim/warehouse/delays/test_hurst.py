# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim.errors import InputError
from sim.warehouse.delays.hurst import hurst_index
from tests.sim.warehouse.delays import exact_noise


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_estimator_recovers_the_index_of_exact_noise(hurst: float) -> None:
    noise = exact_noise.samples(hurst, 32, 2**13, np.random.default_rng(1))
    found = hurst_index(noise)
    assert found.error < 0.006
    assert found.hurst == pytest.approx(hurst, abs=3 * found.error + 0.003)


def test_its_error_is_the_spread_of_its_estimates() -> None:
    noise = exact_noise.samples(0.8, 200, 2**12, np.random.default_rng(2))
    found = [hurst_index(row) for row in noise]
    spread = np.std([estimate.hurst for estimate in found])
    assert found[0].error == pytest.approx(spread, rel=0.2)


def test_level_and_scale_do_not_matter() -> None:
    noise = exact_noise.samples(0.7, 2, 500, np.random.default_rng(3))
    assert hurst_index(5 + 1e6 * noise).hurst == pytest.approx(hurst_index(noise).hurst, abs=1e-5)


@pytest.mark.parametrize(
    ("series", "frequencies", "message"),
    [
        (np.zeros(100), None, "constant"),
        (np.full(100, np.nan), None, "constant or not finite"),
        (np.arange(10), None, "at least 64"),
        (np.arange(100), 50, "4 to 49"),
        (np.arange(100), 3, "4 to 49"),
    ],
)
def test_refuses(series: np.ndarray, frequencies: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hurst_index(series, frequencies)
