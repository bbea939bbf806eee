# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.warehouse.chance import world_keys
from sim.warehouse.delays.hurst import hurst_index
from sim.warehouse.delays.options import DelayKind, TickDelayOptions
from sim.warehouse.delays.process import DelayProcess, noise_of
from sim.warehouse.delays.reference import (
    chain_reference,
    fractional_reference,
    league_reference,
)
from sim.warehouse.delays.standstills import threshold

KEYS = world_keys(5, [0, 1, 2])
LORR = LorrDelayOptions(min_delay_ticks=2, max_delay_ticks=6, p_delay=0.05)
MODELS = [
    TickDelayOptions(DelayKind.INDEPENDENT, 0.3, 4.0),
    TickDelayOptions(DelayKind.MARKOV, 0.3, 4.0),
    TickDelayOptions(DelayKind.FRACTIONAL, 0.3, 4.0, 0.8),
    TickDelayOptions(DelayKind.FRACTIONAL, 0.3, 4.0, 0.5),
    LORR,
    LorrDelayOptions(
        min_delay_ticks=1, max_delay_ticks=9, event_model="poisson", p_delay=0.1,
        duration_model="gaussian", gauss_std_ratio=0.2,
    ),
]  # fmt: skip


def run(process: DelayProcess, first: int, last: int, delay_ticks: np.ndarray) -> np.ndarray:
    """``[ticks, W, N]``."""
    history = []
    for tick in range(first, last):
        process.advance(tick, delay_ticks)
        history.append(delay_ticks.copy())
    return np.array(history)


def at_rest(worlds: int, robots: int) -> np.ndarray:
    return np.zeros((worlds, robots), dtype=np.int32)


def standstill_lengths(delayed: np.ndarray) -> np.ndarray:
    """Lengths of all standstills that begin and end within ``[ticks, robots]``."""
    lengths = []
    for series in delayed.T:
        change = np.diff(series.astype(int))
        starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
        ends = ends[ends > starts[0]] if len(starts) else ends[:0]
        lengths.extend(ends - starts[: len(ends)])
    return np.array(lengths)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_equal_to_the_reference_step_by_step(model: Any) -> None:
    process, robots = DelayProcess(model, KEYS, 7), 7
    left = np.random.default_rng(0).integers(0, 4, (3, robots)).astype(np.int32)
    for tick in range(60):
        before, state = left.copy(), process.snapshot()["delay_noise"]
        process.advance(tick, left)
        for world, key in enumerate(KEYS):
            row = before[world].tolist()
            if isinstance(model, LorrDelayOptions):
                expected = league_reference(model, key, tick, row)
            elif model.kind is DelayKind.FRACTIONAL:
                after, delayed = fractional_reference(
                    noise_of(model), threshold(model.share), key, tick, state[world], before[world]
                )
                expected = delayed.tolist()
                np.testing.assert_allclose(
                    process.snapshot()["delay_noise"][world], after, rtol=1e-12, atol=1e-15
                )
            else:
                expected = [
                    chain_reference(model, key, tick, robot, ticks)
                    for robot, ticks in enumerate(row)
                ]
            assert left[world].tolist() == expected


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_world_is_the_same_alone_and_goes_on_from_a_snapshot(model: Any) -> None:
    together = run(DelayProcess(model, KEYS, 5), 0, 40, at_rest(3, 5))
    alone = DelayProcess(model, KEYS[1:2], 5)
    first = run(alone, 0, 20, left := at_rest(1, 5))
    again = DelayProcess(model, KEYS[1:2], 5)
    again.restore(alone.snapshot())
    second = run(again, 20, 40, left)
    np.testing.assert_array_equal(np.concatenate([first, second])[:, 0], together[:, 1])
    assert together.any()


@pytest.mark.parametrize("model", MODELS[:4], ids=str)
def test_share_and_mean_length_are_as_asked_for(model: TickDelayOptions) -> None:
    process = DelayProcess(model, KEYS, 500)
    delayed = run(process, 0, 2000, at_rest(3, 500))[50:].reshape(1950, -1) > 0
    assert delayed.mean() == pytest.approx(model.share, rel=0.03)
    assert standstill_lengths(delayed).mean() == pytest.approx(model.mean_ticks, rel=0.03)


