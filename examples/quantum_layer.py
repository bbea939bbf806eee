# SPDX-License-Identifier: Apache-2.0
"""Train a hybrid model on two moons, then change one word, the device, and train it again faster.

Run from the repository root: ``.venv/bin/python examples/quantum_layer.py``; some ten seconds.
"""

import time
from collections.abc import Callable
from math import pi

import numpy as np
import pennylane as qml
import torch
from torch import nn

from quantum.ansatz import strongly_entangling
from quantum.circuit import Circuit
from quantum.circuits import z_each
from quantum.encodings import ry_encoding
from quantum.engines import make_engine
from quantum.trace import trace

QUBITS, LAYERS = 6, 3
Evaluate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def two_moons(size: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Points ``[size, 2]`` on two interlocking half circles, with noise, and which of the two."""
    moon = np.arange(size) % 2
    turn = rng.uniform(0, pi, size) + pi * moon
    points = np.stack([np.cos(turn) + moon, np.sin(turn) + 0.5 * moon], axis=1)
    return torch.tensor(points + rng.normal(0, 0.1, (size, 2))), torch.tensor(moon).double()


def qnode(device: str) -> qml.QNode:
    """An ordinary QNode; nothing in it knows about the device."""

    @qml.qnode(qml.device(device, wires=QUBITS))
    def circuit(angles: torch.Tensor, weights: torch.Tensor) -> list[object]:
        qml.AngleEmbedding(angles, wires=range(QUBITS), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(QUBITS))
        return [qml.expval(qml.PauliZ(i)) for i in range(QUBITS)]

    return circuit


def stacked(node: Callable[..., list[torch.Tensor]]) -> Evaluate:
    """The list of a QNode's expectations as one tensor, ``[batch, QUBITS]``."""
    return lambda angles, weights: torch.stack(list(node(angles, weights)), dim=-1)


def engine() -> Evaluate:
    """The same circuit as a description of ours, without PennyLane."""
    wires = range(QUBITS)
    ansatz = strongly_entangling(QUBITS, LAYERS)
    run = make_engine(Circuit(QUBITS, ry_encoding(QUBITS, QUBITS), ansatz, z_each(wires)))
    return lambda angles, weights: run(angles, weights.flatten())


class Hybrid(nn.Module):
    """A classical layer, the circuit, a classical layer."""

    def __init__(self, evaluate: Evaluate) -> None:
        super().__init__()
        self.inward, self.outward = nn.Linear(2, QUBITS), nn.Linear(QUBITS, 1)
        self.weights = nn.Parameter(0.1 * torch.randn(LAYERS, QUBITS, 3))
        self.evaluate = evaluate

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Logits ``[batch]`` of belonging to the second moon."""
        angles = pi * torch.tanh(self.inward(points))
        logits: torch.Tensor = self.outward(self.evaluate(angles, self.weights))
        return logits.squeeze(-1)


def train(evaluate: Evaluate, epochs: int) -> tuple[list[float], float]:
    """The losses of all steps, and the accuracy on fresh points; always from the same seeds."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    model = Hybrid(evaluate).double()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    points, moons = two_moons(256, rng)
    losses = []
    for _ in range(epochs):
        for batch in torch.randperm(len(points)).split(64):
            optimiser.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(
                model(points[batch]), moons[batch]
            )
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    points, moons = two_moons(256, rng)
    return losses, ((model(points) > 0) == (moons > 0)).double().mean().item()


def main(epochs: int = 25) -> None:
    """Four ways to evaluate one circuit."""
    routes = {
        "default.qubit": stacked(qnode("default.qubit")),
        "fedfleet.qubit": stacked(qnode("fedfleet.qubit")),
        "traced once": stacked(trace(qnode("fedfleet.qubit"))),
        "engine alone": engine(),
    }
    slow_losses: list[float] = []
    slow_s = 0.0
    for name, evaluate in routes.items():
        train(evaluate, epochs=1)  # whatever is built or traced on first use
        start = time.perf_counter()
        losses, accuracy = train(evaluate, epochs)
        seconds = time.perf_counter() - start
        slow_losses, slow_s = slow_losses or losses, slow_s or seconds  # the first route's
        difference = max(abs(a - b) for a, b in zip(losses, slow_losses, strict=True))
        print(
            f"{name:15} loss {losses[0]:.4f} to {losses[-1]:.4f}, accuracy {accuracy:.3f}, "
            f"{seconds:7.3f} s, {slow_s / seconds:5.1f} times as fast, "
            f"losses differ by {difference:.0e}"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)  # for tensors as small as these, threads only wait for each other
    main()
