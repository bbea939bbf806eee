# SPDX-License-Identifier: Apache-2.0
"""Privacy circuits: a training step, and a step of gradient inversion, which differentiates twice.

A Fourier tower of one feature, 21 layers of Rot and a ring of CZ, or of RY, RZ and a chain of CNOTs
(arXiv 2309.13002), and the parity; double precision. All samples share the parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import pi

import pennylane as qml
import torch
from torch.nn.functional import mse_loss

from benchmarks.quantum.timing import Figure, interleaved, ratio, require_same, show
from quantum.circuit import Circuit
from quantum.circuits import privacy, privacy_rot_ring
from quantum.engines import make_engine

LAYERS = 21
TRAINING_TARGET = 400.0
INVERSION_TARGET = 100.0
Evaluate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Setting:
    """A circuit, the batch of a training step, and whether there are targets."""

    title: str
    circuit: Circuit
    layer: Callable[[int, torch.Tensor], None]
    batch: int = 8
    targeted: bool = True

    def evaluate(self, engine: str) -> Evaluate:
        if engine == "default.qubit":
            return _pennylane(self.circuit, self.layer)
        return make_engine(self.circuit, engine)


def measure() -> list[Figure]:
    figures = []
    for setting in SETTINGS:
        title = f"training step B={setting.batch}, {setting.title}"
        figures += _compare(title, setting, partial(_training, setting.batch))
    for setting in SETTINGS[:-1]:
        figures += _compare(f"inversion step B=1, {setting.title}", setting, _inversion)
    return figures


def _compare(
    title: str, setting: Setting, step_of: Callable[[Circuit, Evaluate], Callable[[], Tensors]]
) -> list[Figure]:
    names = ("default.qubit", "compiled", "torch")
    routes = {name: step_of(setting.circuit, setting.evaluate(name)) for name in names}
    for name in names[1:]:
        require_same(name, routes[name](), routes["default.qubit"](), 1e-9)
    seconds = interleaved(routes, rounds=7)
    show(title, seconds)
    target = INVERSION_TARGET if step_of is _inversion else TRAINING_TARGET
    slow, compiled, eager = (seconds[name] for name in names)
    return [
        ratio(f"{title}, compiled", slow, compiled, target if setting.targeted else None),
        ratio(f"{title}, torch", slow, eager),
    ]


def _training(batch: int, circuit: Circuit, evaluate: Evaluate) -> Callable[[], Tensors]:
    x, w, y = _values(circuit, batch)
    w.requires_grad_()

    def step() -> Tensors:
        loss = mse_loss(evaluate(x, w), y)
        return loss.detach(), *torch.autograd.grad(loss, w)

    return step


def _inversion(circuit: Circuit, evaluate: Evaluate) -> Callable[[], Tensors]:
    x, w, y = _values(circuit, 1)
    seen = torch.zeros_like(w)
    x.requires_grad_()
    w.requires_grad_()

    def step() -> Tensors:
        loss = mse_loss(evaluate(x, w), y)
        (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
        distance = (gradient - seen).square().sum()
        return distance.detach(), *torch.autograd.grad(distance, x)

    return step


def _values(circuit: Circuit, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(batch, circuit.num_features, generator=generator, dtype=torch.float64)
    w = torch.randn(circuit.num_parameters, generator=generator, dtype=torch.float64)
    return x, w, torch.rand(batch, 1, generator=generator, dtype=torch.float64)


def _pennylane(circuit: Circuit, layer: Callable[[int, torch.Tensor], None]) -> Evaluate:
    """The same by hand, in as few gates as PennyLane has for it."""
    wires = range(circuit.qubits)

    @qml.qnode(qml.device("default.qubit", wires=circuit.qubits), diff_method="backprop")
    def tower(x: torch.Tensor, w: torch.Tensor) -> object:
        for i in wires:
            qml.RX(2 * pi * 5**i * x[:, 0], wires=i)
        for weights in w.reshape(LAYERS, circuit.qubits, -1).unbind(0):
            layer(circuit.qubits, weights)
        return qml.expval(qml.prod(*[qml.PauliZ(i) for i in wires]))

    return lambda x, w: tower(x, w).unsqueeze(-1)


def _rot_ring(qubits: int, weights: torch.Tensor) -> None:
    for i, (phi, theta, omega) in enumerate(weights.unbind(0)):
        qml.Rot(phi, theta, omega, wires=i)
    for i in range(qubits):
        qml.CZ(wires=[i, (i + 1) % qubits])


def _hardware_efficient(qubits: int, weights: torch.Tensor) -> None:
    for i, (about_y, about_z) in enumerate(weights.unbind(0)):
        qml.RY(about_y, wires=i)
        qml.RZ(about_z, wires=i)
    for i in range(qubits - 1):
        qml.CNOT(wires=[i, i + 1])


SETTINGS = (
    Setting("n=4 Rot, CZ ring", privacy_rot_ring(1, 4, LAYERS), _rot_ring),
    Setting("n=4 RY RZ, CNOT chain", privacy(1, 4, LAYERS), _hardware_efficient),
    Setting("n=8 RY RZ, CNOT chain", privacy(1, 8, LAYERS), _hardware_efficient, 8, False),
    Setting("n=8 Rot, CZ ring", privacy_rot_ring(1, 8, LAYERS), _rot_ring, 256, False),
)
