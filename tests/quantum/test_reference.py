# SPDX-License-Identifier: Apache-2.0
import math
from typing import get_args

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.circuit import (
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Parameter,
    PauliString,
    Rotation,
    Transform,
)
from quantum.engines.interface import Engine, EngineName
from quantum.engines.reference import DiffMethod, ReferenceEngine, qnode
from quantum.errors import CircuitError
from tests.quantum.matrices import expectations
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit

few = settings(max_examples=25)
X0, Y0, Z0 = (PauliString(letter, (0,)) for letter in "XYZ")


def one_turn(angle: Constant | Input | Parameter) -> Circuit:
    """The cosine of the angle."""
    return Circuit(1, (), (Rotation(Y0, angle),), (Z0,), "one turn")


def smooth_circuit(seed: int) -> Circuit:
    return random_circuit(np.random.default_rng(seed), qubits=3, num_operations=14)


@few
@given(circuits(transforms=tuple(Transform)), st.booleans(), st.integers(1, 3))
def test_the_outputs_are_those_of_dense_matrices(
    circuit: Circuit, shared: bool, batch: int
) -> None:
    inputs, parameters = random_arguments(np.random.default_rng(5), circuit, batch, shared=shared)
    outputs = ReferenceEngine(circuit)(inputs, parameters)
    assert outputs.shape == (batch, len(circuit.observables))
    for row, sets in zip(
        range(batch), parameters.expand(batch, circuit.num_parameters), strict=True
    ):
        expected = expectations(circuit, inputs[row].numpy(), sets.numpy())
        np.testing.assert_allclose(outputs[row].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_backprop_adjoint_and_parameter_shift_give_the_same_gradient(
    seed: int, shared: bool
) -> None:
    circuit = smooth_circuit(seed)
    arguments = random_arguments(np.random.default_rng(seed), circuit, 2, shared=shared)
    leaves = tuple(a.requires_grad_() for a in arguments)
    gradients = [
        torch.autograd.grad(ReferenceEngine(circuit, m)(*leaves).square().sum(), leaves)
        for m in get_args(DiffMethod)
    ]
    for other in gradients[1:]:
        for expected, found in zip(gradients[0], other, strict=True):
            torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    assert all(g.abs().max() > 0.01 for g in gradients[0])


def second_derivative(method: DiffMethod) -> float:
    """Of the cosine's square, at 0.3; the truth is -2 cos(0.6)."""
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    output = ReferenceEngine(one_turn(Parameter(0)), method)(angle.new_zeros(1, 0), angle)
    (slope,) = torch.autograd.grad(output.square().sum(), angle, create_graph=True)
    return float(torch.autograd.grad(slope.sum(), angle)[0])


@pytest.mark.parametrize("method", ["backprop", "parameter-shift"])
def test_second_derivatives_are_right(method: DiffMethod) -> None:
    assert second_derivative(method) == pytest.approx(-2 * math.cos(0.6), abs=1e-12)


def test_second_derivatives_of_pennylanes_adjoint_are_wrong_without_an_error() -> None:
    # Its Jacobian is a constant to torch: of -2 cos sin only the first factor is differentiated.
    assert second_derivative("adjoint") == pytest.approx(2 * math.sin(0.3) ** 2, abs=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_backprop_passes_torchs_own_check_of_second_derivatives(shared: bool) -> None:
    circuit = smooth_circuit(4)
    arguments = random_arguments(np.random.default_rng(4), circuit, 2, shared=shared)
    leaves = tuple(a.requires_grad_() for a in arguments)
    assert torch.autograd.gradgradcheck(ReferenceEngine(circuit), leaves, atol=1e-6)


@pytest.mark.parametrize("method", get_args(DiffMethod))
def test_without_inputs_or_parameters_every_row_is_the_same(method: DiffMethod) -> None:
    constant = ReferenceEngine(one_turn(Constant(0.3)), method)
    nothing = torch.empty(3, 0, dtype=torch.float64)
    expected = torch.full((3, 1), math.cos(0.3), dtype=torch.float64)
    torch.testing.assert_close(constant(nothing, nothing[0]), expected)
    bare = ReferenceEngine(Circuit(2, (), (), (Z0, X0)), method)
    assert bare(nothing, nothing).tolist() == [[1.0, 0.0]] * 3


def test_float32_comes_back_as_float32_and_loses_one_rounding_only() -> None:
    circuit = smooth_circuit(6)
    arguments = random_arguments(np.random.default_rng(6), circuit, 4, dtype=torch.float32)
    single = ReferenceEngine(circuit)(*arguments)
    double = ReferenceEngine(circuit)(*(a.double() for a in arguments))
    assert single.dtype is torch.float32
    assert torch.equal(single, double.float())


def test_an_empty_batch_gives_no_rows_and_no_gradient() -> None:
    parameters = torch.zeros(1, requires_grad=True)
    outputs = ReferenceEngine(one_turn(Parameter(0)))(torch.empty(0, 0), parameters)
    outputs.sum().backward()
    assert outputs.shape == (0, 1)
    assert parameters.grad is not None
    assert parameters.grad.tolist() == [0.0]


def test_it_is_an_engine() -> None:
    engine: Engine = ReferenceEngine(one_turn(Constant(0.0)))
    assert engine.name is EngineName.REFERENCE
    assert engine.circuit.name == "one turn"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_angle_that_is_not_finite_is_refused_by_name(value: float) -> None:
    engine = ReferenceEngine(one_turn(Parameter(0, 2.0)))
    with pytest.raises(CircuitError, match=r"one turn: Parameter\(index=0.* for sample 1"):
        engine(torch.empty(2, 0), torch.tensor([[0.0], [value]]))


def test_an_arccosine_outside_its_domain_is_refused() -> None:
    engine = ReferenceEngine(one_turn(Input(0, 1.0, Transform.ARCCOS)))
    assert engine(torch.tensor([[1.0]]), torch.empty(0)).item() == 1.0
    with pytest.raises(CircuitError, match=r"not a finite angle for sample 0"):
        engine(torch.tensor([[1.01]]), torch.empty(0))


def test_shapes_are_checked() -> None:
    with pytest.raises(CircuitError, match=r"inputs have shape \(2, 1\); expected \[batch, 0\]"):
        ReferenceEngine(one_turn(Parameter(0)))(torch.empty(2, 1), torch.empty(1))


def test_the_qnode_is_an_ordinary_one_that_takes_single_samples_too() -> None:
    circuit = Circuit(
        2,
        (Rotation(Y0, Input(0)), Clifford(CliffordName.CNOT, (0, 1))),
        (Rotation(PauliString("XX", (0, 1)), Parameter(0)),),
        (Z0, PauliString("ZZ", (0, 1))),
        "pair",
    )
    node = qnode(circuit)
    single = node(torch.tensor([0.5]), torch.tensor([0.2]))
    assert [o.shape for o in single] == [(), ()]
    assert node.__name__ == "pair"
    assert qml.specs(node)(torch.zeros(3, 1), torch.zeros(1))["resources"].num_gates == 3
