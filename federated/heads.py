# SPDX-License-Identifier: Apache-2.0
"""Last layers on fixed features, fitted to few samples while held at where they were."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from federated.personal import Floats, with_constant


def refit(head: Floats, features: Floats, wanted: Floats, ridge: float, probable: bool) -> Floats:
    """The last layer of least summed loss plus ridge / 2 times the squared distance moved, [D, K].

    Args:
        head: where it was, [D, K]; the constant comes last.
        features: [S, D - 1].
        wanted: [S, K]; for ``probable`` one-hot, fitted by softmax and cross-entropy, which have
            one minimum; else values, fitted by half the squared error, in closed form.
    """
    phi = with_constant(features)
    if probable:
        return _refit_softmax(head, phi, wanted, ridge)
    inner = phi.T @ phi + ridge * np.eye(len(head))
    return head + np.linalg.solve(inner, phi.T @ (wanted - phi @ head))


def _refit_softmax(head: Floats, phi: Floats, wanted: Floats, ridge: float) -> Floats:
    def loss_and_slope(flat: Floats) -> tuple[float, Floats]:
        moved = flat.reshape(head.shape) - head
        logits = phi @ (head + moved)
        loss = log_sum(logits).sum() - np.sum(logits * wanted) + ridge * np.sum(moved**2) / 2
        return float(loss), (phi.T @ (softmax(logits) - wanted) + ridge * moved).ravel()

    options = {"maxiter": 10_000, "ftol": 1e-14, "gtol": 1e-8}
    found = minimize(loss_and_slope, head.ravel(), jac=True, method="L-BFGS-B", options=options)
    refitted: Floats = found.x.reshape(head.shape)
    return refitted


def as_outputs(targets: NDArray[Any], classes: int) -> Floats:
    """Numbers of classes [S] to one-hot [S, K]; values [S] or [S, K] to [S, K]."""
    if classes:
        one_hot: Floats = np.eye(classes)[targets]
        return one_hot
    return targets.astype(np.float64).reshape(len(targets), -1)


def softmax(logits: Floats) -> Floats:
    """Probabilities, [S, K]."""
    chances: Floats = np.exp(logits - log_sum(logits)[:, None])
    return chances


def log_sum(logits: Floats) -> Floats:
    """Logarithm of the sum of exponentials over outputs, [S]."""
    highest = logits.max(axis=1)
    total: Floats = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return total
