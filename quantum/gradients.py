# SPDX-License-Identifier: Apache-2.0
"""Three ways to the same gradient: adjoint, backprop, parameter shift."""

from enum import StrEnum
from functools import lru_cache
from typing import assert_never

import torch

from quantum.circuit import Circuit
from quantum.engines import Engine, EngineName, make_engine
from quantum.errors import require
from quantum.parameter_shift import ShiftEngine


class GradientMethod(StrEnum):
    """How a circuit is differentiated."""

    ADJOINT = "adjoint"
    """One pass back through the gates with two states, by the compiled engine. Memory does not
    grow with depth. CPU; refused where there is no compiler. Simulators only."""
    BACKPROP = "backprop"
    """Torch's autograd through the torch engine. Simulators only."""
    PARAMETER_SHIFT = "parameter-shift"
    """Two more evaluations for each rotation (:mod:`quantum.parameter_shift`): what a quantum
    computer can do, at the cost that :mod:`quantum.executions` counts."""


def gradient_engine(circuit: Circuit, method: GradientMethod | str) -> Engine:
    """The engine that differentiates this way; its outputs are the same in all of them.

    Raises:
        CircuitError: the method is unknown, or its engine is not available for this circuit here.
    """
    allowed = [str(known) for known in GradientMethod]
    require(str(method) in allowed, f"method is {str(method)!r}; allowed: {', '.join(allowed)}")
    return _cached(circuit, GradientMethod(method))


@lru_cache(maxsize=32)
def _cached(circuit: Circuit, method: GradientMethod) -> Engine:
    """Engines have no state, and making one costs more than a small batch."""
    match method:
        case GradientMethod.ADJOINT:
            return make_engine(circuit, EngineName.COMPILED)
        case GradientMethod.BACKPROP:
            return make_engine(circuit, EngineName.TORCH)
        case GradientMethod.PARAMETER_SHIFT:
            return ShiftEngine(circuit)
        case _:
            assert_never(method)


def value_and_gradient(
    circuit: Circuit,
    inputs: torch.Tensor,
    parameters: torch.Tensor,
    cotangents: torch.Tensor,
    method: GradientMethod | str = GradientMethod.ADJOINT,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The outputs, and the gradients of ``(outputs * cotangents).sum()``, detached.

    For derivatives of these, call :func:`gradient_engine` and use autograd.

    Args:
        circuit: what is evaluated.
        inputs: ``[batch, num_features]``, float32 or float64.
        parameters: shared ``[num_parameters]``, or per sample ``[batch, num_parameters]``.
        cotangents: ``[batch, observables]``.
        method: how the gradient is computed.

    Returns:
        Outputs ``[batch, observables]``, and the gradients in the shapes of inputs and parameters.

    Raises:
        CircuitError: shapes or dtypes do not fit, an angle is not finite, or the method is not
            available.
    """
    return pull_back(gradient_engine(circuit, method), inputs, parameters, cotangents)


def pull_back(
    engine: Engine, inputs: torch.Tensor, parameters: torch.Tensor, cotangents: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As :func:`value_and_gradient`, by a given engine: one with noise or shots, for example."""
    inputs, parameters = (t.detach().requires_grad_() for t in (inputs, parameters))
    with torch.enable_grad():
        outputs = engine(inputs, parameters)
    require(
        cotangents.shape == outputs.shape,
        f"{engine.circuit.name}: cotangents have shape {tuple(cotangents.shape)}; "
        f"expected that of the outputs, {tuple(outputs.shape)}",
    )
    if not outputs.requires_grad:  # they depend on nothing
        return outputs, torch.zeros_like(inputs), torch.zeros_like(parameters)
    by_inputs, by_parameters = torch.autograd.grad(
        outputs, (inputs, parameters), cotangents, allow_unused=True, materialize_grads=True
    )
    return outputs.detach(), by_inputs, by_parameters


def jacobian(
    engine: Engine, inputs: torch.Tensor, parameters: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The derivatives of every output of every sample, at the cost of one batch for each output.

    Args:
        engine: of the circuit, see :func:`gradient_engine`.
        inputs: ``[batch, num_features]``.
        parameters: shared ``[num_parameters]``, or per sample ``[batch, num_parameters]``.

    Returns:
        By the inputs ``[batch, observables, num_features]``, and by each sample's parameters
        ``[batch, observables, num_parameters]``, shared or not; detached.
    """
    size, count = len(inputs), len(engine.circuit.observables)
    one, other = (t.repeat_interleave(count, 0) for t in (inputs, parameters.expand(size, -1)))
    each = torch.eye(count, dtype=inputs.dtype, device=inputs.device).repeat(size, 1)
    _, by_inputs, by_parameters = pull_back(engine, one, other, each)
    return by_inputs.unflatten(0, (size, count)), by_parameters.unflatten(0, (size, count))
