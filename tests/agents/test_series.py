# SPDX-License-Identifier: Apache-2.0
"""The tasks are those of the paper's released code, to the sample."""

import numpy as np
import pytest
from scipy.special import jv

from agents.forecasting.baselines import linear, predict
from agents.forecasting.options import ModelName, TaskName, TrainingOptions
from agents.forecasting.series import Task, cut, losses, make_task, recall
from agents.forecasting.signals import damped_oscillation, narma, narma_input
from sim.errors import InputError

NOISELESS = (TaskName.SHM, TaskName.BESSEL, TaskName.NARMA5, TaskName.NARMA10)


def task(name: TaskName, seed: int = 0) -> Task:
    return make_task(name, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "windows", "train"),
    [
        (TaskName.SHM, 235, 157),
        (TaskName.BESSEL, 251, 168),
        (TaskName.NARMA5, 295, 197),
        (TaskName.NARMA10, 295, 197),
    ],
)
def test_windows_and_split_are_counted_as_in_the_paper(
    name: TaskName, windows: int, train: int
) -> None:
    made = task(name)
    assert made.windows.shape == (windows, 4, 1)
    assert made.targets.shape == (windows,)
    assert made.num_train == train


@pytest.mark.parametrize("name", [TaskName.SHM, TaskName.BESSEL])
def test_the_target_follows_its_window_and_the_last_window_is_dropped(name: TaskName) -> None:
    made = task(name)
    assert np.array_equal(made.targets[:-1], made.windows[1:, -1, 0])
    assert np.array_equal(made.windows[1:, :-1], made.windows[:-1, 1:])
    series = np.concatenate([made.windows[0, :, 0], made.targets])
    # One sample of the series is never seen: that of the dropped window.
    assert len(series) == {TaskName.SHM: 239, TaskName.BESSEL: 255}[name]
    assert (series.min(), series.max()) == pytest.approx((-1.0, 1.0), abs=0.02)


def test_cutting_counts_and_indexes_as_documented() -> None:
    inputs, targets = np.arange(10.0), 100.0 + np.arange(10.0)
    windows, following = cut(inputs, targets, 4)
    assert windows[:, :, 0].tolist() == [[i, i + 1, i + 2, i + 3] for i in range(5)]
    assert following.tolist() == [104.0, 105.0, 106.0, 107.0, 108.0]


def test_the_oscillation_obeys_its_equation() -> None:
    """The energy balance of the pendulum: d/dt(v^2/2 - g cos th) = -0.15 v^2, by integration."""
    from scipy.integrate import cumulative_simpson

    velocity = damped_oscillation()
    t = np.linspace(0, 20, 240)
    angle = cumulative_simpson(velocity, x=t, initial=0.0)
    energy = 0.5 * velocity**2 - 9.81 * np.cos(angle)
    lost = 0.15 * cumulative_simpson(velocity**2, x=t, initial=0.0)
    assert velocity[0] == 3.0
    assert energy + lost == pytest.approx(energy[0], abs=2e-3)


def test_the_bessel_task_is_the_scaled_bessel_function() -> None:
    made = task(TaskName.BESSEL)
    raw = jv(2, np.linspace(2, 100, 256))
    slope, offset = np.polyfit(raw[4:255], made.targets, 1)
    assert slope * raw[4:255] + offset == pytest.approx(made.targets, abs=1e-12)


@pytest.mark.parametrize("order", [5, 10])
def test_narma_obeys_its_recurrence_with_zeros_before_the_start(order: int) -> None:
    u = narma_input()
    y = narma(order, u)
    u_padded, y_padded = np.pad(u, (order, 0)), np.pad(y, (order, 0))
    for t in range(len(u) - 1):
        now = t + order
        recent = sum(y_padded[now - j] for j in range(order))
        expected = 0.3 * y[t] + 0.05 * y[t] * recent + 1.5 * u_padded[now - order + 1] * u[t] + 0.1
        assert y[t + 1] == pytest.approx(expected, rel=1e-12)
    assert y[0] == 0.196
    assert np.all((u >= 0) & (u <= 0.2))


def test_narma_windows_hold_the_input_and_not_the_series() -> None:
    made = task(TaskName.NARMA5)
    u = narma_input()
    assert np.array_equal(made.windows[7, :, 0], u[7:11])
    assert made.targets[7] == narma(5, u)[11]
    assert ModelName.PERSISTENCE not in made.trivial


