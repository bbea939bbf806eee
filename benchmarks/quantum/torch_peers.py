# SPDX-License-Identifier: Apache-2.0
"""The ring circuit in the words of other simulators that calculate eagerly, op by op."""

import importlib
import sys
from unittest.mock import MagicMock

import pennylane as qml
import torch

from benchmarks.quantum.ring import Evaluate, Size, qnode


def lightning(size: Size) -> Evaluate:
    """A C++ simulator; its adjoint method wants one circuit for each sample."""
    importlib.import_module("pennylane_lightning")
    node = qml.transforms.broadcast_expand(qnode(size, "lightning.qubit", "adjoint"))
    return lambda x, theta: torch.stack(list(node(x, theta)), dim=-1)


def deepquantum(size: Size) -> Evaluate:
    """Encoded data are batched by vmap, so the parameters are data as well."""
    import deepquantum as dq

    circuit = dq.QubitCircuit(size.qubits)
    circuit.hlayer()
    for i in range(size.qubits):
        circuit.ry(i, encode=True)
    for _ in range(size.layers):
        for i in range(size.qubits):
            circuit.cnot(i, (i + 1) % size.qubits)
        for i in range(size.qubits):
            circuit.ry(i, encode=True)
    for i in range(size.qubits):
        circuit.observable(i)

    def evaluate(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        circuit(data=torch.cat([x, theta], dim=1))
        return circuit.expectation()

    return evaluate


def tensorcircuit(size: Size) -> Evaluate:
    """One state, batched by torch's vmap; the expectations are one product with the signs."""
    import tensorcircuit as tc

    tc.set_backend("pytorch")
    signs = _z_signs(size.qubits)

    def state(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        circuit = tc.Circuit(size.qubits)
        for i in range(size.qubits):
            circuit.h(i)
            circuit.ry(i, theta=x[i])
        for layer in range(size.layers):
            for i in range(size.qubits):
                circuit.cnot(i, (i + 1) % size.qubits)
            for i in range(size.qubits):
                circuit.ry(i, theta=theta[layer * size.qubits + i])
        return circuit.state()

    states = torch.func.vmap(state)

    def evaluate(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        tc.set_backend("pytorch")
        return states(x, theta).abs().square() @ signs

    return evaluate


def pyqtorch(size: Size) -> Evaluate:
    """Angles are named, and given by name, each with a batch."""
    import pyqtorch as pyq

    wires = range(size.qubits)
    operations = [pyq.H(i) for i in wires] + [pyq.RY(i, f"a{i}") for i in wires]
    for layer in range(1, size.layers + 1):
        operations += [pyq.CNOT(i, (i + 1) % size.qubits) for i in wires]
        operations += [pyq.RY(i, f"a{layer * size.qubits + i}") for i in wires]
    circuit = pyq.QuantumCircuit(size.qubits, operations)
    flips = [pyq.Z(i) for i in wires]

    def evaluate(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        state = pyq.run(circuit, values=_named(x, theta))
        return torch.stack([pyq.inner_prod(state, flip(state)).real for flip in flips], dim=-1)

    return evaluate


def torchquantum(size: Size) -> Evaluate:
    """Gates are functions that change a device; it imports torchvision for data sets."""
    _without_torchvision()
    import torchquantum as tq
    import torchquantum.functional as gates

    measured = tq.MeasureAll(tq.PauliZ)

    def evaluate(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        device = tq.QuantumDevice(n_wires=size.qubits, bsz=len(x))
        for i, angle in enumerate(x.unbind(-1)):
            gates.hadamard(device, wires=i)
            gates.ry(device, wires=i, params=angle)
        angles = iter(theta.unbind(-1))
        for _ in range(size.layers):
            for i in range(size.qubits):
                gates.cnot(device, wires=[i, (i + 1) % size.qubits])
            for i in range(size.qubits):
                gates.ry(device, wires=i, params=next(angles))
        return measured(device)

    return evaluate


def qandle(size: Size) -> Evaluate:
    """It has no H: on |0> followed by RY(x) it is RY(x + pi/2). It returns P(0), not Z."""
    import qandle as qd

    wires = range(size.qubits)
    operations = [qd.RY(i, name=f"a{i}") for i in wires]
    for layer in range(1, size.layers + 1):
        operations += [qd.CNOT(i, (i + 1) % size.qubits) for i in wires]
        operations += [qd.RY(i, name=f"a{layer * size.qubits + i}") for i in wires]
    operations.append(qd.MeasureProbability())
    circuit = qd.Circuit(operations, num_qubits=size.qubits)
    return lambda x, theta: 2 * circuit(**_named(x + torch.pi / 2, theta)) - 1


def _z_signs(qubits: int) -> torch.Tensor:
    """The value of Z of each wire in each basis state, ``[2^n, n]``; wire 0 is the leading bit."""
    states = torch.arange(2**qubits)
    return torch.stack([1.0 - 2.0 * (states >> (qubits - 1 - i) & 1) for i in range(qubits)], 1)


def _named(x: torch.Tensor, theta: torch.Tensor) -> dict[str, torch.Tensor]:
    return {f"a{k}": angle for k, angle in enumerate((*x.unbind(-1), *theta.unbind(-1)))}


def _without_torchvision() -> None:
    """Put something empty where no torchvision loads that fits this torch: no circuit needs it."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        for name in ("", ".datasets", ".datasets.utils", ".transforms"):
            sys.modules[f"torchvision{name}"] = MagicMock()
