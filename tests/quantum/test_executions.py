# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from quantum.circuit import Circuit, Input, Parameter, PauliString, Rotation
from quantum.circuits import parity, privacy, qfwp, qlstm_gate, z_each
from quantum.errors import CircuitError
from quantum.executions import Executions, count_executions
from quantum.gradients import GradientMethod, gradient_engine, jacobian
from quantum.measurement import measurement_settings, product_of
from quantum.unshared import RotationAngles, unshare
from tests.quantum.matrices import Matrix, string_matrix
from tests.quantum.random_circuits import circuits, random_arguments


def strings(*names: str) -> tuple[PauliString, ...]:
    """``"ZIX"`` is Z on wire 0 and X on wire 2."""
    return tuple(
        PauliString(name.replace("I", ""), tuple(w for w, p in enumerate(name) if p != "I"))
        for name in names
    )


def test_quantum_fast_weights_cost_32_circuits_per_output() -> None:
    circuit = replace(qfwp(8, 2), observables=z_each([0]))
    assert count_executions(circuit, dead=True) == Executions(1, 32, 1, None)
    trainable = replace(qfwp(8, 2, features=8), observables=z_each([0]))
    assert count_executions(trainable, dead=True, inputs=True).gradient == 32 + 2 * 8


def test_a_step_of_the_quantum_lstm_costs_384_circuits() -> None:
    six = count_executions(qlstm_gate(4, 2), batch=6, inputs=True, dead=True)
    # Each feature is encoded twice: 24 + 8 rotations.
    assert six.gradient == 6 * 2 * (24 + 8) == 384
    window = count_executions(qlstm_gate(4, 2), batch=6 * 4, inputs=True, dead=True)
    assert window.gradient == 1536


def test_dead_rotations_need_no_execution() -> None:
    # The bricks of CNOTs bring 10 of the 16 angles to the 4 measured qubits, 3 to the first one.
    assert count_executions(qfwp(8, 2)).gradient == 2 * 10
    assert count_executions(replace(qfwp(8, 2), observables=z_each([0]))).gradient == 2 * 3
    # The RZ of the last Rot on every qubit turns about the measured axis.
    assert count_executions(qlstm_gate(4, 2), inputs=True).gradient == 2 * (24 - 4 + 8)


@pytest.mark.parametrize(("qubits", "dead"), [(3, 4), (4, 7)])
def test_the_dead_parameters_of_the_privacy_circuit_are_those_measured_before(
    qubits: int, dead: int
) -> None:
    circuit = privacy(1, qubits, 10)
    assert count_executions(circuit).gradient == 2 * (circuit.num_parameters - dead)


@settings(max_examples=25)
@given(circuits(max_qubits=4))
def test_what_is_not_counted_has_no_slope(circuit: Circuit) -> None:
    arguments = random_arguments(np.random.default_rng(3), circuit, 4, shared=False)
    angles = RotationAngles(circuit)(*arguments)
    _, slopes = jacobian(gradient_engine(unshare(circuit), "adjoint"), angles[:, :0], angles)
    read = [isinstance(angle, Input | Parameter) for angle in circuit.angles]
    steep = (slopes.abs() > 1e-12).any(0)[:, read]
    # More may be counted: where several paths cancel.
    counted = count_executions(circuit, inputs=True, joint=False).gradient
    assert counted is not None
    assert counted >= 2 * int(steep.sum())


def test_the_light_cone_of_every_setting_is_its_own() -> None:
    x, z = strings("XI", "IZ")
    turns = tuple(
        Rotation(PauliString("Y", (wire,)), Parameter(index))
        for index, wire in enumerate([0, 1, 1])
    )
    circuit = Circuit(2, (), turns, (x, z, PauliString("X", (1,))))
    # X0 and Z1 share a setting with three turns before it; X1 needs another one, with two.
    assert count_executions(circuit) == Executions(2, 2 * (3 + 2), 2, None)


def test_shots_multiply_executions() -> None:
    counted = count_executions(privacy(1, 2, 3), batch=8, shots=1000, dead=True)
    assert counted == Executions(8, 8 * 2 * 12, 1, 1000)
    assert counted.total == 8 * 25
    assert counted.total_shots == 8 * 25 * 1000
    assert count_executions(qfwp()).total_shots is None


def test_observables_with_shots_of_their_own_cost_more() -> None:
    circuit = qfwp(4, 1)
    assert count_executions(circuit).settings == 1
    apart = count_executions(circuit, joint=False, dead=True)
    assert apart == Executions(4, 4 * 2 * 4, 4, None)


@pytest.mark.parametrize("method", [GradientMethod.ADJOINT, GradientMethod.BACKPROP])
def test_simulator_methods_have_no_price(method: GradientMethod) -> None:
    counted = count_executions(qfwp(), method=method, shots=10)
    assert counted == Executions(1, None, 1, 10)
    assert counted.total is None
    assert counted.total_shots is None


@pytest.mark.parametrize("arguments", [{"batch": -1}, {"shots": 0}])
def test_bad_values_are_named(arguments: dict[str, int]) -> None:
    ((name, value),) = arguments.items()
    with pytest.raises(CircuitError, match=f"{name} is {value}; allowed: "):
        count_executions(qfwp(), **arguments)  # type: ignore[arg-type]


def test_commuting_strings_share_a_setting() -> None:
    observables = strings("ZZI", "XII", "IZZ", "IXX", "XIZ", "IIX")
    assert measurement_settings(observables) == ((0, 2), (1, 3, 5), (4,))
    assert measurement_settings(observables, joint=False) == tuple((k,) for k in range(6))
    assert measurement_settings(z_each(range(8)) + parity(8)) == (tuple(range(9)),)


@settings(max_examples=25)
@given(circuits(max_operations=0))
def test_strings_of_one_setting_commute_and_multiply_as_matrices(circuit: Circuit) -> None:
    def matrix(string: PauliString | None) -> Matrix:
        identity: Matrix = np.eye(2**circuit.qubits, dtype=complex)
        return string_matrix(string, circuit.qubits) if string else identity

    for setting in measurement_settings(circuit.observables):
        for pair in combinations([circuit.observables[k] for k in setting], 2):
            left, right = map(matrix, pair)
            np.testing.assert_allclose(left @ right, matrix(product_of(pair)), atol=1e-15)
            np.testing.assert_allclose(right @ left, matrix(product_of(pair)), atol=1e-15)


def test_a_string_times_itself_is_the_identity() -> None:
    assert product_of(strings("ZX", "ZX")) is None
    assert product_of([]) is None
