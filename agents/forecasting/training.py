# SPDX-License-Identifier: Apache-2.0
"""Training by the protocol of arXiv 2402.17760: RMSprop, batches in time order, last-step loss."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from torch.nn.functional import mse_loss

from agents.forecasting.models import Forecaster
from agents.forecasting.options import TrainingOptions
from agents.forecasting.series import Losses, Task, losses
from agents.forecasting.signals import Floats
from quantum.errors import CircuitError

OnEpoch = Callable[[int, Losses], None]
"""Called after every epoch with its number, from 1, and the losses of the weights as they are."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Windows ``[B, T, F]`` and their targets ``[B]``."""


class Status(StrEnum):
    """How a training ended."""

    TRAINED = "trained"
    DIVERGED = "diverged"
    """A loss or a gradient was not finite; what counts is the epochs before that."""


@dataclass(frozen=True, eq=False)
class Epoch:
    """A model after an epoch.

    Args:
        losses: of the weights as they then were, not averaged over the epoch.
        predictions: ``[N]``, one per window of the task.
        weights: a copy of the model's state.
    """

    losses: Losses
    predictions: Floats
    weights: dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class History:
    """What a training did.

    Args:
        epochs: those that ended with finite losses.
        status: how it ended.
        seconds: what it took, evaluations included.
        circuits: how many circuits were evaluated forwards; 0 for classical models.
    """

    epochs: tuple[Epoch, ...]
    status: Status
    seconds: float
    circuits: int

    @property
    def best(self) -> int | None:
        """The number, from 1, of the first epoch with the least training loss."""
        numbers = range(1, len(self.epochs) + 1)
        return min(numbers, key=lambda n: self.epochs[n - 1].losses.train, default=None)

    def losses_at(self, epoch: int | None) -> Losses | None:
        """The losses after an epoch, from 1; None where it was not reached."""
        reached = epoch is not None and epoch <= len(self.epochs)
        return self.epochs[epoch - 1].losses if epoch is not None and reached else None


def train(
    model: Forecaster, task: Task, options: TrainingOptions, on_epoch: OnEpoch | None = None
) -> History:
    """Train a model on the windows before the border, in place, and measure it after every epoch.

    It uses no randomness: equal models end equal.

    Raises:
        CircuitError: the model does not fit the task.
    """
    started_s = time.perf_counter()
    done: list[Epoch] = []
    for epoch in _epochs(model, task, options):
        done.append(epoch)
        if on_epoch is not None:
            on_epoch(len(done), epoch.losses)
    # An epoch that diverged is counted as a whole.
    tried = min(len(done) + 1, options.epochs)
    return History(
        epochs=tuple(done),
        status=Status.TRAINED if len(done) == options.epochs else Status.DIVERGED,
        seconds=time.perf_counter() - started_s,
        circuits=tried * model.num_circuits(task.num_train + len(task.windows), task.length),
    )


def forecast(model: Forecaster, windows: torch.Tensor) -> Floats:
    """The predictions ``[N]`` for windows ``[N, T, F]``, all in one batch."""
    with torch.no_grad():
        predictions: Floats = model(windows).squeeze(1).numpy()
    return predictions


def _epochs(model: Forecaster, task: Task, options: TrainingOptions) -> Iterator[Epoch]:
    """The epochs as they end; fewer than asked for when one diverges."""
    optimizer = torch.optim.RMSprop(
        model.parameters(), lr=options.learning_rate, alpha=0.99, eps=1e-8
    )
    windows = torch.from_numpy(task.windows)
    batches = _batches(task, options.batch)
    for _ in range(options.epochs):
        try:
            finite = all(_step(model, optimizer, batch) for batch in batches)
            predictions = forecast(model, windows)
        except CircuitError:
            # Engines refuse angles that are not finite. Before the first step it is another error.
            if not optimizer.state:
                raise
            return
        if not (finite and np.isfinite(predictions).all()):
            return
        weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        yield Epoch(losses(task, predictions), predictions, weights)


def _batches(task: Task, size: int) -> Sequence[Batch]:
    """The training windows in the order of time; the last batch may be smaller."""
    known = slice(task.num_train)
    windows, targets = (torch.from_numpy(a[known]) for a in (task.windows, task.targets))
    return list(zip(torch.split(windows, size), torch.split(targets, size), strict=True))


def _step(model: Forecaster, optimizer: torch.optim.Optimizer, batch: Batch) -> bool:
    """One step, or False, and the weights as they were, where it would not be finite."""
    windows, targets = batch
    optimizer.zero_grad()
    loss = mse_loss(model(windows).squeeze(1), targets)
    if not math.isfinite(loss.item()):
        return False
    loss.backward()
    slopes = [p.grad.reshape(-1) for p in model.parameters() if p.grad is not None]
    if not torch.cat(slopes).isfinite().all():
        return False
    optimizer.step()
    return True
