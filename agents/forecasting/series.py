# SPDX-License-Identifier: Apache-2.0
"""The tasks: series cut into windows, split in time.

Damped oscillation, Bessel function and NARMA are those of arXiv 2402.17760 as its released code
has them. All four are linear to three digits and more: five least-squares numbers forecast them
better than any of the trained models, so they are no evidence of memory. Recall is: there the
target is an earlier input, in a random sequence of +1 and -1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from agents.forecasting.options import ModelName, TaskName
from agents.forecasting.signals import (
    Floats,
    bessel,
    damped_oscillation,
    narma,
    narma_input,
    scaled,
)

WINDOW = 4
RECALL_WINDOW, SYMBOLS = 6, 600
TRAIN_SHARE = 0.67
_OF_ITS_PAST = (ModelName.AR, ModelName.MEAN, ModelName.PERSISTENCE)
_OF_ANOTHER_SERIES = (ModelName.AR, ModelName.MEAN)
_OF_SYMBOLS = (*_OF_ITS_PAST, ModelName.ORDER_BLIND)


@dataclass(frozen=True, eq=False)
class Task:
    """Windows and what follows each; the first ``num_train`` are for training, the rest for tests.

    Args:
        name: which task.
        windows: ``[N, T, 1]`` inputs.
        targets: ``[N]`` what is to be forecast from each window.
        num_train: windows before the border in time.
        trivial: the predictors without training that make sense here.
    """

    name: TaskName
    windows: Floats
    targets: Floats
    num_train: int
    trivial: tuple[ModelName, ...]

    @property
    def length(self) -> int:
        """Inputs in a window, T."""
        return int(self.windows.shape[1])


@dataclass(frozen=True)
class Losses:
    """Mean squared errors over the windows of either side of the border."""

    train: float
    test: float


def losses(task: Task, predictions: Floats) -> Losses:
    """The losses of ``[N]`` predictions."""
    squared = (predictions - task.targets) ** 2
    return Losses(float(squared[: task.num_train].mean()), float(squared[task.num_train :].mean()))


def make_task(name: TaskName, rng: np.random.Generator) -> Task:
    """The task of a name; only those of recall are random."""
    if name.delay is not None:
        return recall(name, name.delay, rng)
    return _SERIES[name]()


def cut(inputs: Floats, targets: Floats, length: int) -> tuple[Floats, Floats]:
    """Every window of ``length`` inputs ``[N, T, 1]``, and the target at the index after it.

    The last possible window is dropped, as in the released code, so the counts agree.
    """
    count = len(inputs) - length - 1
    windows = np.lib.stride_tricks.sliding_window_view(inputs, length)[:count, :, None]
    return np.ascontiguousarray(windows), targets[length : length + count].copy()


def recall(
    name: TaskName,
    delay: int,
    rng: np.random.Generator,
    length: int = RECALL_WINDOW,
    symbols: int = SYMBOLS,
) -> Task:
    """The target of a window is its own input ``delay`` steps before the last, 1 to T - 1.

    Symbols are independent and alike, so nothing else in the window tells of it.
    """
    series = rng.choice((-1.0, 1.0), size=symbols)
    # What np.roll brings from the end to the start lies before the end of the first window.
    return _task(name, series, np.roll(series, delay + 1), _OF_SYMBOLS, length)


def _task(
    name: TaskName,
    inputs: Floats,
    targets: Floats,
    trivial: tuple[ModelName, ...],
    length: int = WINDOW,
) -> Task:
    windows, following = cut(inputs, targets, length)
    return Task(name, windows, following, int(TRAIN_SHARE * len(windows)), trivial)


def _of_its_past(name: TaskName, series: Floats) -> Task:
    return _task(name, scaled(series), scaled(series), _OF_ITS_PAST)


def _narma(name: TaskName, order: int) -> Task:
    """Windows over the input, not over the series itself, and nothing is scaled."""
    driven_by = narma_input()
    return _task(name, driven_by, narma(order, driven_by), _OF_ANOTHER_SERIES)


_SERIES: Mapping[TaskName, Callable[[], Task]] = {
    TaskName.SHM: lambda: _of_its_past(TaskName.SHM, damped_oscillation()),
    TaskName.BESSEL: lambda: _of_its_past(TaskName.BESSEL, bessel()),
    TaskName.NARMA5: lambda: _narma(TaskName.NARMA5, 5),
    TaskName.NARMA10: lambda: _narma(TaskName.NARMA10, 10),
}
