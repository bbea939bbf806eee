# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantum import ansatz, circuits, encodings
from quantum.circuit import (
    Circuit,
    Clifford,
    CliffordName,
    Input,
    Parameter,
    PauliString,
    Rotation,
    Transform,
)
from quantum.engines.reference import ReferenceEngine
from quantum.errors import CircuitError
from quantum.gates import Operations
from quantum.program import make_program
from tests.quantum.matrices import Matrix, Row, equal_up_to_phase, product_matrix

sizes = given(qubits=st.integers(1, 4), layers=st.integers(1, 4))


def weights(*shape: int) -> Row:
    return np.random.default_rng(0).uniform(-4, 4, shape)


def pairs(operations: Operations, name: CliffordName) -> list[tuple[int, ...]]:
    return [o.wires for o in operations if isinstance(o, Clifford) and o.name is name]


def theirs(qubits: int, build: Callable[[], object]) -> Matrix:
    """The matrix of what a function queues in PennyLane."""
    tape = qml.tape.make_qscript(build)()
    if not tape.operations:
        return np.eye(2**qubits, dtype=complex)
    return np.asarray(qml.matrix(tape, wire_order=range(qubits)))


def same(operations: Operations, qubits: int, w: Row, build: Callable[[], object]) -> bool:
    ours = product_matrix(operations, qubits, parameters=w.flatten())
    return equal_up_to_phase(ours, theirs(qubits, build), tolerance=1e-10)


# Ansatzes: the natural tensor, flattened in C order, is what PennyLane's loop reads.


@sizes
def test_strongly_entangling_is_pennylanes_template(qubits: int, layers: int) -> None:
    w = weights(layers, qubits, 3)
    operations = ansatz.strongly_entangling(qubits, layers)
    assert same(operations, qubits, w, lambda: qml.StronglyEntanglingLayers(w, range(qubits)))


@sizes
def test_hardware_efficient_is_the_loop_of_the_paper(qubits: int, layers: int) -> None:
    w = weights(layers, qubits, 2)

    def build() -> None:
        for layer in w:
            for q in range(qubits):
                qml.RY(layer[q, 0], q)
                qml.RZ(layer[q, 1], q)
            for q in range(qubits - 1):
                qml.CNOT([q, q + 1])

    operations = ansatz.hardware_efficient(qubits, layers)
    assert same(operations, qubits, w, build)
    assert len({o.angle for o in operations if isinstance(o, Rotation)}) == 2 * layers * qubits


@sizes
def test_brick_is_the_loop_of_qfwp(qubits: int, layers: int) -> None:
    w = weights(layers, qubits)

    def build() -> None:
        for layer in w:
            for start in (0, 1):
                for q in range(start, qubits - 1, 2):
                    qml.CNOT([q, q + 1])
            for q in range(qubits):
                qml.RY(layer[q], q)

    assert same(ansatz.brick(qubits, layers), qubits, w, build)


@sizes
def test_near_and_far_is_the_loop_of_qlstm(qubits: int, layers: int) -> None:
    w = weights(layers, qubits, 3)

    def build() -> None:
        for layer in w:
            for distance in (1, 2):
                for q in range(qubits):
                    if distance % qubits:
                        qml.CNOT([q, (q + distance) % qubits])
            for q in range(qubits):
                qml.Rot(*layer[q], wires=q)

    assert same(ansatz.near_and_far(qubits, layers), qubits, w, build)


@given(qubits=st.integers(3, 4), layers=st.integers(1, 3))
def test_rot_cz_ring_is_the_loop_of_the_prototype(qubits: int, layers: int) -> None:
    w = weights(layers, qubits, 3)

    def build() -> None:
        for layer in w:
            for q in range(qubits):
                qml.Rot(*layer[q], wires=q)
            for q in range(qubits):
                qml.CZ([q, (q + 1) % qubits])

    assert same(ansatz.rot_cz_ring(qubits, layers), qubits, w, build)


