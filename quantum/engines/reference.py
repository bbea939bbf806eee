# SPDX-License-Identifier: Apache-2.0
"""PennyLane's default.qubit: slow, trusted, and the oracle of the other engines' tests."""

from collections.abc import Callable
from typing import Any, Literal

import pennylane as qml
import torch

from quantum.circuit import (
    Angle,
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Parameter,
    PauliString,
    Rotation,
)
from quantum.engines.interface import EngineName, check_arguments
from quantum.errors import require
from quantum.transforms import apply

DiffMethod = Literal["backprop", "adjoint", "parameter-shift"]


class ReferenceEngine:
    """An :class:`quantum.engines.interface.Engine` through a PennyLane QNode.

    Args:
        circuit: what to evaluate.
        diff_method: how PennyLane differentiates. Its adjoint method gives second derivatives that
            are wrong, without an error; the other two are right twice.
    """

    def __init__(self, circuit: Circuit, diff_method: DiffMethod = "backprop") -> None:
        self.circuit = circuit
        self.name = EngineName.REFERENCE
        self._node = qnode(circuit, diff_method)

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """``[batch, observables]``; see :class:`quantum.engines.interface.Engine`."""
        check_arguments(self.circuit, inputs, parameters)
        # default.qubit computes in double precision whatever it is given, and returns that. The
        # oracle keeps it inside, so that in float32 only the last rounding is left.
        dtype, inputs, parameters = inputs.dtype, inputs.double(), parameters.double()
        _check_finite(self.circuit, inputs, parameters)
        if not len(inputs):  # which PennyLane cannot reshape
            empty = inputs.new_zeros(0, len(self.circuit.observables), dtype=dtype)
            return empty * (inputs.sum() + parameters.sum())
        outputs = self._node(inputs, parameters)
        return torch.stack([o.expand(len(inputs)) for o in outputs], dim=1).to(dtype)


def qnode(
    circuit: Circuit, diff_method: DiffMethod = "backprop", interface: str = "torch"
) -> qml.QNode:
    """The circuit as a QNode on default.qubit.

    Args:
        circuit: what to evaluate.
        diff_method: one of PennyLane's; parameter shift is set up for second derivatives too.
        interface: PennyLane's name of the array library; transforms of inputs need torch.

    Returns:
        A function of inputs ``[..., num_features]`` and parameters ``[..., num_parameters]``, each
        with one leading batch axis or none, that returns a tuple of one expectation for every
        observable, each ``[batch]``, or a scalar when its tape has no batch.
    """

    def evaluate(inputs: torch.Tensor, parameters: torch.Tensor) -> tuple[Any, ...]:
        return play(circuit, lambda angle: _value(angle, inputs, parameters))

    evaluate.__name__ = circuit.name
    device = qml.device("default.qubit", wires=circuit.qubits)
    order = {"max_diff": 2} if diff_method == "parameter-shift" else {}
    node = qml.QNode(evaluate, device, interface=interface, diff_method=diff_method, **order)
    # Only backprop can differentiate a whole batch in one tape.
    return node if diff_method == "backprop" else qml.transforms.broadcast_expand(node)


def play(circuit: Circuit, value: Callable[[Angle], object]) -> tuple[Any, ...]:
    """Queue the circuit's gates in PennyLane, and return its measurements.

    Args:
        circuit: what to queue.
        value: what PennyLane is given for an angle: a number, a tensor, or a label for a drawing.
    """
    for operation in circuit.operations:
        if isinstance(operation, Clifford):
            _CLIFFORDS[operation.name](wires=operation.wires)
        else:
            _rotate(operation, value(operation.angle))
    return tuple(qml.expval(_observable(o)) for o in circuit.observables)


_CLIFFORDS: dict[CliffordName, Callable[..., Any]] = {
    **{name: getattr(qml, name) for name in CliffordName if name is not CliffordName.S_DAGGER},
    CliffordName.H: qml.Hadamard,
    CliffordName.S_DAGGER: qml.adjoint(qml.S),
}


def _rotate(rotation: Rotation, value: object) -> None:
    wires, letters = _by_wire(rotation.pauli)
    if len(letters) == 1:
        getattr(qml, f"R{letters}")(value, wires=wires)
    else:
        qml.PauliRot(value, letters, wires=wires)


def _observable(string: PauliString) -> Any:
    factors = [getattr(qml, p)(w) for w, p in zip(*_by_wire(string), strict=True)]
    return qml.prod(*factors) if len(factors) > 1 else factors[0]


def _by_wire(string: PauliString) -> tuple[list[int], str]:
    """Wires and letters from top to bottom, as drawings show them."""
    pairs = sorted(zip(string.wires, string.letters, strict=True))
    return [w for w, _ in pairs], "".join(p for _, p in pairs)


def _value(angle: Angle, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor | float:
    match angle:
        case Input(index, scale, transform):
            return scale * apply(transform, inputs[..., index])
        case Parameter(index, scale):
            return scale * parameters[..., index]
        case Constant(value):
            return value


def _check_finite(circuit: Circuit, inputs: torch.Tensor, parameters: torch.Tensor) -> None:
    for angle in dict.fromkeys(circuit.angles):
        broken = ~torch.isfinite(torch.as_tensor(_value(angle, inputs, parameters)))
        if broken.any():
            sample = int(broken.reshape(-1).nonzero()[0])
            require(False, f"{circuit.name}: {angle} is not a finite angle for sample {sample}")
