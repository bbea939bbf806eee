# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum import excitations, gates
from quantum.circuit import (
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Parameter,
    Rotation,
    Transform,
)
from quantum.errors import CircuitError
from tests.quantum.matrices import equal_up_to_phase, operation_matrix, product_matrix
from tests.quantum.random_circuits import circuits, random_arguments


class Gate(NamedTuple):
    ours: Callable[..., gates.Operations]
    theirs: Callable[..., Any]
    angles: int
    wires: int


def _split(gate: Callable[..., Any], angles: int) -> Callable[..., Any]:
    """PennyLane's gates take a list of wires."""
    return lambda *a: gate(*a[:angles], wires=a[angles:])


def _clifford(name: str) -> Callable[..., gates.Operations]:
    return lambda *wires: gates.clifford(name, *wires)


GATES = {
    **{p: Gate(_clifford(p), getattr(qml, p), 0, 1) for p in ["X", "Y", "Z", "S", "SX"]},
    "H": Gate(_clifford("H"), qml.Hadamard, 0, 1),
    "S†": Gate(_clifford("S†"), lambda wires: qml.adjoint(qml.S(wires)), 0, 1),
    **{p: Gate(_clifford(p), getattr(qml, p), 0, 2) for p in ["CNOT", "CY", "CZ", "SWAP", "ISWAP"]},
    "T": Gate(gates.t, qml.T, 0, 1),
    "RX": Gate(gates.rx, qml.RX, 1, 1),
    "RY": Gate(gates.ry, qml.RY, 1, 1),
    "RZ": Gate(gates.rz, qml.RZ, 1, 1),
    "Rot": Gate(gates.rot, qml.Rot, 3, 1),
    "PhaseShift": Gate(gates.phase_shift, qml.PhaseShift, 1, 1),
    "U1": Gate(gates.u1, qml.U1, 1, 1),
    "U2": Gate(gates.u2, qml.U2, 2, 1),
    "U3": Gate(gates.u3, qml.U3, 3, 1),
    "IsingXX": Gate(gates.ising_xx, qml.IsingXX, 1, 2),
    "IsingYY": Gate(gates.ising_yy, qml.IsingYY, 1, 2),
    "IsingZZ": Gate(gates.ising_zz, qml.IsingZZ, 1, 2),
    "IsingXY": Gate(gates.ising_xy, qml.IsingXY, 1, 2),
    "SISWAP": Gate(gates.siswap, qml.SISWAP, 0, 2),
    "ECR": Gate(gates.ecr, qml.ECR, 0, 2),
    "PSWAP": Gate(gates.pswap, qml.PSWAP, 1, 2),
    "CRX": Gate(gates.crx, qml.CRX, 1, 2),
    "CRY": Gate(gates.cry, qml.CRY, 1, 2),
    "CRZ": Gate(gates.crz, qml.CRZ, 1, 2),
    "CRot": Gate(gates.crot, qml.CRot, 3, 2),
    "CH": Gate(gates.controlled_hadamard, qml.CH, 0, 2),
    "ControlledPhaseShift": Gate(gates.controlled_phase, qml.ControlledPhaseShift, 1, 2),
    **{
        f"CPhaseShift{bits}": Gate(
            lambda *a, bits=bits: gates.controlled_phase(*a, state=bits),
            getattr(qml, f"CPhaseShift{bits}"),
            1,
            2,
        )
        for bits in ["00", "01", "10"]
    },
    "MultiRZ": Gate(gates.multi_rz, qml.MultiRZ, 1, 3),
    "CCZ": Gate(gates.ccz, qml.CCZ, 0, 3),
    "Toffoli": Gate(gates.toffoli, qml.Toffoli, 0, 3),
    "CSWAP": Gate(gates.cswap, qml.CSWAP, 0, 3),
    "MultiControlledX": Gate(gates.multi_controlled_x, qml.MultiControlledX, 0, 4),
    "MultiControlledX(010)": Gate(
        lambda *wires: gates.multi_controlled_x(*wires, control_values="010"),
        lambda wires: qml.MultiControlledX(wires, control_values=[0, 1, 0]),
        0,
        4,
    ),
    "FermionicSWAP": Gate(excitations.fermionic_swap, qml.FermionicSWAP, 1, 2),
    "OrbitalRotation": Gate(excitations.orbital_rotation, qml.OrbitalRotation, 1, 4),
    **{
        f"{size}Excitation{suffix.title()}": Gate(
            lambda *a, ours=ours, suffix=suffix: ours(*a, others=suffix or "alone"),
            getattr(qml, f"{size}Excitation{suffix.title()}"),
            1,
            wires,
        )
        for size, ours, wires in [
            ("Single", excitations.single_excitation, 2),
            ("Double", excitations.double_excitation, 4),
        ]
        for suffix in ["", "plus", "minus"]
    },
}


