# SPDX-License-Identifier: Apache-2.0
"""Circuits under ``torch.vmap``: many models of one kind at once, such as those of many sites.

An engine takes a set of parameters for every sample already, so all that is needed is to lay the
models' samples one after another. Engines look at their numbers and call native code, which torch
cannot map by itself.
"""

from typing import Any

import torch

from quantum.engines.interface import Engine


def is_mapped(*tensors: torch.Tensor) -> bool:
    """Whether a tensor is one of many that ``torch.vmap`` stands for."""
    # There is no public name for it; tests/quantum/test_vectorise.py fails when this one moves.
    return any(torch._C._functorch.is_batchedtensor(one) for one in tensors)


def evaluate_mapped(engine: Engine, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """What the engine says, inside of ``torch.vmap``; the arguments are an engine's."""
    apply: Any = _Mapped.apply
    outputs: torch.Tensor = apply(engine, inputs, parameters)
    return outputs


class _Mapped(torch.autograd.Function):
    """Only its rule for vmap is ever used: that is plain torch again, so gradients flow."""

    @staticmethod
    def forward(engine: Engine, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        return engine(inputs, parameters)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[None, int | None, int | None],
        engine: Engine,
        inputs: torch.Tensor,
        parameters: torch.Tensor,
    ) -> tuple[torch.Tensor, int]:
        inputs = _first(inputs, in_dims[1], info.batch_size)
        parameters = _first(parameters, in_dims[2], info.batch_size)
        models, samples = inputs.shape[:2]
        if parameters.dim() == 2:
            parameters = parameters[:, None].expand(-1, samples, -1)
        flat = inputs.flatten(0, 1), parameters.flatten(0, 1)
        outputs = evaluate_mapped(engine, *flat) if is_mapped(*flat) else engine(*flat)
        return outputs.reshape(models, samples, -1), 0


def _first(tensor: torch.Tensor, dim: int | None, size: int) -> torch.Tensor:
    """The mapped dimension in front; copied for all where it is not mapped."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
