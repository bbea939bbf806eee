# SPDX-License-Identifier: Apache-2.0
"""The circuit that most parts measure: real, and with parameters of its own for every sample.

H and RY(x_i) on every wire, then layers of a ring of CNOTs and RY(theta[b, l n + i]) on every
wire; Z of each wire.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pennylane as qml
import torch

from quantum.circuit import Circuit, Parameter
from quantum.circuits import z_each
from quantum.encodings import hadamard_ry
from quantum.engines import make_engine
from quantum.gates import Operations, clifford, ry

Evaluate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Inputs ``[B, n]`` and parameters ``[B, L n]`` to expectations ``[B, n]``."""


@dataclass(frozen=True)
class Size:
    qubits: int
    layers: int
    batch: int

    def __str__(self) -> str:
        return f"n={self.qubits} L={self.layers} B={self.batch}"


def circuit(size: Size) -> Circuit:
    qubits = range(size.qubits)
    layers: Operations = ()
    for layer in range(size.layers):
        for i in qubits:
            layers += clifford("CNOT", i, (i + 1) % size.qubits)
        for i in qubits:
            layers += ry(Parameter(layer * size.qubits + i), i)
    encoding = hadamard_ry(size.qubits, size.qubits)
    return Circuit(size.qubits, encoding, layers, z_each(qubits), "ring")


def qnode(size: Size, device: str, diff_method: str = "backprop") -> qml.QNode:
    """As a user of PennyLane would write it, with angles unbound: the cheapest way to slice."""

    @qml.qnode(qml.device(device, wires=size.qubits), interface="torch", diff_method=diff_method)
    def ring(x: torch.Tensor, theta: torch.Tensor) -> list[object]:
        for i, angle in enumerate(x.unbind(-1)):
            qml.Hadamard(wires=i)
            qml.RY(angle, wires=i)
        angles = iter(theta.unbind(-1))
        for _ in range(size.layers):
            for i in range(size.qubits):
                qml.CNOT(wires=[i, (i + 1) % size.qubits])
            for i in range(size.qubits):
                qml.RY(next(angles), wires=i)
        return [qml.expval(qml.PauliZ(i)) for i in range(size.qubits)]

    return ring


def pennylane(size: Size, device: str = "default.qubit") -> Evaluate:
    node = qnode(size, device)
    return lambda x, theta: torch.stack(node(x, theta), dim=-1)


def engine(size: Size, name: str) -> Evaluate:
    return make_engine(circuit(size), name)


@dataclass(frozen=True)
class Step:
    """Forward, and backward to inputs and parameters, from the same values for every route."""

    evaluate: Evaluate
    x: torch.Tensor
    theta: torch.Tensor
    cotangents: torch.Tensor

    @classmethod
    def of(
        cls,
        size: Size,
        evaluate: Evaluate,
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
    ) -> "Step":
        generator = torch.Generator().manual_seed(0)
        x, theta, cotangents = (
            torch.randn(size.batch, columns, generator=generator, dtype=torch.float64).to(
                device, dtype
            )
            for columns in (size.qubits, size.layers * size.qubits, size.qubits)
        )
        return cls(evaluate, x.requires_grad_(), theta.requires_grad_(), cotangents)

    def __call__(self) -> tuple[torch.Tensor, ...]:
        """Outputs, and the gradients of inputs and parameters."""
        outputs = self.evaluate(self.x, self.theta)
        gradients = torch.autograd.grad(outputs, (self.x, self.theta), self.cotangents)
        return outputs.detach(), *gradients
