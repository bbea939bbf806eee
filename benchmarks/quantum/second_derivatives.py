# SPDX-License-Identifier: Apache-2.0
"""Which second derivatives are right: those of PennyLane's routes and ours, by finite differences.

What is differentiated twice is what gradient inversion descends: the squared norm of the gradient
of a loss, as a function of the input.
"""

from collections.abc import Callable

import pennylane as qml
import torch

from quantum.circuits import privacy_rot_ring
from quantum.engines import make_engine

CIRCUIT = privacy_rot_ring(1, 2, 3)
STEP = 1e-6
Evaluate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def measure() -> list[str]:
    """One line for each route."""
    routes: dict[str, Evaluate] = {
        "fedfleet compiled": make_engine(CIRCUIT, "compiled"),
        "fedfleet torch": make_engine(CIRCUIT, "torch"),
        "fedfleet.qubit, adjoint": _node("fedfleet.qubit", "adjoint"),
        "fedfleet.qubit, parameter-shift": _node("fedfleet.qubit", "parameter-shift"),
        "default.qubit, backprop": _node("default.qubit", "backprop"),
        "default.qubit, adjoint": _node("default.qubit", "adjoint"),
        "lightning.qubit, adjoint": _node("lightning.qubit", "adjoint"),
        "default.qubit, parameter-shift": _node("default.qubit", "parameter-shift"),
        "default.qubit, parameter-shift, max_diff=2": _node(
            "default.qubit", "parameter-shift", max_diff=2
        ),
    }
    return [
        f"second derivative, {name:44}{_verdict(evaluate)}" for name, evaluate in routes.items()
    ]


def _verdict(evaluate: Evaluate) -> str:
    x = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    try:
        (found,) = torch.autograd.grad(_squared_gradient(evaluate, x), x)
    except (RuntimeError, NotImplementedError, qml.exceptions.QuantumFunctionError) as refused:
        return f"refused: {refused}"
    ahead, behind = (_squared_gradient(evaluate, x.detach() + s).item() for s in (STEP, -STEP))
    wanted = (ahead - behind) / (2 * STEP)
    error = abs(found.item() - wanted) / abs(wanted)
    return f"{'right' if error < 1e-6 else 'WRONG, without an error'} (relative error {error:.1e})"


def _squared_gradient(evaluate: Evaluate, x: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(CIRCUIT.num_parameters, generator=generator, dtype=torch.float64)
    w.requires_grad_()
    loss = (evaluate(x, w) - 0.2).square().sum()
    (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
    return gradient.square().sum()


def _node(device: str, diff_method: str, **options: object) -> Evaluate:
    @qml.qnode(qml.device(device, wires=2), diff_method=diff_method, **options)
    def tower(x: torch.Tensor, w: torch.Tensor) -> object:
        for i in range(2):
            qml.RX(2 * torch.pi * 5**i * x, wires=i)
        for layer in w.reshape(3, 2, 3).unbind(0):
            for i, (phi, theta, omega) in enumerate(layer.unbind(0)):
                qml.Rot(phi, theta, omega, wires=i)
            qml.CZ(wires=[0, 1])
        return qml.expval(qml.PauliZ(0) @ qml.PauliZ(1))

    return lambda x, w: tower(x[0, 0], w)