@pytest.mark.parametrize(
    ("qubits", "expected"), [(1, []), (2, [(0, 1)]), (3, [(0, 1), (1, 2), (2, 0)])]
)
def test_a_ring_closes_from_three_qubits_on(qubits: int, expected: list[tuple[int, int]]) -> None:
    # A second CZ of the same two qubits would undo the first.
    assert pairs(ansatz.rot_cz_ring(qubits, 1), CliffordName.CZ) == expected
    ring = ansatz.hardware_efficient(qubits, 1, "ring")
    assert pairs(ring, CliffordName.CNOT) == expected


@pytest.mark.parametrize(
    "build",
    [
        ansatz.hardware_efficient,
        ansatz.rot_cz_ring,
        ansatz.brick,
        ansatz.near_and_far,
        ansatz.strongly_entangling,
    ],
)
def test_parts_can_be_put_one_after_another(build: Callable[..., Operations]) -> None:
    def used(operations: Operations) -> list[int]:
        angles = [o.angle for o in operations if isinstance(o, Rotation)]
        return [a.index for a in angles if isinstance(a, Parameter)]

    first = build(3, 2)
    second = build(3, 2, first_parameter=len(used(first)))
    assert used(first + second) == list(range(2 * len(used(first))))
    with pytest.raises(CircuitError, match="an ansatz of 0 layers on 3 qubits: both must be 1"):
        build(3, 0)
    with pytest.raises(CircuitError, match="an ansatz of 2 layers on 0 qubits: both must be 1"):
        build(0, 2)


# Encodings.


def angles_of(operations: Operations) -> list[tuple[str, tuple[int, ...], object]]:
    turns = [o for o in operations if isinstance(o, Rotation)]
    return [(o.pauli.letters, o.wires, o.angle) for o in turns]


@pytest.mark.parametrize(
    ("letter", "build"), [("X", encodings.product_map), ("Y", encodings.ry_encoding)]
)
def test_angle_encodings_are_pennylanes(
    letter: str, build: Callable[[int, int], Operations]
) -> None:
    x = weights(2)
    ours = product_matrix(build(3, 2), 3, inputs=x)
    embedding = theirs(3, lambda: qml.AngleEmbedding(x, range(2), rotation=letter))
    assert equal_up_to_phase(ours, embedding)


def test_hadamards_stand_on_every_qubit_and_features_on_the_first_ones() -> None:
    qfwp = encodings.hadamard_ry(3, 1)
    assert pairs(qfwp, CliffordName.H) == [(0,), (1,), (2,)]
    assert angles_of(qfwp) == [("Y", (0,), Input(0))]
    assert angles_of(encodings.hadamard_arctan(2, 2)) == [
        ("Y", (0,), Input(0, 1.0, Transform.ARCTAN)),
        ("Z", (0,), Input(0, 1.0, Transform.ARCTAN_SQUARE)),
        ("Y", (1,), Input(1, 1.0, Transform.ARCTAN)),
        ("Z", (1,), Input(1, 1.0, Transform.ARCTAN_SQUARE)),
    ]
    assert encodings.ry_encoding(2, 1, Transform.ARCTAN)[0] == Rotation(
        PauliString("Y", (0,)), Input(0, 1.0, Transform.ARCTAN)
    )


def test_a_fourier_tower_has_powers_of_its_base_on_the_qubits_of_each_feature() -> None:
    tower = encodings.fourier_tower(2, 3, base=5, gamma=0.5)
    assert angles_of(tower) == [
        ("X", (3 * j + k,), Input(j, 0.5 * 5**k)) for j in range(2) for k in range(3)
    ]
    default = encodings.fourier_tower(1, 2)
    assert angles_of(default)[1][2] == Input(0, 10 * np.pi)


