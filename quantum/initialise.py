# SPDX-License-Identifier: Apache-2.0
"""Torch's default initial values, drawn from a generator that is passed in.

Torch's own constructors draw from the global generator: a model would depend on what was built
before it. None stands for the global one, as everywhere in torch.
"""

from typing import Any, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def linear(
    inputs: int, outputs: int, generator: torch.Generator | None, bias: bool = True
) -> nn.Linear:
    """An affine map; entries uniform within 1/sqrt(inputs), as torch's default is."""
    return uniform(nn.Linear, inputs**-0.5, generator, inputs, outputs, bias=bias)


def uniform(
    kind: type[Module],
    bound: float,
    generator: torch.Generator | None,
    *sizes: int,
    **options: Any,
) -> Module:
    """A module of a torch kind, all its parameters uniform within [-bound, bound]."""
    module: Module = kind(*sizes, device="meta", **options).to_empty(device="cpu")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return module


def normal(shape: tuple[int, ...], std: float, generator: torch.Generator | None) -> nn.Parameter:
    """A parameter with independent normal entries of mean zero."""
    return nn.Parameter(torch.randn(shape, generator=generator) * std)
