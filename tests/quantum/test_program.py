# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from quantum.circuit import (
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Operation,
    Parameter,
    PauliString,
    Rotation,
    Transform,
)
from quantum.program import NO_SOURCE, PlaneRotation, Program, SignedShift, make_program
from quantum.transforms import transform_columns
from tests.quantum.matrices import expectations
from tests.quantum.random_circuits import circuits, random_arguments

Vector = NDArray[np.float64]


def outputs(program: Program, sources: Vector) -> Vector:
    """The program, pair by pair, with nothing clever."""
    state = np.zeros(program.rows)
    state[0] = 1.0
    for rotation in program.rotations:
        half = angle(rotation, sources) / 2
        before = state.copy()
        for p, q in rotation.pairs():
            state[p] = np.cos(half) * before[p] - np.sin(half) * before[q]
            state[q] = np.cos(half) * before[q] + np.sin(half) * before[p]
    return np.array([expectation(o, state) for o in program.observables])


def angle(rotation: PlaneRotation, sources: Vector) -> float:
    if rotation.source == NO_SOURCE:
        return rotation.offset
    return rotation.scale * float(sources[rotation.source]) + rotation.offset


def expectation(observable: SignedShift | None, state: Vector) -> float:
    if observable is None:
        return 0.0
    rows = np.arange(len(state))
    return float(np.sum(observable.signs(rows) * state[observable.image(rows)] * state))


@given(circuits(transforms=tuple(Transform)))
def test_a_program_gives_the_expectations_of_its_circuit(circuit: Circuit) -> None:
    program = make_program(circuit)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    columns = transform_columns(program.columns, inputs)[0]
    found = outputs(program, np.concatenate([columns.numpy(), parameters.numpy()]))
    expected = expectations(circuit, inputs[0].numpy(), parameters.numpy())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@given(circuits())
def test_rotations_stay_within_their_active_rows(circuit: Circuit) -> None:
    program = make_program(circuit)
    sizes = [rotation.active for rotation in program.rotations]
    assert sizes == sorted(sizes)
    assert program.rows == max([1, *sizes])
    for rotation in program.rotations:
        assert sorted(rotation.pairs().reshape(-1)) == list(range(rotation.active))


@given(circuits())
def test_generators_are_antisymmetric_and_observables_symmetric(circuit: Circuit) -> None:
    program = make_program(circuit)
    for rotation in program.rotations:
        turn = matrix(rotation.generator, rotation.active)
        np.testing.assert_array_equal(turn.T, -turn)
        np.testing.assert_array_equal(turn @ turn, -np.eye(rotation.active))
    for observable in program.observables:
        if observable is not None:
            measured = matrix(observable, program.rows)
            np.testing.assert_array_equal(measured.T, measured)


def matrix(action: SignedShift, size: int) -> Vector:
    rows = np.arange(size)
    whole = np.zeros((size, size))
    whole[action.image(rows), rows] = action.signs(rows)
    return whole


def rotations(*strings: str, qubits: int) -> tuple[Operation, ...]:
    """One parameter after another about every string, on the first wires that it fits on."""
    places = [(s, w) for s in strings for w in range(qubits - len(s) + 1)]
    return tuple(
        Rotation(PauliString(s, tuple(range(w, w + len(s)))), Parameter(k))
        for k, (s, w) in enumerate(places)
    )


def ring(qubits: int) -> tuple[Operation, ...]:
    return tuple(Clifford(CliffordName.CNOT, (w, (w + 1) % qubits)) for w in range(qubits))


def hadamards(qubits: int) -> tuple[Operation, ...]:
    return tuple(Clifford(CliffordName.H, (w,)) for w in range(qubits))


def measure(letter: str, wires: range) -> tuple[PauliString, ...]:
    return tuple(PauliString(letter, (w,)) for w in wires)


@pytest.mark.parametrize(
    ("name", "encoding", "strings", "qubits", "rows"),
    [
        ("any circuit needs real and imaginary parts", (), ("Y", "X", "Z", "Y"), 4, 2**5),
        ("a real circuit has real parts only", (), ("Y", "Y"), 4, 2**4),
        ("as have Hadamards in front", hadamards(4), ("Y", "Y"), 4, 2**4),
        ("an RX of |0> has one part for every basis state", (), ("X",), 4, 2**4),
        ("a conserved parity halves the rows", (), ("XY", "YX", "XY"), 4, 2**3),
        ("Cliffords alone need no state at all", hadamards(4), (), 4, 1),
    ],
)
def test_rows(
    name: str, encoding: tuple[Operation, ...], strings: tuple[str, ...], qubits: int, rows: int
) -> None:
    turns = rotations(*strings, qubits=qubits)
    half = len(turns) // 2
    between = ring(qubits) if "parity" not in name and "RX" not in name else ()
    ansatz = (*turns[:half], *between, *turns[half:])
    circuit = Circuit(qubits, encoding, ansatz, measure("Z", range(qubits)), name)
    assert make_program(circuit).rows == rows


def test_untouched_qubits_cost_nothing() -> None:
    def program(qubits: int) -> Program:
        ansatz = rotations("Y", "X", "XX", qubits=2)
        return make_program(Circuit(qubits, (), ansatz, measure("Z", range(2))))

    assert program(200).rows == program(2).rows <= 2**3
    assert len(program(200).rotations) == len(program(2).rotations)


def test_what_no_output_depends_on_is_left_out() -> None:
    y = [PauliString("Y", (w,)) for w in range(3)]
    circuit = Circuit(
        3,
        (),
        (
            Rotation(PauliString("Z", (0,)), Parameter(0)),  # turns the phase of |0>
            Rotation(y[0], Parameter(1)),
            Rotation(PauliString("Z", (0,)), Parameter(2)),  # commutes with all that follows
            Rotation(y[1], Parameter(3)),  # on a wire that nobody measures
            Rotation(y[2], Constant(0.5)),
        ),
        (PauliString("Z", (0,)), PauliString("Z", (2,))),
    )
    program = make_program(circuit)
    assert program.dead_parameters == (0, 2, 3)
    assert program.num_parameters == 4
    assert program.rows == 4
    assert [r.source for r in program.rotations] == [1, NO_SOURCE]


def test_a_parameter_that_is_used_elsewhere_too_is_alive() -> None:
    turns = (
        Rotation(PauliString("Z", (0,)), Parameter(0)),
        Rotation(PauliString("Y", (0,)), Parameter(0)),
    )
    program = make_program(Circuit(1, (), turns, measure("Z", range(1))))
    assert program.dead_parameters == ()
    assert len(program.rotations) == 1


def test_observables_that_are_always_zero_are_known() -> None:
    ansatz = rotations("Y", qubits=2) + ring(2)
    strings = [PauliString("Y", (0,)), PauliString("X", (2,)), PauliString("X", (0,))]
    program = make_program(Circuit(3, (), ansatz, tuple(strings)))
    # Y of a real state, X of an untouched qubit; X of a rotated qubit is not zero.
    assert [o is None for o in program.observables] == [True, True, False]


def test_a_feature_that_is_transformed_alike_is_one_column() -> None:
    x = [Input(1, scale, how) for how in Transform for scale in (1.0, 2.0)]
    ansatz = tuple(Rotation(PauliString("Y", (0,)), angle) for angle in x)
    program = make_program(Circuit(1, (), ansatz, measure("Z", range(1))))
    assert program.columns == tuple((1, how) for how in Transform)
    assert [r.scale for r in program.rotations] == [1.0, 2.0] * len(Transform)