def test_a_chebyshev_tower_measures_chebyshev_polynomials() -> None:
    tower = Circuit(6, encodings.chebyshev_tower(2, 3), (), circuits.z_each(range(6)))
    x = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    outputs = ReferenceEngine(tower)(x, x.new_empty(0)).reshape(5, 2, 3)
    polynomials = torch.stack([x, 2 * x**2 - 1, 4 * x**3 - 3 * x], dim=2)
    torch.testing.assert_close(outputs, polynomials)
    scaled = encodings.chebyshev_tower(1, 2, alpha=0.5)
    assert angles_of(scaled)[1][2] == Input(0, 1.0, Transform.ARCCOS)


@pytest.mark.parametrize(
    "build",
    [
        encodings.product_map,
        encodings.ry_encoding,
        encodings.hadamard_ry,
        encodings.hadamard_arctan,
    ],
)
def test_more_features_than_qubits_are_refused_with_both_numbers(
    build: Callable[[int, int], Operations],
) -> None:
    with pytest.raises(CircuitError, match=r"5 features on 4 qubits.* takes 1 feature to 4"):
        build(4, 5)
    with pytest.raises(CircuitError, match="0 features on 4 qubits"):
        build(4, 0)


@pytest.mark.parametrize("build", [encodings.fourier_tower, encodings.chebyshev_tower])
def test_a_tower_of_nothing_is_refused(build: Callable[[int, int], Operations]) -> None:
    with pytest.raises(CircuitError, match="a tower of 0 features with 2 qubits each"):
        build(0, 2)
    with pytest.raises(CircuitError, match="a tower of 2 features with 0 qubits each"):
        build(2, 0)


# The circuits of the papers.


@pytest.mark.parametrize(
    ("circuit", "qubits", "features", "parameters", "outputs"),
    [
        (circuits.qfwp(), 8, 1, 16, 4),
        (circuits.qlstm_gate(), 4, 4, 24, 4),
        (circuits.qlstm_gate(layers=4), 4, 4, 48, 4),
        (circuits.qlstm_modern_gate(), 6, 6, 30, 5),
        (circuits.privacy(1, 3, 10), 3, 1, 60, 1),
        (circuits.privacy(2, 2, 10, "ring"), 4, 2, 80, 1),
        (circuits.privacy_rot_ring(), 4, 1, 252, 1),
        (circuits.privacy_rot_ring(2, 4, 100), 8, 2, 2400, 1),
    ],
    ids=lambda value: value.name if isinstance(value, Circuit) else "",
)
def test_sizes_are_those_of_the_papers(
    circuit: Circuit, qubits: int, features: int, parameters: int, outputs: int
) -> None:
    assert circuit.qubits == qubits
    assert circuit.num_features == features
    assert circuit.num_parameters == parameters
    assert len(circuit.observables) == outputs


def test_qfwp_with_its_angles_at_zero_is_what_one_computes_by_hand() -> None:
    # On |+> the CNOTs do nothing: qubit 0 carries -sin x, or its product with |+>, whose Z is 0.
    outputs = ReferenceEngine(circuits.qfwp(qubits=2, layers=1, measured=2))(
        torch.tensor([[0.3]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    )
    np.testing.assert_allclose(outputs.numpy(), [[-np.sin(0.3), 0.0]], atol=1e-12)


def test_the_privacy_circuit_has_the_dead_parameters_that_were_counted_elsewhere() -> None:
    # 4 of three qubits, 7 of four: all RZ of the last layer, and RY that the parity never meets.
    assert len(make_program(circuits.privacy(1, 3)).dead_parameters) == 4
    assert len(make_program(circuits.privacy(1, 4)).dead_parameters) == 7


def test_more_measured_qubits_than_there_are_is_refused() -> None:
    with pytest.raises(CircuitError, match="5 measured qubits of 4: allowed are 1 to 4"):
        circuits.qfwp(qubits=4, measured=5)
    with pytest.raises(CircuitError, match="0 measured qubits of 4"):
        circuits.qlstm_gate(measured=0)


def test_circuits_are_values() -> None:
    assert circuits.qfwp() == circuits.qfwp()
    assert hash(circuits.qfwp()) == hash(circuits.qfwp())
    assert circuits.qfwp() != circuits.qfwp(layers=3)
