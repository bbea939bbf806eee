# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest

from quantum import gates
from quantum.circuit import (
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Parameter,
    PauliString,
    Rotation,
)
from quantum.errors import CircuitError

Z0 = PauliString("Z", (0,))


def two_qubits(operation: Rotation | Clifford, observable: PauliString = Z0) -> Circuit:
    return Circuit(2, (), (operation,), (observable,), "pair")


BROKEN: dict[str, tuple[Callable[[], object], str]] = {
    "a letter that is no Pauli matrix": (
        lambda: PauliString("XI", (0, 1)),
        "Pauli string 'XI' on wires (0, 1): one letter of XYZ for each wire",
    ),
    "fewer letters than wires": (
        lambda: PauliString("X", (0, 1)),
        "Pauli string 'X' on wires (0, 1): one letter of XYZ for each wire",
    ),
    "no letters": (
        lambda: PauliString("", ()),
        "Pauli string '' on wires (): one letter of XYZ for each wire",
    ),
    "a wire twice": (
        lambda: PauliString("XY", (1, 1)),
        "Pauli string 'XY' names a wire twice: (1, 1)",
    ),
    "a gate with too many wires": (
        lambda: Clifford(CliffordName.H, (0, 1)),
        "H acts on 1 different wires; got (0, 1)",
    ),
    "a gate with too few wires": (
        lambda: Clifford(CliffordName.ISWAP, (0,)),
        "ISWAP acts on 2 different wires; got (0,)",
    ),
    "a gate with a wire twice": (
        lambda: Clifford(CliffordName.CNOT, (1, 1)),
        "CNOT acts on 2 different wires; got (1, 1)",
    ),
    "no qubits": (
        lambda: Circuit(0, (), (), (Z0,), "empty"),
        "empty: qubits is 0; allowed: 1 or more",
    ),
    "nothing measured": (lambda: Circuit(1, (), (), ()), "circuit: at least one observable"),
    "a rotation on a wire that does not exist": (
        lambda: two_qubits(Rotation(PauliString("XZ", (0, 2)), Constant(1.0))),
        "pair: the rotation about X0 Z2 acts on wire 2, but the wires are 0 to 1",
    ),
    "a gate on a wire that does not exist": (
        lambda: two_qubits(Clifford(CliffordName.S_DAGGER, (-1,))),
        "pair: S† acts on wire -1, but the wires are 0 to 1",
    ),
    "an observable on a wire that does not exist": (
        lambda: two_qubits(Clifford(CliffordName.H, (0,)), PauliString("Y", (5,))),
        "pair: the observable Y5 acts on wire 5, but the wires are 0 to 1",
    ),
    "a negative feature": (
        lambda: two_qubits(Rotation(Z0, Input(-1))),
        "has a negative index",
    ),
    "a negative parameter": (
        lambda: two_qubits(Rotation(Z0, Parameter(-3))),
        "pair: Parameter(index=-3, scale=1.0) has a negative index",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_is_refused_by_name(case: str) -> None:
    build, message = BROKEN[case]
    with pytest.raises(CircuitError) as caught:
        build()
    assert message in str(caught.value)


def test_a_circuit_error_is_a_value_error() -> None:
    assert issubclass(CircuitError, ValueError)


def test_columns_are_counted_up_to_the_highest_index() -> None:
    circuit = Circuit(
        2,
        gates.rx(Input(2), 0) + gates.rx(Input(0), 1),
        gates.ry(Parameter(4), 0) + gates.ry(Constant(1.0), 1) + gates.clifford("CZ", 0, 1),
        (Z0,),
    )
    assert (circuit.num_features, circuit.num_parameters) == (3, 5)
    assert circuit.angles == (Input(2), Input(0), Parameter(4), Constant(1.0))
    assert circuit.operations == circuit.encoding + circuit.ansatz
    bare = Circuit(1, (), (), (Z0,))
    assert (bare.num_features, bare.num_parameters) == (0, 0)


def test_a_string_is_written_letter_by_wire() -> None:
    assert str(PauliString("XZ", (3, 0))) == "X3 Z0"


def test_circuits_of_the_same_content_are_one_key() -> None:
    def build(scale: float) -> Circuit:
        return Circuit(1, gates.rx(Input(0, scale), 0), (), (Z0,))

    assert {build(1.0): "a"}[build(1.0)] == "a"
    assert build(1.0) != build(2.0)


@pytest.mark.parametrize("name", CliffordName)
def test_every_clifford_says_how_many_wires_it_has(name: CliffordName) -> None:
    assert name.num_wires in (1, 2)
    Clifford(name, tuple(range(name.num_wires)))
    with pytest.raises(CircuitError, match=f"acts on {name.num_wires} different wires"):
        Clifford(name, (0, 1, 2))
