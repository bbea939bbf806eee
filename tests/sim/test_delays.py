# SPDX-License-Identifier: Apache-2.0
"""Delay models: exact rules where there are some, and the promised statistics elsewhere."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim import delays
from sim.delays import DelayModel, DelayOptions, LorrDelayOptions, sample_durations_ms
from sim.errors import InputError

UNIFORM = LorrDelayOptions(min_delay_ticks=1, max_delay_ticks=4, p_delay=0.1)
GAUSSIAN = replace(
    UNIFORM, duration_model="gaussian", max_delay_ticks=11, gauss_std_ratio=0.3, p_delay=0.05
)
POISSON = replace(GAUSSIAN, event_model="poisson")

models = st.sampled_from(
    [
        DelayOptions(),
        DelayOptions(slow_spread=0.99, stop_probability=1.0, stop_mean_s=3600.0),
        UNIFORM,
        GAUSSIAN,
        POISSON,
        replace(UNIFORM, p_delay=0.9, max_delay_ticks=100_000, tick_ms=60_000),
    ]
)


def sample(nominal_ms: int, model: DelayModel, num_samples: int = 200_000) -> NDArray[np.int32]:
    """Durations of many events that are all alike."""
    durations_ms = np.full(num_samples // 100, nominal_ms, dtype=np.int32)
    return sample_durations_ms(durations_ms, model, 100, np.random.default_rng(0)).ravel()


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 49, 50, 1000, 9999]), max_size=5),
    models,
    st.integers(1, 5),
    st.integers(0, 10**6),
)
def test_shape_type_and_sign_hold_for_every_model(
    nominal_ms: list[int], model: DelayModel, num_samples: int, seed: int
) -> None:
    durations_ms = np.array(nominal_ms, dtype=np.int32)
    sampled_ms, again = (
        sample_durations_ms(durations_ms, model, num_samples, np.random.default_rng(seed))
        for _ in range(2)
    )
    assert sampled_ms.shape == (len(nominal_ms), num_samples)
    assert sampled_ms.dtype == np.int32
    assert sampled_ms.flags.c_contiguous
    assert ((sampled_ms > 0) == (durations_ms > 0)[:, None]).all()
    assert (sampled_ms >= 0).all()
    assert np.array_equal(sampled_ms, again)


def test_durations_are_cut_off_at_the_largest_integer() -> None:
    endless = LorrDelayOptions(min_delay_ticks=10**5, max_delay_ticks=10**5, p_delay=0.9)
    durations_ms = np.array([2**31 - 1], dtype=np.int32)
    for model in (DelayOptions(stop_probability=1.0), replace(endless, tick_ms=60_000)):
        sampled_ms = sample_durations_ms(durations_ms, model, 50, np.random.default_rng(0))
        assert sampled_ms.max() == 2**31 - 1


@pytest.mark.parametrize("model", [DelayOptions(), UNIFORM, POISSON])
def test_the_compiled_kernels_equal_their_interpretation(
    model: DelayModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    durations_ms = np.array([0, 1, 300, 1000, 2500], dtype=np.int32)
    fast = sample_durations_ms(durations_ms, model, 40, np.random.default_rng(3))
    for name in ("_own", "_lorr", "_successes"):
        monkeypatch.setattr(delays, name, cast(Any, getattr(delays, name)).py_func)
    slow = sample_durations_ms(durations_ms, model, 40, np.random.default_rng(3))
    assert np.array_equal(fast, slow)


def test_without_delays_durations_are_nominal() -> None:
    still = DelayOptions(slow_spread=0.0, stop_probability=0.0)
    assert (sample(1234, still) == 1234).all()
    assert (sample(1234, LorrDelayOptions()) == 1234).all()


def test_slow_driving_is_uniform_around_the_nominal_time() -> None:
    sampled_ms = sample(1000, DelayOptions(slow_spread=0.2, stop_probability=0.0))
    assert (sampled_ms.min(), sampled_ms.max()) == (800, 1200)
    assert sampled_ms.mean() == pytest.approx(1000, abs=1)
    assert sampled_ms.std() == pytest.approx(400 / np.sqrt(12), rel=0.01)


def test_stops_have_their_rate_mean_and_exponential_tail() -> None:
    extra_ms = sample(1000, DelayOptions(slow_spread=0.0), 5_000_000) - 1000
    stops_ms = extra_ms[extra_ms > 0]
    assert len(stops_ms) / len(extra_ms) == pytest.approx(0.03, rel=0.01)
    assert stops_ms.mean() == pytest.approx(4000, rel=0.01)
    assert (stops_ms > 12_000).mean() == pytest.approx(np.exp(-3), rel=0.04)


def ticks_reference(
    driving_ticks: int, model: LorrDelayOptions, num_samples: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Tick by tick, one robot: each tick it drives, unless it is or becomes delayed."""
    lengths = np.arange(model.min_delay_ticks, model.max_delay_ticks + 1)
    taken_ticks = []
    for _ in range(num_samples):
        driven, taken = 0, 0
        while driven < driving_ticks:
            if rng.random() < model.delay_probability:
                taken += rng.choice(lengths, p=model.delay_distribution)
            else:
                driven += 1
                taken += 1
        taken_ticks.append(taken)
    return np.array(taken_ticks)


