# SPDX-License-Identifier: Apache-2.0
"""Predictors that need no training: the rows without which no table of losses can be judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from agents.forecasting.options import ModelName
from agents.forecasting.series import WINDOW, Task
from agents.forecasting.signals import Floats
from sim.errors import InputError


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a predictor says.

    Args:
        predictions: ``[N]``, one per window of the task.
        parameters: numbers that it took from the training windows.
    """

    predictions: Floats
    parameters: int


def predict(name: ModelName, task: Task) -> Baseline:
    """The predictions of a trivial predictor.

    Raises:
        InputError: it makes no sense for this task, or is not trivial.
    """
    if name not in task.trivial:
        allowed = ", ".join(task.trivial)
        raise InputError(f"predictor is {str(name)!r} for {task.name}; allowed: {allowed}")
    return _PREDICTORS[name](task)


def linear(task: Task, order: int | None = None) -> Baseline:
    """An affine map of the last ``order`` inputs, fitted to the training windows in closed form.

    By default there are four; fewer for recall, where a map that reaches back to the recalled
    input would only have to copy it.
    """
    order = min(WINDOW, task.name.delay or WINDOW) if order is None else order
    inputs = task.windows[:, -order:, 0]
    columns = np.column_stack([inputs, np.ones(len(inputs))])
    known = slice(task.num_train)
    weights, *_ = np.linalg.lstsq(columns[known], task.targets[known], rcond=None)
    return Baseline(columns @ weights, columns.shape[1])


def train_mean(task: Task) -> Baseline:
    """The mean of the training targets, always."""
    mean = task.targets[: task.num_train].mean()
    return Baseline(np.full_like(task.targets, mean), 1)


def persistence(task: Task) -> Baseline:
    """The last input once more."""
    return Baseline(task.windows[:, -1, 0].copy(), 0)


def order_blind(task: Task) -> Baseline:
    """The best that can be said of a recalled input by who does not know the order of the past.

    Such a predictor, and the additive fast-weight rule is one, sees the last input and which
    symbols came before it, in no order. The symbols being independent and alike, each of those is
    the recalled one with equal chance, and the mean squared error is least for their mean. With T
    inputs of +1 and -1 it expects 1 - 1 / (T - 1).
    """
    return Baseline(task.windows[:, :-1, 0].mean(axis=1), 0)


_PREDICTORS: Mapping[ModelName, Callable[[Task], Baseline]] = {
    ModelName.AR: linear,
    ModelName.MEAN: train_mean,
    ModelName.PERSISTENCE: persistence,
    ModelName.ORDER_BLIND: order_blind,
}
