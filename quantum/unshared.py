# SPDX-License-Identifier: Apache-2.0
"""A circuit whose rotations share nothing, and the map from features and parameters to its angles.

A gate exp(-i a/2 P) makes every output a sine of its own angle a, whatever else a depends on. So
parameter shift and Pauli errors are said for angles, and the chain rule through parameters that are
used twice, scales and transforms is left to autograd.
"""

from dataclasses import replace

import torch

from quantum.circuit import Angle, Circuit, Input, Operation, Parameter, Rotation
from quantum.engines.interface import check_arguments
from quantum.errors import require
from quantum.program import affine, input_columns, make_program
from quantum.transforms import transform_columns


def unshare(circuit: Circuit) -> Circuit:
    """The same gates and observables, where rotation k turns by parameter k; no features are left.

    Args:
        circuit: any circuit; constant angles become parameters as well.
    """
    encoding = _renumbered(circuit.encoding, first=0)
    in_encoding = sum(isinstance(o, Rotation) for o in circuit.encoding)
    ansatz = _renumbered(circuit.ansatz, first=in_encoding)
    return replace(circuit, encoding=encoding, ansatz=ansatz)


def live_rotations(circuit: Circuit) -> tuple[int, ...]:
    """The rotations whose angle can change an output, by number in the order of the circuit.

    The others commute with all that follows, or turn only the phase of |0...0>
    (:mod:`quantum.program`).
    """
    dead = set(make_program(unshare(circuit)).dead_parameters)
    return tuple(k for k in range(len(circuit.angles)) if k not in dead)


def depends(angle: Angle, *, inputs: bool, parameters: bool) -> bool:
    """Whether the angle is one of a feature, of a parameter, or of either."""
    return (inputs and isinstance(angle, Input)) or (parameters and isinstance(angle, Parameter))


class RotationAngles:
    """The angles of all rotations of a circuit, as a function of its features and parameters.

    Args:
        circuit: whose rotations.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._columns = input_columns(circuit.angles)
        parts = [affine(angle, self._columns) for angle in circuit.angles]
        self._source = torch.tensor([source for source, _, _ in parts], dtype=torch.long)
        self._scale = torch.tensor([scale for _, scale, _ in parts], dtype=torch.float64)
        self._offset = torch.tensor([offset for _, _, offset in parts], dtype=torch.float64)

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """The angles ``[batch, rotations]`` in radians, differentiable in both arguments.

        Args:
            inputs: ``[batch, num_features]``.
            parameters: ``[num_parameters]`` or ``[batch, num_parameters]``.

        Raises:
            CircuitError: shapes, dtypes or devices do not fit, or an angle is not finite.
        """
        check_arguments(self._circuit, inputs, parameters)
        size = inputs.shape[0]
        columns = transform_columns(self._columns, inputs)
        # The last column, which NO_SOURCE = -1 takes, is zero.
        sources = [columns, parameters.expand(size, -1), inputs.new_zeros(size, 1)]
        chosen = torch.cat(sources, dim=1)[:, self._source.to(inputs.device)]
        angles = chosen * self._scale.to(inputs) + self._offset.to(inputs)
        self._check_finite(angles)
        return angles

    def _check_finite(self, angles: torch.Tensor) -> None:
        finite = torch.isfinite(angles)
        if not finite.all():
            sample, rotation = (~finite).nonzero()[0].tolist()
            angle = self._circuit.angles[rotation]
            message = f"{angle} is not a finite angle for sample {sample}"
            require(False, f"{self._circuit.name}: {message}")


def _renumbered(operations: tuple[Operation, ...], first: int) -> tuple[Operation, ...]:
    result: list[Operation] = []
    for operation in operations:
        if isinstance(operation, Rotation):
            operation = replace(operation, angle=Parameter(first))  # noqa: PLW2901
            first += 1
        result.append(operation)
    return tuple(result)