@pytest.mark.parametrize("model", [UNIFORM, GAUSSIAN])
def test_league_delays_are_distributed_as_tick_by_tick(model: LorrDelayOptions) -> None:
    slow = ticks_reference(10, model, 20_000, np.random.default_rng(1))
    fast = sample(1000, model) // model.tick_ms
    edges = np.arange(10, slow.max() + 2)
    shares = [np.histogram(ticks, edges)[0] / len(ticks) for ticks in (slow, fast)]
    assert np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max() < 0.015


@pytest.mark.parametrize("model", [UNIFORM, GAUSSIAN, POISSON])
def test_the_mean_league_delay_is_the_closed_form(model: LorrDelayOptions) -> None:
    chance = model.delay_probability
    expected_ms = 1000 + 10 * model.tick_ms * chance / (1 - chance) * model.mean_delay_ticks
    assert sample(1000, model).mean() == pytest.approx(expected_ms, rel=0.01)


def fleet_reference(model: LorrDelayOptions, num_robots: int, num_ticks: int) -> float:
    """Share of robots that fall into a delay among those free to, in the whole fleet's model."""
    rng = np.random.default_rng(2)
    remaining = np.zeros(num_robots, dtype=np.int64)
    lengths = np.arange(model.min_delay_ticks, model.max_delay_ticks + 1)
    num_free, num_delayed = 0, 0
    for tick in range(num_ticks):
        remaining = np.maximum(remaining - 1, 0)
        free = np.flatnonzero(remaining == 0)
        chosen = rng.permutation(free)[: rng.poisson(num_robots * model.p_delay)]
        remaining[chosen] = rng.choice(lengths, size=len(chosen), p=model.delay_distribution)
        if tick > 100:
            num_free, num_delayed = num_free + len(free), num_delayed + len(chosen)
    return num_delayed / num_free


def test_the_poisson_rate_per_free_robot_is_that_of_the_whole_fleet() -> None:
    assert fleet_reference(POISSON, 300, 3000) == pytest.approx(POISSON.delay_probability, rel=0.03)


def test_gaussian_lengths_are_rounded_and_cut_off_at_both_ends() -> None:
    rng = np.random.default_rng(0)
    drawn = np.clip(np.floor(rng.normal(1 + 10 * 0.5, 10 * 0.3, 10**6) + 0.5), 1, 11)
    shares = np.bincount(drawn.astype(int), minlength=12)[1:] / 10**6
    assert np.abs(shares - GAUSSIAN.delay_distribution).max() < 0.002
    point = replace(GAUSSIAN, gauss_std_ratio=0.0, max_delay_ticks=4)
    assert point.delay_distribution.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("options", "field", "value", "allowed"),
    [
        (DelayOptions(), "slow_spread", 1.0, "0 to 0.99"),
        (DelayOptions(), "stop_probability", -0.1, "0 to 1"),
        (DelayOptions(), "stop_mean_s", float("nan"), "0 to 3600"),
        (UNIFORM, "min_delay_ticks", 0, "1 to 100000"),
        (UNIFORM, "max_delay_ticks", 0, "1 to 100000"),
        (UNIFORM, "p_delay", 1.0, "0 to 0.99"),
        (UNIFORM, "tick_ms", 0, "1 to 60000"),
        (UNIFORM, "event_model", "weekly", "bernoulli, poisson"),
        (UNIFORM, "duration_model", "long", "uniform, gaussian"),
        (GAUSSIAN, "gauss_mean_ratio", 1.5, "0 to 1"),
        (GAUSSIAN, "gauss_std_ratio", -1.0, "0 to 1000"),
        (POISSON, "p_delay", 0.5, "less, since robots would be delayed all the time"),
    ],
)
def test_bad_options_are_refused(
    options: DelayModel, field: str, value: float | str, allowed: str
) -> None:
    with pytest.raises(InputError, match=rf"^{field} is '?{value}.*allowed.*{allowed}"):
        replace(options, **{field: value})


def test_bad_arguments_are_refused() -> None:
    durations_ms = np.array([1000, -5], dtype=np.int32)
    with pytest.raises(InputError, match="num_samples is 0; allowed: 1 or more"):
        sample_durations_ms(durations_ms, DelayOptions(), 0, np.random.default_rng(0))
    with pytest.raises(InputError, match="a duration is -5 ms; allowed: 0 or more"):
        sample_durations_ms(durations_ms, DelayOptions(), 1, np.random.default_rng(0))
