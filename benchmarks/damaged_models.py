# SPDX-License-Identifier: Apache-2.0
"""The kinds of damage that a model must survive, or be refused for."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from agents.coordination.model import CoordinationVAE
from agents.coordination.options import ModelOptions

Damage = Callable[[CoordinationVAE, np.random.Generator], None]

SCALES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 30.0, 100.0, 1e3, 1e4)
HEAD_SCALES = (1e4, 1e15, 1e30)
SINGLE = (np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-45)
"""The last is denormal."""
CONSTANTS = (0.0, 1e-45, 1.0, 1e4, 1e38, np.nan)


def damaged_model(damage: Damage, rng: np.random.Generator) -> CoordinationVAE:
    """An untrained model of the usual size, damaged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        model = CoordinationVAE(ModelOptions()).eval()
    with torch.no_grad():
        damage(model, rng)
    return model


def random_weights(model: CoordinationVAE, rng: np.random.Generator, scale: float) -> None:
    """Normal numbers in place of all weights."""
    for weight in model.parameters():
        weight.copy_(torch.from_numpy(scale * rng.standard_normal(weight.shape)))


def random_heads(model: CoordinationVAE, rng: np.random.Generator, scale: float) -> None:
    """Normal numbers in place of the heads' weights, for huge ranks that are still finite."""
    for head in (model.node_head, model.robot_head, model.conflict_head):
        last = head[-1]
        assert isinstance(last, nn.Linear)
        last.weight.copy_(torch.from_numpy(scale * rng.standard_normal(last.weight.shape)))


def single_weight(model: CoordinationVAE, rng: np.random.Generator, value: float) -> None:
    """One number of one tensor."""
    flat = _some_tensor(model, rng).view(-1)
    flat[int(rng.integers(len(flat)))] = value


def constant_tensor(model: CoordinationVAE, rng: np.random.Generator, value: float) -> None:
    """All numbers of one tensor."""
    _some_tensor(model, rng).fill_(value)


def constant_weights(model: CoordinationVAE, _: np.random.Generator, value: float) -> None:
    """All numbers of all tensors."""
    for weight in model.parameters():
        weight.fill_(value)


def _some_tensor(model: CoordinationVAE, rng: np.random.Generator) -> Tensor:
    """Of those that are asked when robots are led; the encoder is for training alone."""
    asked = [
        weight
        for name, weight in model.named_parameters()
        if not name.startswith(("encoder", "posterior"))
    ]
    return asked[int(rng.integers(len(asked)))]


DAMAGES: Mapping[str, Damage] = {
    **{f"random, scale {scale:g}": partial(random_weights, scale=scale) for scale in SCALES},
    **{f"heads, scale {scale:g}": partial(random_heads, scale=scale) for scale in HEAD_SCALES},
    **{f"one weight {value:g}": partial(single_weight, value=value) for value in SINGLE},
    **{f"one tensor {value:g}": partial(constant_tensor, value=value) for value in CONSTANTS},
    **{f"everything {value:g}": partial(constant_weights, value=value) for value in CONSTANTS},
}
"""By name."""
