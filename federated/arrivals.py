# SPDX-License-Identifier: Apache-2.0
"""What a federated model is worth to sites that come when it is learnt: bodies, heads and samples.

How they use it is in :mod:`federated.newcomers`; this says what that is for the models of tasks.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call

from agents.forecasting.models import Forecaster
from federated.batched import Samples
from federated.heads import as_outputs, softmax
from federated.models import Classifier
from federated.newcomers import Federated, Newcomer, Predict, Row, compare
from federated.options import FitOptions
from federated.personal import Floats, Prior, Statistics, around, learn_prior, statistics
from federated.regimes import train_alone
from federated.sample_task import SampleTask, Site
from federated.task import Arrays
from sim.errors import InputError

SPREAD, NOISE = 0.1, 0.1
"""Deviations of last layers, and of noise, that are expected before a site is heard."""
RIDGE = 1.0


def arrivals(
    clients: SampleTask,
    new: SampleTask,
    arrays: Arrays,
    options: FitOptions,
    rounds: int,
    unit_samples: int,
) -> list[Row]:
    """Rows of ``personal.json``, the new sites numbered behind the clients.

    Args:
        clients: who learnt the model, and from whose last layers the prior is made.
        new: the new sites.
        arrays: the model.
        options: how ``local`` trains the same model on the samples of a new site alone.
        rounds: for how long.
        unit_samples: samples of a day, or of a shot.

    Raises:
        InputError: the model has no last layer that could be a site's own.
    """
    federated = _federated(clients, arrays)
    rows: list[Row] = []
    for number, site in enumerate(new.sites):
        newcomer = _newcomer(site, clients.count + number, unit_samples)
        rows += compare(newcomer, federated, _local(new, number, options, rounds))
    return rows


def require_last_layer(module: nn.Module) -> nn.Linear:
    """The affine layer at the end of a model.

    Raises:
        InputError: it has none.
    """
    if isinstance(module, Classifier):
        return module.head
    if isinstance(module, Forecaster):
        return module.readout
    raise InputError("new_sites is above 0; the model parity has no last layer of a site's own")


def _federated(task: SampleTask, arrays: Arrays) -> Federated:
    features = _features(task.module, arrays)
    classes = len(task.classes)
    heard = [_statistics(features, site.train, classes) for site in task.sites]
    head = _head(task.module, arrays)
    return Federated(features, head, _prior(head, heard, classes), classes, RIDGE)


def _features(module: nn.Module, arrays: Arrays) -> Callable[[NDArray[Any]], Floats]:
    """The body of a model with some parameters, as a function of arrays."""
    require_last_layer(module)
    parameters = {name: torch.from_numpy(value) for name, value in arrays.items()}
    body = _Body(module)

    def features(inputs: NDArray[Any]) -> Floats:
        with torch.no_grad():
            named = {f"model.{name}": value for name, value in parameters.items()}
            seen: Floats = functional_call(body, named, (torch.from_numpy(inputs),)).numpy()
        return seen

    return features


class _Body(nn.Module):
    """A model without its last layer."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the last layer would see."""
        seen: torch.Tensor = self.model.features(inputs)
        return seen


def _head(module: nn.Module, arrays: Arrays) -> Floats:
    """``[D, K]``, the constant last."""
    layer = require_last_layer(module)
    (name,) = (name for name, part in module.named_modules() if part is layer)
    weight, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    head: Floats = np.concatenate([weight.T, bias[None]])
    return head


def _statistics(
    features: Callable[[NDArray[Any]], Floats], samples: Samples, classes: int
) -> Statistics:
    wanted = as_outputs(samples.targets.numpy(), classes)
    return statistics(features(samples.inputs.numpy()), wanted)


def _prior(head: Floats, heard: Sequence[Statistics], classes: int) -> Prior:
    """Around the federated last layer; for classes around the one that fits one-hot best."""
    if classes:
        every = sum(heard[1:], heard[0])
        inner = every.inner + RIDGE * np.eye(len(head))
        head = np.asarray(np.linalg.solve(inner, every.cross), dtype=np.float64)
    return learn_prior(around(head, SPREAD, NOISE), heard)


def _newcomer(site: Site, number: int, unit_samples: int) -> Newcomer:
    train, test = site.train, site.test
    ends = range(unit_samples, len(train) + 1, unit_samples)
    arrays = (train.inputs.numpy(), train.targets.numpy())
    return Newcomer(number, *arrays, ends, test.inputs.numpy(), test.targets.numpy())


def _local(
    task: SampleTask, site: int, options: FitOptions, rounds: int
) -> Callable[[NDArray[Any], NDArray[Any]], Predict]:
    """The same model, from the beginning, by the samples of the site alone."""

    def fit(inputs: NDArray[Any], targets: NDArray[Any]) -> Predict:
        samples = Samples(torch.from_numpy(inputs), torch.from_numpy(targets))
        alone = task.only([site]).with_samples(samples)
        (arrays,) = train_alone(alone, options, rounds)
        parameters = {name: torch.from_numpy(value) for name, value in arrays.items()}

        def predict(given: NDArray[Any]) -> Floats:
            with torch.no_grad():
                outputs: Floats = functional_call(
                    task.module, parameters, (torch.from_numpy(given),)
                ).numpy()
            return softmax(outputs) if task.classes else outputs

        return predict

    return fit
