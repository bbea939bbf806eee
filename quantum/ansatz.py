# SPDX-License-Identifier: Apache-2.0
"""Layers with parameters, and how they entangle neighbours.

``first_parameter`` is the index of the first angle, so that parts can be put one after another.
The indices that follow number a tensor of the shape that each function names, flattened in C
order: ``weights.flatten()`` is what an engine takes. The functions raise
:class:`quantum.errors.CircuitError` for fewer than one qubit or layer.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Literal

from quantum.circuit import Operation, Parameter
from quantum.errors import require
from quantum.gates import Operations, clifford, rot, ry, rz

Entangler = Literal["chain", "ring"]
Pairs = Iterable[tuple[int, int]]


def hardware_efficient(
    qubits: int, layers: int, entangler: Entangler = "chain", first_parameter: int = 0
) -> Operations:
    """Layers of RY and RZ on every qubit, then CNOTs of neighbours; ``[layers, qubits, 2]``.

    Source: Kumar et al., arXiv 2309.13002, eq. 17, with a chain.
    """
    angles = _angles(qubits, layers, first_parameter)
    operations: list[Operation] = []
    for _ in range(layers):
        for qubit in range(qubits):
            operations += ry(next(angles), qubit)
            operations += rz(next(angles), qubit)
        operations += _entangle("CNOT", neighbours(qubits, entangler))
    return tuple(operations)


def rot_cz_ring(qubits: int, layers: int, first_parameter: int = 0) -> Operations:
    """Layers of Rot on every qubit, then CZ of neighbours in a ring; ``[layers, qubits, 3]``."""
    angles = _angles(qubits, layers, first_parameter)
    operations: list[Operation] = []
    for _ in range(layers):
        operations += _rots(angles, qubits)
        operations += _entangle("CZ", neighbours(qubits, "ring"))
    return tuple(operations)


def brick(qubits: int, layers: int, first_parameter: int = 0) -> Operations:
    """Layers of a brick of CNOTs, then RY on every qubit; ``[layers, qubits]``.

    The brick is CNOT(0, 1), (2, 3), ..., then (1, 2), (3, 4), ...; an open chain. Source: QFWP,
    Chen, arXiv 2402.17760.
    """
    angles = _angles(qubits, layers, first_parameter)
    chain = list(neighbours(qubits, "chain"))
    operations: list[Operation] = []
    for _ in range(layers):
        operations += _entangle("CNOT", chain[::2] + chain[1::2])
        for qubit in range(qubits):
            operations += ry(next(angles), qubit)
    return tuple(operations)


def near_and_far(qubits: int, layers: int, first_parameter: int = 0) -> Operations:
    """Layers of CNOTs to the next qubit, to the next but one, then Rot; ``[layers, qubits, 3]``.

    Both sets of CNOTs go round, in the order of their controls. Source: QLSTM, Chen et al., arXiv
    2009.01783.
    """
    angles = _angles(qubits, layers, first_parameter)
    operations: list[Operation] = []
    for _ in range(layers):
        for distance in (1, 2):
            operations += _entangle("CNOT", _around(qubits, distance))
        operations += _rots(angles, qubits)
    return tuple(operations)


def strongly_entangling(qubits: int, layers: int, first_parameter: int = 0) -> Operations:
    """PennyLane's ``StronglyEntanglingLayers``; ``[layers, qubits, 3]``.

    Rot on every qubit, then CNOTs all around, to the next qubit in the first layer and one further
    in each one after it, until it starts again. Source: Schuld et al., arXiv 1804.00633.
    """
    angles = _angles(qubits, layers, first_parameter)
    operations: list[Operation] = []
    for layer in range(layers):
        operations += _rots(angles, qubits)
        operations += _entangle("CNOT", _around(qubits, layer % max(qubits - 1, 1) + 1))
    return tuple(operations)


def neighbours(qubits: int, entangler: Entangler) -> Pairs:
    """The pairs of a chain, and of a ring the one that closes it; two qubits are one pair."""
    closing = [(qubits - 1, 0)] if entangler == "ring" and qubits > 2 else []
    return [*((q, q + 1) for q in range(qubits - 1)), *closing]


def _around(qubits: int, distance: int) -> Pairs:
    """Every qubit and the one at this distance, unless that is itself."""
    pairs = ((q, (q + distance) % qubits) for q in range(qubits))
    return [(a, b) for a, b in pairs if a != b]


def _entangle(name: str, pairs: Pairs) -> Operations:
    return tuple(gate for pair in pairs for gate in clifford(name, *pair))


def _rots(angles: Iterator[Parameter], qubits: int) -> Operations:
    turns = (rot(next(angles), next(angles), next(angles), q) for q in range(qubits))
    return tuple(operation for turn in turns for operation in turn)


def _angles(qubits: int, layers: int, first: int) -> Iterator[Parameter]:
    """All parameters from the first one on."""
    require(
        qubits >= 1 and layers >= 1,
        f"an ansatz of {layers} layers on {qubits} qubits: both must be 1 or more",
    )
    return map(Parameter, count(first))
