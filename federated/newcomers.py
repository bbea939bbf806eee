# SPDX-License-Identifier: Apache-2.0
"""A site that nobody knew: what it gets from a federated model with its first few samples.

All methods are judged alike, on the same test samples of the site: the squared error, summed over
outputs and averaged over samples (for classes that of the probabilities to one-hot, the Brier
score; a least-squares head has no probabilities, and its outputs are taken as they are), and for
classes the share in which the largest output is the right one.

``global``: the federated model as it is.
``local``: what the site learns from these samples alone, without anything from the federation.
``head``: the last layer of the federated model, trained on these samples, the body as it is.
``prior``: the last layer that is most probable under the prior over sites, the body as it is.

For classes ``head`` and ``prior`` differ in the loss that they fit too, cross-entropy against
squares, and where sites draw classes from logits that costs ``prior`` more than it gains.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from federated.heads import as_outputs, refit, softmax
from federated.personal import Floats, Prior, adapt, statistics, with_constant
from sim.errors import InputError

Predict = Callable[[NDArray[Any]], Floats]
"""Inputs [S, ...] to outputs [S, K]: values, or for classes probabilities."""
Row = dict[str, Any]
AMOUNTS = (1, 3, 7, 14)
"""Days or shots after which a new site is looked at."""


class Method(StrEnum):
    """How a new site comes to a model."""

    GLOBAL = "global"
    LOCAL = "local"
    HEAD = "head"
    PRIOR = "prior"


@dataclass(frozen=True, eq=False)
class Newcomer:
    """A new site.

    Args:
        site: its number.
        inputs: [S, ...], in the order in which it gets them.
        targets: [S, K] floats, or [S] numbers of classes.
        ends: how many samples it has after 1, 2, 3 ... days or shots.
        test_inputs, test_targets: on which it is judged.
    """

    site: int
    inputs: NDArray[Any]
    targets: NDArray[Any]
    ends: Sequence[int]
    test_inputs: NDArray[Any]
    test_targets: NDArray[Any]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip([0, *self.ends], self.ends, strict=False))
        inside = bool(self.ends) and self.ends[-1] <= len(self.inputs)
        if not (rising and inside):
            allowed = f"rising numbers of samples up to {len(self.inputs)}"
            raise InputError(f"ends of site {self.site} is {[*self.ends]}; allowed: {allowed}")
        if not len(self.test_inputs):
            raise InputError(f"test_inputs of site {self.site} is empty; needed: 1 or more")


@dataclass(frozen=True, eq=False)
class Federated:
    """What the federation gives to a new site.

    Args:
        features: the body, inputs [S, ...] to [S, D - 1].
        head: the last layer [D, K], the constant last: values, or for classes logits.
        prior: over last layers that fit targets (one-hot for classes) by least squares.
        classes: how many; 0 for values.
        ridge: how firmly a refitted head is held at the federated one, in samples: half of it times
            the squared distance is added to the summed losses (cross-entropy, or half the square).
    """

    features: Callable[[NDArray[Any]], Floats]
    head: Floats
    prior: Prior
    classes: int = 0
    ridge: float = 1.0

    def __post_init__(self) -> None:
        if self.ridge <= 0:
            raise InputError(f"ridge is {self.ridge}; allowed: above 0")
        if self.head.shape != self.prior.mean.shape:
            shape = self.prior.mean.shape
            raise InputError(f"head is {self.head.shape}; needed as prior: {shape}")


def compare(
    newcomer: Newcomer,
    federated: Federated,
    local_fit: Callable[[NDArray[Any], NDArray[Any]], Predict],
    amounts: Sequence[int] = AMOUNTS,
) -> list[Row]:
    """Rows for ``personal.json``: every method after every amount that the site has.

    Args:
        local_fit: trains on inputs and targets alone; such as :func:`ridge_fit`.

    Raises:
        InputError: the site has not even the least amount.
    """
    there = [amount for amount in amounts if 1 <= amount <= len(newcomer.ends)]
    if not there:
        most = f"{len(newcomer.ends)} of site {newcomer.site}"
        raise InputError(f"amounts is {[*amounts]}; needed: one of at least 1 up to the {most}")
    rows = []
    for amount in there:
        count = newcomer.ends[amount - 1]
        inputs, targets = newcomer.inputs[:count], newcomer.targets[:count]
        for method, predict in _models(federated, local_fit, inputs, targets).items():
            loss, accuracy = judge(
                predict(newcomer.test_inputs), newcomer.test_targets, federated.classes
            )
            row = {"site": newcomer.site, "amount": amount, "method": str(method), "loss": loss}
            rows.append(row | {"accuracy": accuracy, "samples": len(newcomer.test_inputs)})
    return rows


def _models(
    federated: Federated,
    local_fit: Callable[[NDArray[Any], NDArray[Any]], Predict],
    inputs: NDArray[Any],
    targets: NDArray[Any],
) -> dict[Method, Predict]:
    wanted = as_outputs(targets, federated.classes)
    features = federated.features(inputs)
    refitted = refit(federated.head, features, wanted, federated.ridge, federated.classes > 0)
    likely = adapt(federated.prior, statistics(features, wanted))

    def with_head(head: Floats, probable: bool) -> Predict:
        def predict(given: NDArray[Any]) -> Floats:
            outputs: Floats = with_constant(federated.features(given)) @ head
            return softmax(outputs) if probable else outputs

        return predict

    return {
        Method.GLOBAL: with_head(federated.head, federated.classes > 0),
        Method.LOCAL: local_fit(inputs, targets),
        Method.HEAD: with_head(refitted, federated.classes > 0),
        Method.PRIOR: with_head(likely, False),
    }


def judge(outputs: Floats, targets: NDArray[Any], classes: int) -> tuple[float, float | None]:
    """The mean over samples of the squared error of all outputs, and the accuracy for classes."""
    loss = float(np.mean(np.sum((outputs - as_outputs(targets, classes)) ** 2, axis=1)))
    accuracy = float(np.mean(outputs.argmax(axis=1) == targets)) if classes else None
    return loss, accuracy


def ridge_fit(classes: int = 0, ridge: float = 1.0) -> Callable[..., Predict]:
    """A local fit without any body: least squares, held at nothing, from the bare inputs."""

    def fit(inputs: NDArray[Any], targets: NDArray[Any]) -> Predict:
        flat, wanted = inputs.reshape(len(inputs), -1), as_outputs(targets, classes)
        start = np.zeros((flat.shape[1] + 1, wanted.shape[1]))
        head = refit(start, flat, wanted, ridge, False)

        def predict(given: NDArray[Any]) -> Floats:
            outputs: Floats = with_constant(given.reshape(len(given), -1)) @ head
            return outputs

        return predict

    return fit
