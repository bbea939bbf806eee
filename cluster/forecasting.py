# SPDX-License-Identifier: Apache-2.0
"""The trials of ``forecast``: train a model once, or ask a predictor without training."""

from collections.abc import Sequence

import numpy as np
import torch

from agents.forecasting.baselines import predict
from agents.forecasting.models import make_model
from agents.forecasting.options import ModelName, TaskName, TrainingOptions
from agents.forecasting.series import Losses, Task, losses, make_task
from agents.forecasting.training import History, train
from cluster.trials import Record, Result, Shared, Trial, attempt, resolve

UNTRAINED = "closed form"
"""Status of a predictor that needs no training."""


def make_trial(task: TaskName, model: ModelName, seed: int, training: TrainingOptions) -> Trial:
    """One training of a model; the task is a shared value under its name."""
    arguments = {"task": Shared(task), "model": model, "seed": seed, "training": training}
    return Trial(f"{task}/{model}/s{seed:03d}", learn, arguments)


def make_trivial_trial(task: TaskName, model: ModelName) -> Trial:
    """A predictor without training; it has no seed."""
    return Trial(f"{task}/{model}/closed", ask, {"task": Shared(task), "model": model})


def learn(
    rng: np.random.Generator, task: Task, model: ModelName, seed: int, training: TrainingOptions
) -> Result:
    """Train a fresh model and measure it after every epoch."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    fresh = make_model(model, task.windows.shape[2], generator)
    history = train(fresh, task, training)
    record = {
        **_head(task, model, seed, fresh.num_parameters, str(history.status)),
        **_losses("", history.losses_at(training.epochs)),
        "best_epoch": history.best,
        **_losses("best_", history.losses_at(history.best)),
        "circuits": history.circuits,
        "seconds": round(history.seconds, 3),
    }
    return Result(record, _arrays(history))


def ask(rng: np.random.Generator, task: Task, model: ModelName) -> Result:
    """Ask a predictor without training."""
    del rng
    said = predict(model, task)
    found = losses(task, said.predictions)
    record = {
        **_head(task, model, None, said.parameters, UNTRAINED),
        **_losses("", found),
        "best_epoch": None,
        **_losses("best_", None),
        "circuits": 0,
        "seconds": None,
    }
    return Result(record, {"predictions": said.predictions})


def warm_up(models: Sequence[ModelName]) -> None:
    """One thread, as a worker has one core, and every model once: what is compiled is compiled now.

    What fails here will fail again in a trial, and be reported there.
    """
    torch.set_num_threads(1)
    task = make_task(TaskName.SHM, np.random.default_rng(0))
    for model in models:
        trial = make_trial(task.name, model, 0, TrainingOptions(epochs=1, batch=1000))
        attempt(trial.key, learn, 0, resolve(trial.arguments, {task.name: task}))


def _head(task: Task, model: ModelName, seed: int | None, parameters: int, status: str) -> Record:
    return {
        "task": str(task.name),
        "model": str(model),
        "seed": seed,
        "parameters": parameters,
        "status": status,
    }


def _losses(prefix: str, found: Losses | None) -> Record:
    return {
        f"{prefix}train_mse": found.train if found else None,
        f"{prefix}test_mse": found.test if found else None,
    }


def _arrays(history: History) -> dict[str, object]:
    epochs = history.epochs
    arrays: dict[str, object] = {
        "train_mse": np.array([epoch.losses.train for epoch in epochs]),
        "test_mse": np.array([epoch.losses.test for epoch in epochs]),
    }
    if epochs:
        arrays["predictions"] = epochs[-1].predictions
    return arrays
