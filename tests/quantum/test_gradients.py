# SPDX-License-Identifier: Apache-2.0
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum import parameter_shift as rule
from quantum.circuit import Circuit, Constant, Input, Parameter, PauliString, Rotation, Transform
from quantum.circuits import privacy_rot_ring, qfwp
from quantum.engines import make_engine
from quantum.errors import CircuitError
from quantum.gradients import (
    GradientMethod,
    gradient_engine,
    jacobian,
    pull_back,
    value_and_gradient,
)
from quantum.parameter_shift import ShiftEngine, parameter_shift
from quantum.unshared import RotationAngles, live_rotations, unshare
from tests.quantum.matrices import angle_value
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit

ALL = tuple(GradientMethod)
Tensors = tuple[torch.Tensor, ...]


def assert_close(one: Tensors, other: Tensors, tolerance: float = 1e-10) -> None:
    for left, right in zip(one, other, strict=True):
        assert left.shape == right.shape
        assert left.dtype == right.dtype
        torch.testing.assert_close(left, right, rtol=0, atol=tolerance)


def cotangents_for(circuit: Circuit, inputs: torch.Tensor, seed: int = 3) -> torch.Tensor:
    shape = len(inputs), len(circuit.observables)
    return torch.randn(shape, dtype=inputs.dtype, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60)
@given(circuits(transforms=tuple(Transform)), st.booleans(), st.integers(1, 4))
def test_all_methods_agree_on_random_circuits(circuit: Circuit, shared: bool, batch: int) -> None:
    rng = np.random.default_rng(batch)
    inputs, parameters = random_arguments(rng, circuit, batch, shared=shared)
    cotangents = cotangents_for(circuit, inputs)
    adjoint, *others = (
        value_and_gradient(circuit, inputs, parameters, cotangents, method) for method in ALL
    )
    for other in others:
        assert_close(adjoint, other)
    _, by_inputs, by_parameters = adjoint
    assert by_inputs.shape == inputs.shape
    assert by_parameters.shape == parameters.shape


@pytest.mark.parametrize("circuit", [qfwp(4, 2), privacy_rot_ring(1, 2, 4)], ids=lambda c: c.name)
def test_all_methods_agree_on_the_circuits_of_the_papers(circuit: Circuit) -> None:
    arguments = random_arguments(np.random.default_rng(1), circuit, 5, shared=False)
    cotangents = cotangents_for(circuit, arguments[0])
    adjoint, *others = (value_and_gradient(circuit, *arguments, cotangents, m) for m in ALL)
    for other in others:
        assert_close(adjoint, other)


@pytest.mark.parametrize("method", ALL)
def test_float32_stays_float32(method: GradientMethod) -> None:
    circuit = random_circuit(np.random.default_rng(8), 3, 14)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 3)
    cotangents = cotangents_for(circuit, inputs)
    exact = value_and_gradient(circuit, inputs, parameters, cotangents, method)
    single = value_and_gradient(
        circuit, inputs.float(), parameters.float(), cotangents.float(), method
    )
    assert_close(single, tuple(t.float() for t in exact), tolerance=1e-5)


@pytest.mark.parametrize("method", ALL)
def test_second_derivatives_are_those_of_differences(method: GradientMethod) -> None:
    circuit = random_circuit(np.random.default_rng(5), 3, 12)
    assert circuit.num_features
    assert circuit.num_parameters
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 2)
    arguments = inputs.requires_grad_(), parameters.requires_grad_()
    assert torch.autograd.gradgradcheck(gradient_engine(circuit, method), arguments)


def test_parameter_shift_gives_third_derivatives() -> None:
    circuit = Circuit(
        1, (), (Rotation(PauliString("Y", (0,)), Parameter(0, 2.0)),), (PauliString("Z", (0,)),)
    )
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    inputs = torch.zeros(1, 0, dtype=torch.float64)
    slope = ShiftEngine(circuit)(inputs, angle).sum()
    for _ in range(3):
        (slope,) = torch.autograd.grad(slope.sum(), angle, create_graph=True)
    torch.testing.assert_close(slope, 8 * torch.sin(2 * angle))


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("shared", [True, False])
def test_the_jacobian_is_all_gradients_at_once(method: GradientMethod, shared: bool) -> None:
    circuit = random_circuit(np.random.default_rng(11), 4, 15)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 3, shared=shared)
    engine = gradient_engine(circuit, method)
    by_inputs, by_parameters = jacobian(engine, inputs, parameters)
    assert by_inputs.shape == (3, len(circuit.observables), circuit.num_features)
    assert by_parameters.shape == (3, len(circuit.observables), circuit.num_parameters)
    cotangents = cotangents_for(circuit, inputs)
    _, *gradients = pull_back(engine, inputs, parameters, cotangents)
    each = torch.einsum("bmp,bm->bp", by_parameters, cotangents)
    expected = (
        torch.einsum("bmf,bm->bf", by_inputs, cotangents),
        each.sum(0) if shared else each,
    )
    assert_close(tuple(gradients), expected)