@pytest.mark.parametrize(
    ("name", "predictor", "train", "test"),
    [
        (TaskName.SHM, ModelName.AR, 1.5e-7, 9.5e-8),
        (TaskName.BESSEL, ModelName.AR, 2.7e-8, 1.2e-8),
        (TaskName.NARMA5, ModelName.AR, 1.9e-5, 5.4e-6),
        (TaskName.NARMA10, ModelName.AR, 4.7e-5, 1.3e-5),
        (TaskName.SHM, ModelName.MEAN, None, 4.7e-2),
        (TaskName.BESSEL, ModelName.MEAN, None, 2.4e-2),
        (TaskName.NARMA5, ModelName.MEAN, None, 1.3e-4),
        (TaskName.NARMA10, ModelName.MEAN, None, 1.2e-4),
        (TaskName.SHM, ModelName.PERSISTENCE, None, 3.2e-3),
        (TaskName.BESSEL, ModelName.PERSISTENCE, None, 3.6e-3),
    ],
)
def test_trivial_rows_are_those_of_an_independent_measurement(
    name: TaskName, predictor: ModelName, train: float | None, test: float
) -> None:
    """To the two digits that were published of it, last digit rounded or cut."""
    made = task(name)
    found = losses(made, predict(predictor, made).predictions)
    assert found.test == pytest.approx(test, rel=0.045)
    assert train is None or found.train == pytest.approx(train, rel=0.045)


@pytest.mark.parametrize("name", NOISELESS)
def test_only_recall_is_random(name: TaskName) -> None:
    assert np.array_equal(task(name, seed=1).windows, task(name, seed=2).windows)
    made = [task(TaskName.RECALL4, seed=seed).windows for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_recall_asks_for_the_symbol_of_some_steps_ago() -> None:
    for name, delay in ((TaskName.RECALL1, 1), (TaskName.RECALL2, 2), (TaskName.RECALL4, 4)):
        made = task(name)
        assert (name.delay, made.windows.shape, made.num_train) == (delay, (593, 6, 1), 397)
        assert np.array_equal(made.targets, made.windows[:, 5 - delay, 0])
        assert set(np.unique(made.targets)) == {-1.0, 1.0}
    assert TaskName.NARMA5.delay is None


@pytest.mark.parametrize("name", [TaskName.RECALL1, TaskName.RECALL2, TaskName.RECALL4])
def test_recall_needs_the_whole_memory_and_nothing_else(name: TaskName) -> None:
    """A linear map of the whole window solves it, one that ends before the delay knows nothing."""
    assert name.delay is not None
    made = recall(name, name.delay, np.random.default_rng(0), symbols=4000)
    assert losses(made, linear(made, order=6).predictions).test < 1e-20
    shorter = predict(ModelName.AR, made)
    assert shorter.parameters == name.delay + 1
    assert losses(made, shorter.predictions).test == pytest.approx(1.0, abs=0.05)
    found = losses(made, predict(ModelName.PERSISTENCE, made).predictions)
    assert found.test == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("window", [3, 6])
def test_no_order_blind_predictor_beats_the_order_blind_row(window: int) -> None:
    """By enumeration: the best function of (multiset of the past, last input) over all windows."""
    from itertools import product

    every = np.array(list(product((-1.0, 1.0), repeat=window)))
    recalled, seen = every[:, 1], [(row[:-1].sum(), row[-1]) for row in every]
    best = 0.0
    for what in set(seen):
        alike = recalled[[s == what for s in seen]]
        best += ((alike - alike.mean()) ** 2).sum() / len(every)
    assert best == pytest.approx(1 - 1 / (window - 1))
    rng = np.random.default_rng(0)
    made = recall(TaskName.RECALL1, window - 2, rng, length=window, symbols=8000)
    found = losses(made, predict(ModelName.ORDER_BLIND, made).predictions)
    assert found.test == pytest.approx(best, abs=0.03)


def test_a_predictor_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match=r"'persistence' for narma5; allowed: ar, mean"):
        predict(ModelName.PERSISTENCE, task(TaskName.NARMA5))
    with pytest.raises(InputError, match="'qfwp' for shm"):
        predict(ModelName.QFWP, task(TaskName.SHM))


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"batch": 0}, {"learning_rate": 0.0}, {"learning_rate": np.nan}]
)
def test_training_that_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(options))} is .*; allowed: "):
        TrainingOptions(**options)  # type: ignore[arg-type]