def test_nobody_is_delayed_without_delays() -> None:
    for model in (TickDelayOptions(), TickDelayOptions(DelayKind.FRACTIONAL, share=0.0)):
        left = np.full((3, 4), 2, dtype=np.int32)
        history = run(DelayProcess(model, KEYS, 4), 0, 30, left)
        assert (history[0] == 1).all()
        assert not history[1:].any()


@pytest.mark.parametrize("event_model", ["bernoulli", "poisson"])
def test_league_delays_begin_as_often_and_last_as_long_as_the_model_says(event_model: Any) -> None:
    model = LorrDelayOptions(
        min_delay_ticks=2, max_delay_ticks=6, event_model=event_model, p_delay=0.05
    )
    history = run(DelayProcess(model, KEYS, 400), 0, 1500, at_rest(3, 400)).astype(int)
    free = history[:-1] <= 1
    begun = free & (history[1:] > 0)
    trials = free.sum() if event_model == "bernoulli" else free.size
    assert begun.sum() / trials == pytest.approx(0.05, rel=0.02)
    lengths = np.bincount(history[1:][begun], minlength=7)[2:] / begun.sum()
    np.testing.assert_allclose(lengths, 0.2, atol=0.01)


@pytest.mark.parametrize("hurst", [0.5, 0.7, 0.8, 0.9])
def test_delays_have_the_hurst_index_of_their_noise(hurst: float) -> None:
    """Hermite rank 1; the threshold adds white noise, hence only the lowest frequencies."""
    model = TickDelayOptions(DelayKind.FRACTIONAL, 0.3, 4.0, hurst)
    series = run(DelayProcess(model, KEYS[:1], 400), 0, 2**13, at_rest(1, 400))[:, 0].T > 0
    found = hurst_index(series, frequencies=40)
    assert found.hurst == pytest.approx(hurst, abs=0.03)


def test_long_memory_makes_slow_swings_of_the_share() -> None:
    def swing(hurst: float) -> float:
        model = TickDelayOptions(DelayKind.FRACTIONAL, 0.2, 5.0, hurst)
        delayed = run(DelayProcess(model, KEYS[:1], 300), 0, 4000, at_rest(1, 300))[:, 0] > 0
        return float(delayed.mean(axis=0).std())

    assert swing(0.9) > 1.5 * swing(0.8) > 1.5**2 * swing(0.5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("share", -0.1), ("share", 0.91), ("share", float("nan")), ("mean_ticks", 0.5),
     ("mean_ticks", float("nan")), ("mean_ticks", 20_000), ("hurst", 0.0), ("hurst", 1.0),
     ("hurst", float("nan"))],
)  # fmt: skip
def test_options_refuse(field: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{field} is .*allowed"):
        TickDelayOptions(DelayKind.MARKOV, **{field: value})


def test_lengths_out_of_reach_are_refused() -> None:
    with pytest.raises(InputError, match=r"mean_ticks is 2\.0; allowed: 9 to"):
        TickDelayOptions(DelayKind.MARKOV, 0.9, 2.0)
    with pytest.raises(InputError, match=r"mean_ticks is 50\.0; allowed: 1\.04\d* to 13\.\d+ at"):
        TickDelayOptions(DelayKind.FRACTIONAL, 0.05, 50.0, 0.3)


def test_process_refuses_what_does_not_fit() -> None:
    process = DelayProcess(MODELS[2], KEYS, 4)
    with pytest.raises(InputError, match="robots is 0"):
        DelayProcess(LORR, KEYS, 0)
    with pytest.raises(InputError, match=r"delay_ticks is \(3, 5\)"):
        process.advance(0, at_rest(3, 5))
    state = process.snapshot()["delay_noise"]
    for bad in (
        {},
        {"delay_noise": state[:, :, :3]},
        {"delay_noise": state.astype(int)},
        {"delay_noise": state * np.nan},
        {"delay_noise": state, "another": state},
    ):
        with pytest.raises(InputError):
            process.restore(bad)