def test_the_batch_limit_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = random_circuit(np.random.default_rng(2), 3, 20)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 3)
    cotangents = cotangents_for(circuit, inputs)
    whole = pull_back(ShiftEngine(circuit), inputs, parameters, cotangents)
    sizes = []

    class Counting:
        def __init__(self, circuit: Circuit) -> None:
            self.circuit, self._engine = circuit, make_engine(circuit)
            self.name = self._engine.name

        def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
            sizes.append(len(inputs))
            return self._engine(inputs, parameters)

    monkeypatch.setattr(rule, "MAX_BATCH", 12)
    parts = pull_back(ShiftEngine(circuit, Counting), inputs, parameters, cotangents)
    assert_close(whole, parts, tolerance=0)
    trained = [k for k in live_rotations(circuit) if not isinstance(circuit.angles[k], Constant)]
    assert max(sizes) <= 12
    assert sum(sizes) == 3 + 2 * 3 * len(trained)


def test_only_what_requires_a_gradient_is_shifted() -> None:
    circuit = qfwp(4, 2, 4)
    evaluated = []

    def evaluate(angles: torch.Tensor) -> torch.Tensor:
        evaluated.append(len(angles))
        return angles.sin()

    angles = torch.zeros(5, 3, dtype=torch.float64, requires_grad=True)
    outputs = parameter_shift(evaluate, angles, rotations=[0, 2])
    (gradient,) = torch.autograd.grad(outputs.sum(), angles)
    assert gradient.tolist() == [[1.0, 0.0, 1.0]] * 5
    assert evaluated == [5, 2 * 2 * 5]

    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 2)
    outputs = ShiftEngine(circuit)(inputs, parameters.requires_grad_())
    (gradient,) = torch.autograd.grad(outputs.sum(), parameters)
    expected = value_and_gradient(circuit, inputs, parameters, torch.ones_like(outputs))[2]
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-12)


@settings(max_examples=30)
@given(circuits(transforms=tuple(Transform)))
def test_the_unshared_circuit_at_the_angles_is_the_circuit(circuit: Circuit) -> None:
    inputs, parameters = random_arguments(np.random.default_rng(4), circuit, 2, shared=False)
    angles = RotationAngles(circuit)(inputs, parameters)
    for row in range(2):
        values = [angle_value(a, inputs[row].numpy(), parameters[row].numpy()) for a in
                  circuit.angles]  # fmt: skip
        np.testing.assert_allclose(angles[row].numpy(), values, rtol=0, atol=1e-14)
    alone = unshare(circuit)
    assert alone.num_features == 0
    assert alone.angles == tuple(map(Parameter, range(len(circuit.angles))))
    outputs = make_engine(alone)(inputs[:, :0], angles)
    torch.testing.assert_close(outputs, make_engine(circuit)(inputs, parameters))


def test_an_empty_batch_has_empty_gradients() -> None:
    circuit = qfwp(3, 1, 1, 3)
    inputs = torch.zeros(0, 1, dtype=torch.float64)
    parameters = torch.ones(3, dtype=torch.float64)
    for method in ALL:
        outputs, by_inputs, by_parameters = value_and_gradient(
            circuit, inputs, parameters, torch.zeros(0, 3, dtype=torch.float64), method
        )
        assert outputs.shape == (0, 3)
        assert by_inputs.shape == (0, 1)
        assert by_parameters.tolist() == [0.0] * 3


def test_bad_values_are_named() -> None:
    circuit = Circuit(
        1, (Rotation(PauliString("X", (0,)), Input(0, 1.0, Transform.ARCCOS)),), (),
        (PauliString("Z", (0,)),), "tiny",
    )  # fmt: skip
    inputs = torch.tensor([[0.0], [2.0]])
    nothing = torch.zeros(0)
    ones = torch.ones(2, 1)
    with pytest.raises(CircuitError, match="'finite-difference'; allowed: adjoint, backprop"):
        value_and_gradient(circuit, inputs, nothing, ones, "finite-difference")
    with pytest.raises(CircuitError, match=r"arccos.*not a finite angle for sample 1"):
        value_and_gradient(circuit, inputs, nothing, ones, "parameter-shift")
    with pytest.raises(CircuitError, match=r"shape \(1, 1\); expected that of the outputs, \(2,"):
        value_and_gradient(circuit, inputs / 4, nothing, ones[:1])
    with pytest.raises(CircuitError, match=r"inputs have shape \(2, 1\)"):
        value_and_gradient(qfwp(3, 1, 2, 3), inputs, nothing, ones, "parameter-shift")


def test_adjoint_is_refused_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compiled", "choose"):
        monkeypatch.setattr(f"quantum.engines.{module}.load_kernel", lambda: None)
    circuit = random_circuit(np.random.default_rng(99), 2, 5)
    with pytest.raises(CircuitError, match="no working C"):
        gradient_engine(circuit, "adjoint")
    assert isinstance(gradient_engine(circuit, "parameter-shift"), ShiftEngine)


def test_any_engine_can_evaluate_the_shifts() -> None:
    circuit = random_circuit(np.random.default_rng(6), 2, 8)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 2)
    cotangents = cotangents_for(circuit, inputs)
    expected = value_and_gradient(circuit, inputs, parameters, cotangents)
    reference = ShiftEngine(circuit, partial(make_engine, name="reference"))
    assert_close(pull_back(reference, inputs, parameters, cotangents), expected)
    assert reference.name == "reference"
