# SPDX-License-Identifier: Apache-2.0
"""Circuits as dense matrices, from the definitions and nothing else."""

import math
from collections.abc import Iterable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from quantum.circuit import (
    Angle,
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Operation,
    Parameter,
    PauliString,
    Transform,
)

Matrix = NDArray[np.complex128]
Row = NDArray[np.float64]

NOTHING: Row = np.empty(0)

_PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}
_ON_TARGET = {CliffordName.CNOT: "X", CliffordName.CY: "Y", CliffordName.CZ: "Z"}
_SWAP = np.eye(4, dtype=complex)[[0, 2, 1, 3]]
_GATES = {
    **{CliffordName(p): matrix for p, matrix in _PAULIS.items()},
    **{
        name: np.block([[np.eye(2), np.zeros((2, 2))], [np.zeros((2, 2)), _PAULIS[p]]])
        for name, p in _ON_TARGET.items()
    },
    CliffordName.H: (_PAULIS["X"] + _PAULIS["Z"]) / math.sqrt(2),
    CliffordName.S: np.diag([1, 1j]),
    CliffordName.S_DAGGER: np.diag([1, -1j]),
    CliffordName.SX: np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    CliffordName.SWAP: _SWAP,
    CliffordName.ISWAP: np.diag([1, 1j, 1j, 1]) @ _SWAP,
}


def string_matrix(string: PauliString, qubits: int) -> Matrix:
    """The Kronecker product; wire 0 is the first factor."""
    letter = dict(zip(string.wires, string.letters, strict=True))
    factors = [_PAULIS[letter[w]] if w in letter else np.eye(2) for w in range(qubits)]
    return reduce(np.kron, factors)


def operation_matrix(
    operation: Operation, qubits: int, inputs: Row = NOTHING, parameters: Row = NOTHING
) -> Matrix:
    if isinstance(operation, Clifford):
        return _spread(_GATES[operation.name], operation.wires, qubits)
    half = angle_value(operation.angle, inputs, parameters) / 2
    pauli = string_matrix(operation.pauli, qubits)
    return math.cos(half) * np.eye(2**qubits) - 1j * math.sin(half) * pauli


def product_matrix(
    operations: Iterable[Operation],
    qubits: int,
    inputs: Row = NOTHING,
    parameters: Row = NOTHING,
) -> Matrix:
    """The operations one after another."""
    matrices = (operation_matrix(o, qubits, inputs, parameters) for o in operations)
    return reduce(lambda before, gate: gate @ before, matrices, np.eye(2**qubits, dtype=complex))


def expectations(circuit: Circuit, inputs: Row, parameters: Row) -> Row:
    """The outputs of a circuit for one sample."""
    state = product_matrix(circuit.operations, circuit.qubits, inputs, parameters)[:, 0]
    observables = (string_matrix(o, circuit.qubits) for o in circuit.observables)
    return np.array([(state.conj() @ o @ state).real for o in observables])


def angle_value(angle: Angle, inputs: Row, parameters: Row) -> float:
    functions = {
        Transform.IDENTITY: lambda x: x,
        Transform.ARCTAN: math.atan,
        Transform.ARCTAN_SQUARE: lambda x: math.atan(x**2),
        Transform.ARCCOS: math.acos,
    }
    match angle:
        case Input(index, scale, transform):
            return scale * functions[transform](float(inputs[index]))
        case Parameter(index, scale):
            return scale * float(parameters[index])
        case Constant(value):
            return value


def equal_up_to_phase(one: Matrix, other: Matrix, tolerance: float = 1e-12) -> bool:
    """Whether two unitaries are the same gate."""
    overlap = np.trace(one.conj().T @ other)
    return bool(np.allclose(one * overlap / abs(overlap), other, atol=tolerance, rtol=0))


def _spread(gate: Matrix, wires: tuple[int, ...], qubits: int) -> Matrix:
    """The matrix on all wires of a gate on some: basis state by basis state."""
    whole = np.zeros((2**qubits, 2**qubits), dtype=complex)
    for column in range(2**qubits):
        bits = [column >> (qubits - 1 - w) & 1 for w in range(qubits)]
        inner = int("".join(str(bits[w]) for w in wires), 2)
        for outcome, amplitude in enumerate(gate[:, inner]):
            after = list(bits)
            for place, wire in enumerate(wires):
                after[wire] = outcome >> (len(wires) - 1 - place) & 1
            whole[int("".join(map(str, after)), 2), column] += amplitude
    return whole
