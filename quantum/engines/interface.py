# SPDX-License-Identifier: Apache-2.0
"""The signature that all engines share, and the checks that are the same for all of them."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

import torch

from quantum.circuit import Circuit
from quantum.errors import CircuitError, require


class EngineName(StrEnum):
    """What can evaluate a circuit."""

    AUTO = "auto"
    """Compiled on the CPU where a compiler is found and the circuit fits; else torch."""
    REFERENCE = "reference"
    """PennyLane's default.qubit: slow, trusted, the oracle of the tests."""
    TORCH = "torch"
    """Torch operations: any device, differentiable twice."""
    COMPILED = "compiled"
    """Our native kernel: CPU, exact first and second derivatives."""


class Engine(Protocol):
    """Evaluates one circuit."""

    @property
    def circuit(self) -> Circuit:
        """The circuit that it evaluates."""

    @property
    def name(self) -> EngineName:
        """What it is."""

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """The expectations of the circuit's observables.

        Args:
            inputs: features, ``[batch, num_features]``, float32 or float64.
            parameters: shared by the batch ``[num_parameters]``, or one set for every sample
                ``[batch, num_parameters]``; same dtype and device as the inputs.

        Returns:
            ``[batch, observables]``, differentiable twice in both arguments.

        Raises:
            CircuitError: shapes, dtypes or devices do not fit, or an angle is not finite.
        """


MakeEngine = Callable[[Circuit], Engine]
"""What makes the engine for a circuit: :func:`quantum.engines.make_engine`, or one with noise."""

EngineChoice = EngineName | str | MakeEngine
"""An engine by its name, or what makes it."""


def check_arguments(circuit: Circuit, inputs: torch.Tensor, parameters: torch.Tensor) -> None:
    """Shapes, dtypes and devices are what :class:`Engine` says.

    Raises:
        CircuitError: they are not; the message names both shapes.
    """
    features, count = circuit.num_features, circuit.num_parameters
    if not (inputs.dim() == 2 and inputs.shape[1] == features):
        require(
            False,
            f"{circuit.name}: inputs have shape {tuple(inputs.shape)}; "
            f"expected [batch, {features}]",
        )
    shape = parameters.shape
    fits = parameters.dim() in (1, 2) and shape[-1] == count
    if not fits or (parameters.dim() == 2 and shape[0] != inputs.shape[0]):
        require(
            False,
            f"{circuit.name}: parameters have shape {tuple(shape)}; expected [{count}] (shared) "
            f"or [{inputs.shape[0]}, {count}] (one set for each of the {inputs.shape[0]} samples)",
        )
    if inputs.dtype != parameters.dtype or inputs.dtype not in (torch.float32, torch.float64):
        require(
            False,
            f"{circuit.name}: inputs are {inputs.dtype} and parameters {parameters.dtype}; "
            "both must be float32, or both float64",
        )
    if inputs.device != parameters.device:
        require(
            False,
            f"{circuit.name}: inputs are on {inputs.device}, parameters on {parameters.device}",
        )


def not_finite(
    circuit: Circuit, features: Sequence[int], columns: torch.Tensor, parameters: torch.Tensor
) -> CircuitError:
    """The error for angles that are not finite; it names the first number to blame.

    Args:
        circuit: whose angles.
        features: which feature each column is.
        columns: transformed inputs, ``[batch, columns]``.
        parameters: ``[parameters]`` or ``[batch, parameters]``.
    """
    numbers = range(circuit.num_parameters)
    for name, values, index in (("inputs", columns, features), ("parameters", parameters, numbers)):
        for *sample, column in (~values.isfinite()).nonzero().tolist()[:1]:
            where = ", ".join(map(str, [*sample, index[column]]))
            value = values[(*sample, column)].item()
            return CircuitError(
                f"{circuit.name}: an angle is not finite: {name}[{where}] is {value}"
            )
    return CircuitError(
        f"{circuit.name}: an angle is not finite: it is too large for {columns.dtype}"
    )