@pytest.mark.parametrize("name", GATES)
def test_it_is_pennylanes_gate_up_to_a_global_phase_in_every_order_of_wires(name: str) -> None:
    gate = GATES[name]
    qubits = max(gate.wires, 3)
    rng = np.random.default_rng(len(name))
    for wires in permutations(range(qubits), gate.wires):
        values = rng.uniform(-7, 7, gate.angles)
        angles = [Parameter(k) for k in range(gate.angles)]
        ours = product_matrix(gate.ours(*angles, *wires), qubits, parameters=values)
        theirs = _split(gate.theirs, gate.angles)(*values, *wires)
        assert equal_up_to_phase(ours, qml.matrix(theirs, wire_order=range(qubits))), wires


@pytest.mark.parametrize("word", ["X", "IY", "ZIX", "YYXZ", "IIZI"])
def test_a_pauli_rotation_leaves_out_the_identities(word: str) -> None:
    wires = [3, 1, 0, 2][: len(word)]
    operations = gates.pauli_rotation(word, Constant(0.8), *wires)
    assert len(operations) == 1
    theirs = qml.matrix(qml.PauliRot(0.8, word, wires=wires), wire_order=range(4))
    np.testing.assert_allclose(product_matrix(operations, 4), theirs, atol=1e-15)


def test_a_rotation_by_the_identity_is_a_phase_and_vanishes() -> None:
    assert gates.pauli_rotation("II", Constant(0.8), 0, 1) == ()


@settings(max_examples=40)
@given(circuits(max_qubits=4))
def test_the_adjoint_undoes_everything(circuit: Circuit) -> None:
    inputs, parameters = (
        a.numpy().ravel() for a in random_arguments(np.random.default_rng(0), circuit, 1)
    )
    there_and_back = circuit.operations + gates.adjoint(circuit.operations)
    whole = product_matrix(there_and_back, circuit.qubits, inputs, parameters)
    assert equal_up_to_phase(whole, np.eye(2**circuit.qubits))


@pytest.mark.parametrize("name", CliffordName)
def test_every_clifford_has_its_adjoint(name: CliffordName) -> None:
    gate = Clifford(name, tuple(range(name.num_wires)))
    inverse = product_matrix(gates.adjoint((gate,)), 2)
    assert equal_up_to_phase(inverse, operation_matrix(gate, 2).conj().T)


def test_scaling_keeps_what_the_angle_reads() -> None:
    assert gates.scaled(Input(2, 3.0, Transform.ARCTAN), -0.5) == Input(2, -1.5, Transform.ARCTAN)
    assert gates.scaled(Parameter(1, 3.0), 2.0) == Parameter(1, 6.0)
    assert gates.scaled(Constant(3.0), 2.0) == Constant(6.0)


@given(st.sets(st.sampled_from(["00", "01", "10", "11"])), st.floats(-7, 7))
def test_a_phase_is_put_on_the_named_states_only(states: set[str], angle: float) -> None:
    expected = [np.exp(1j * angle) if f"{k:02b}" in states else 1.0 for k in range(4)]
    turns = gates.phase_on(sorted(states), Constant(angle), 0, 1)
    assert equal_up_to_phase(product_matrix(turns, 2), np.diag(expected))


def test_a_controlled_phase_is_three_rotations_by_half_the_angle() -> None:
    turns = gates.controlled_phase(Input(0, 4.0), 0, 1)
    assert [o.angle for o in turns if isinstance(o, Rotation)] == [
        Input(0, 2.0),
        Input(0, 2.0),
        Input(0, -2.0),
    ]


def test_unknown_names_and_wrong_numbers_of_wires_are_refused() -> None:
    with pytest.raises(ValueError, match="'T' is not a valid CliffordName"):
        gates.clifford("T", 0)
    with pytest.raises(CircuitError, match=r"CNOT acts on 2 different wires; got \(1,\)"):
        gates.clifford("CNOT", 1)
    with pytest.raises(
        CircuitError, match=r"'XY' on wires \(0,\): one letter of IXYZ for each wire"
    ):
        gates.pauli_rotation("XY", Constant(1.0), 0)
