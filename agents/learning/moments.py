# SPDX-License-Identifier: Apache-2.0
"""What Adam remembers of the gradients, as arrays."""

import numpy as np
import torch
from torch import nn

from agents.learning.rollout import Arrays

STEPS, FIRST, SECOND = "adam/steps/", "adam/first/", "adam/second/"


def moments(optimizer: torch.optim.Adam, model: nn.Module) -> Arrays:
    """Steps and both moments of every parameter that has been stepped; copies."""
    arrays: Arrays = {}
    for name, parameter in model.named_parameters():
        if memory := optimizer.state.get(parameter):
            arrays[STEPS + name] = np.array(float(memory["step"]))
            arrays[FIRST + name] = memory["exp_avg"].numpy().copy()
            arrays[SECOND + name] = memory["exp_avg_sq"].numpy().copy()
    return arrays


def set_moments(optimizer: torch.optim.Adam, model: nn.Module, arrays: Arrays) -> None:
    """The inverse of :func:`moments`; what else is in the arrays does no harm."""
    optimizer.state.clear()
    for name, parameter in model.named_parameters():
        if STEPS + name in arrays:
            optimizer.state[parameter] = {
                "step": torch.tensor(float(arrays[STEPS + name])),
                "exp_avg": torch.from_numpy(arrays[FIRST + name].copy()),
                "exp_avg_sq": torch.from_numpy(arrays[SECOND + name].copy()),
            }
