# SPDX-License-Identifier: Apache-2.0
"""All engines are one function: values, derivatives, shapes, errors."""

import copy
import itertools
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.circuit import Circuit, Input, Parameter, PauliString, Rotation, Transform
from quantum.engines import Engine, EngineName, make_engine
from quantum.engines.reference import ReferenceEngine
from quantum.errors import CircuitError
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit

Tensors = tuple[torch.Tensor, ...]

OURS = (EngineName.COMPILED, EngineName.TORCH)
ALL = (*OURS, EngineName.REFERENCE)
VALUES = {torch.float64: 1e-12, torch.float32: 1e-6}
"""How far expectations may be from the reference. Derivatives may be as far for each unit of the
largest one of the circuit, which grows with the scales of angles and the uses of a parameter."""

every_engine = pytest.mark.parametrize("name", ALL)
our_engines = pytest.mark.parametrize("name", OURS)
both_ways = pytest.mark.parametrize("shared", [True, False])


def some_circuit(seed: int = 1, qubits: int = 3, num_operations: int = 14) -> Circuit:
    return random_circuit(np.random.default_rng(seed), qubits, num_operations)


def arguments(
    circuit: Circuit, batch: int, shared: bool = True, dtype: torch.dtype = torch.float64
) -> Tensors:
    rng = np.random.default_rng(batch)
    made = random_arguments(rng, circuit, batch, shared=shared, dtype=dtype)
    return tuple(a.requires_grad_() for a in made)


def derivatives(engine: Engine, leaves: Tensors) -> tuple[torch.Tensor, Tensors, Tensors]:
    """Outputs, gradients, and the gradients of a combination of both; with fixed weights."""
    whatever_is_read = {"allow_unused": True, "materialize_grads": True}
    outputs = engine(*leaves)
    cotangents = weights_like(outputs).requires_grad_()
    first = torch.autograd.grad(
        (cotangents * outputs).sum(), leaves, create_graph=True, **whatever_is_read
    )
    along = sum((weights_like(g) * g).sum() for g in first)
    assert isinstance(along, torch.Tensor)
    second = torch.autograd.grad(along, (*leaves, cotangents), **whatever_is_read)
    return outputs.detach(), tuple(g.detach() for g in first), second


def weights_like(tensor: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype)


def assert_close(found: Tensors, expected: Tensors, tolerance: float) -> None:
    size = max([1.0, *(float(e.detach().abs().max()) for e in expected if e.numel())])
    for one, other in zip(found, expected, strict=True):
        assert one.dtype is other.dtype
        torch.testing.assert_close(one, other, atol=tolerance * size, rtol=0)


@given(circuits(transforms=tuple(Transform)), st.booleans(), st.sampled_from([1, 3, 8, 19]))
@settings(max_examples=200)
def test_values_are_those_of_the_reference(circuit: Circuit, shared: bool, batch: int) -> None:
    reference, engines = ReferenceEngine(circuit), [make_engine(circuit, name) for name in OURS]
    for dtype, tolerance in VALUES.items():
        leaves = arguments(circuit, batch, shared, dtype)
        expected = reference(*leaves)
        for engine in engines:
            assert_close((engine(*leaves),), (expected,), tolerance)


@pytest.mark.parametrize("dtype", VALUES)
@given(circuits(max_operations=12, transforms=tuple(Transform)), st.booleans())
@settings(max_examples=100)
def test_first_and_second_derivatives_are_those_of_the_reference(
    dtype: torch.dtype, circuit: Circuit, shared: bool
) -> None:
    leaves = arguments(circuit, 3, shared, dtype)
    # Of single precision arguments, the reference is asked in double precision.
    exact = tuple(a.detach().double().requires_grad_() for a in leaves)
    _, *expected = derivatives(ReferenceEngine(circuit), exact)
    for name in OURS:
        _, *found = derivatives(make_engine(circuit, name), leaves)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, tuple(o.to(dtype) for o in other), 10 * VALUES[dtype])


@pytest.mark.slow
@given(circuits(max_operations=30, transforms=tuple(Transform)), st.booleans())
@settings(max_examples=400)
def test_derivatives_of_many_circuits(circuit: Circuit, shared: bool) -> None:
    leaves = arguments(circuit, 2, shared)
    _, *expected = derivatives(ReferenceEngine(circuit), leaves)
    for name in OURS:
        _, *found = derivatives(make_engine(circuit, name), leaves)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, 1e-11)


@our_engines
@both_ways
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 3e-11), (torch.float32, 2e-6)])
def test_large_angles_lose_no_more_digits_than_their_rounding(
    name: EngineName, shared: bool, dtype: torch.dtype, tolerance: float
) -> None:
    # An angle of 5e4 is rounded by 4e-12 in double precision, before any engine sees it.
    for seed in range(20):
        circuit = some_circuit(seed)
        leaves = tuple((1e4 * a.detach()).requires_grad_() for a in arguments(circuit, 5, shared))
        leaves = tuple(a.detach().to(dtype).requires_grad_() for a in leaves)
        expected = ReferenceEngine(circuit)(*leaves)
        assert_close((make_engine(circuit, name)(*leaves),), (expected,), tolerance)


@our_engines
@both_ways
@pytest.mark.parametrize("batch", [1, 2, 7, 17])
def test_torchs_own_checks_of_derivatives_pass(name: EngineName, shared: bool, batch: int) -> None:
    circuit = some_circuit(num_operations=10)
    engine, leaves = make_engine(circuit, name), arguments(circuit, batch, shared)
    assert torch.autograd.gradcheck(engine, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(engine, leaves, fast_mode=True)


def cosine() -> Circuit:
    """One output: the cosine of input plus parameter."""
    turns = (Rotation(PauliString("Y", (0,)), angle) for angle in (Input(0), Parameter(0)))
    return Circuit(1, (), tuple(turns), (PauliString("Z", (0,)),), "cosine")


def third_derivative(name: EngineName) -> float:
    """Of the angle times the second derivative, so that there is a wrong answer to be had."""
    engine = make_engine(cosine(), name)
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    value = engine(torch.full((1, 1), 0.2, dtype=torch.float64), angle).sum()
    for _ in range(2):
        (value,) = torch.autograd.grad(value, angle, create_graph=True)
    return torch.autograd.grad((angle * value).sum(), angle)[0].item()


@pytest.mark.parametrize("name", [EngineName.TORCH, EngineName.REFERENCE])
def test_third_derivatives_are_right(name: EngineName) -> None:
    expected = -math.cos(0.5) + 0.3 * math.sin(0.5)
    assert third_derivative(name) == pytest.approx(expected, abs=1e-12)


def test_third_derivatives_of_the_compiled_engine_are_refused() -> None:
    with pytest.raises((CircuitError, RuntimeError), match=r"twice|once_differentiable"):
        third_derivative(EngineName.COMPILED)


def second_derivative_of_square(evaluate: object) -> float:
    """Of cos(a)^2 at a = 0.3; the truth is -2 cos(0.6) = -1.65."""
    assert callable(evaluate)
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(evaluate(angle).square().sum(), angle, create_graph=True)
    return float(torch.autograd.grad(slope.sum(), angle)[0])


@pytest.mark.parametrize("method", ["adjoint", "parameter-shift"])
def test_where_pennylane_is_silently_wrong_we_are_right(method: str) -> None:
    @qml.qnode(qml.device("default.qubit", wires=1), interface="torch", diff_method=method)
    def node(angle: torch.Tensor) -> object:
        qml.RY(angle[0], wires=0)
        return qml.expval(qml.Z(0))

    # The Jacobian is taken for a constant: only one factor of -2 cos sin is differentiated.
    assert second_derivative_of_square(node) == pytest.approx(2 * math.sin(0.3) ** 2, abs=1e-9)

    def square_slope(engine: Engine, at: float) -> float:
        angle = torch.tensor([at], dtype=torch.float64, requires_grad=True)
        outputs = engine(torch.zeros(1, 1, dtype=torch.float64), angle)
        return float(torch.autograd.grad(outputs.square().sum(), angle)[0])

    for name in OURS:
        engine = make_engine(cosine(), name)
        differences = (square_slope(engine, 0.3 + 1e-5) - square_slope(engine, 0.3 - 1e-5)) / 2e-5

        def ours(angle: torch.Tensor, engine: Engine = engine) -> torch.Tensor:
            return engine(angle.new_zeros(1, 1), angle)

        assert second_derivative_of_square(ours) == pytest.approx(differences, abs=1e-8)
        assert second_derivative_of_square(ours) == pytest.approx(-2 * math.cos(0.6), abs=1e-12)


@every_engine
@both_ways
def test_an_empty_batch_gives_no_rows_and_no_gradient(name: EngineName, shared: bool) -> None:
    circuit = some_circuit()
    leaves = arguments(circuit, 0, shared)
    outputs = make_engine(circuit, name)(*leaves)
    assert outputs.shape == (0, len(circuit.observables))
    inputs, parameters = torch.autograd.grad(outputs.sum(), leaves)
    assert inputs.shape == (0, circuit.num_features)
    assert not parameters.any()


@every_engine
@both_ways
def test_single_precision_stays_single(name: EngineName, shared: bool) -> None:
    circuit = some_circuit()
    leaves = arguments(circuit, 3, shared, torch.float32)
    outputs = make_engine(circuit, name)(*leaves)
    gradients = torch.autograd.grad(outputs.sum(), leaves)
    assert {t.dtype for t in (outputs, *gradients)} == {torch.float32}


@every_engine
def test_memory_layout_of_the_arguments_does_not_matter(name: EngineName) -> None:
    circuit = some_circuit()
    engine = make_engine(circuit, name)
    inputs, parameters = (a.detach() for a in arguments(circuit, 6, shared=False))
    expected = engine(inputs, parameters)
    strided = (inputs.t().contiguous().t(), parameters.repeat(1, 2)[:, : parameters.shape[1]])
    assert not any(a.is_contiguous() for a in strided)
    torch.testing.assert_close(engine(*strided), expected, atol=1e-14, rtol=0)
    rows = inputs[:1].expand(6, -1), parameters[:1].expand(6, -1)
    torch.testing.assert_close(engine(*rows), expected[:1].expand(6, -1), atol=1e-14, rtol=0)


@every_engine
@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=2)))
def test_each_argument_may_do_without_a_gradient(
    name: EngineName, wanted: tuple[bool, bool]
) -> None:
    circuit = some_circuit()
    engine, leaves = make_engine(circuit, name), arguments(circuit, 3)
    expected = torch.autograd.grad(engine(*leaves).sum(), leaves)
    given = tuple(a.detach().requires_grad_(w) for a, w in zip(leaves, wanted, strict=True))
    outputs = engine(*given)
    assert outputs.requires_grad == any(wanted)
    if any(wanted):
        outputs.sum().backward()
    for argument, gradient, asked in zip(given, expected, wanted, strict=True):
        assert (argument.grad is not None) == asked
        if argument.grad is not None:
            torch.testing.assert_close(argument.grad, gradient, atol=1e-14, rtol=0)


@every_engine
def test_without_grad_nothing_is_recorded(name: EngineName) -> None:
    circuit = some_circuit()
    leaves = arguments(circuit, 3)
    engine = make_engine(circuit, name)
    with torch.no_grad():
        outputs = engine(*leaves)
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, engine(*leaves).detach(), atol=1e-14, rtol=0)


@our_engines
def test_engines_travel_as_pickles_and_copies(name: EngineName) -> None:
    circuit = some_circuit()
    engine, leaves = make_engine(circuit, name), arguments(circuit, 3)
    expected = engine(*leaves)
    for other in (pickle.loads(pickle.dumps(engine)), copy.deepcopy(engine)):
        assert other.name is engine.name
        assert other.circuit == circuit
        assert torch.equal(other(*leaves), expected)


@our_engines
def test_threads_may_share_an_engine(name: EngineName) -> None:
    circuit = some_circuit(qubits=4)
    engine = make_engine(circuit, name)
    jobs = [arguments(circuit, size, shared) for size in (5, 40, 64) for shared in (True, False)]
    expected = [derivatives(make_engine(circuit, name), leaves)[2] for leaves in jobs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda leaves: derivatives(engine, leaves)[2], jobs * 5))
    for one, other in zip(found, expected * 5, strict=True):
        assert_close(one, other, 1e-13)


@both_ways
def test_the_number_of_threads_changes_no_bit_of_the_compiled_engine(shared: bool) -> None:
    circuit = some_circuit(seed=2, qubits=5, num_operations=40)
    engine, leaves = make_engine(circuit, EngineName.COMPILED), arguments(circuit, 9000, shared)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            outputs, first, second = derivatives(engine, leaves)
            results.append((outputs, *first, *second))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@every_engine
@pytest.mark.parametrize(
    ("inputs", "parameters", "message"),
    [
        ((2, 4), (6,), r"random: inputs have shape \(2, 4\); expected \[batch, 3\]"),
        ((3,), (6,), r"inputs have shape \(3,\); expected \[batch, 3\]"),
        ((2, 3), (7,), r"parameters have shape \(7,\); expected \[6\] \(shared\) or \[2, 6\]"),
        ((2, 3), (3, 6), r"parameters have shape \(3, 6\); expected .* each of the 2 samples"),
        ((2, 3), (1, 2, 6), r"parameters have shape \(1, 2, 6\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    name: EngineName, inputs: tuple[int, ...], parameters: tuple[int, ...], message: str
) -> None:
    engine = make_engine(some_circuit(qubits=4, num_operations=30), name)
    with pytest.raises(CircuitError, match=message):
        engine(torch.zeros(inputs), torch.zeros(parameters))


@every_engine
@pytest.mark.parametrize(
    ("inputs", "parameters", "message"),
    [
        (torch.zeros(2, 1), torch.zeros(1).double(), "torch.float32 and parameters torch.float64"),
        (torch.zeros(2, 1).half(), torch.zeros(1).half(), "must be float32, or both float64"),
        (torch.zeros(2, 1).long(), torch.zeros(1).long(), "inputs are torch.int64"),
        (torch.zeros(2, 1, device="meta"), torch.zeros(1), "inputs are on meta, parameters on cpu"),
    ],
)
def test_dtypes_and_devices_that_do_not_fit_are_refused(
    name: EngineName, inputs: torch.Tensor, parameters: torch.Tensor, message: str
) -> None:
    with pytest.raises(CircuitError, match=f"cosine: .*{message}"):
        make_engine(cosine(), name)(inputs, parameters)


@our_engines
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_angles_are_found(name: EngineName, value: float) -> None:
    engine = make_engine(cosine(), name)
    bad = torch.tensor([[0.1], [0.2], [value]])
    good = torch.zeros(3, 1)
    with pytest.raises(CircuitError, match=r"inputs\[2, 0\] is "):
        engine(bad, good[0])
    with pytest.raises(CircuitError, match=r"parameters\[2, 0\] is "):
        engine(good, bad)
    with pytest.raises(CircuitError, match=r"parameters\[0\] is "):
        engine(good, bad[2])


@our_engines
def test_an_arccosine_outside_its_domain_is_found(name: EngineName) -> None:
    angle = Input(0, 1.0, Transform.ARCCOS)
    turn = Rotation(PauliString("Y", (0,)), angle)
    engine = make_engine(Circuit(1, (), (turn,), (PauliString("Z", (0,)),)), name)
    with pytest.raises(CircuitError, match=r"inputs\[1, 0\] is nan"):
        engine(torch.tensor([[0.5], [1.5]]), torch.empty(0))


def test_an_unknown_engine_is_refused_with_all_known_ones() -> None:
    with pytest.raises(CircuitError, match="'quick'; allowed: auto, reference, torch, compiled"):
        make_engine(cosine(), "quick")


def test_the_choice_depends_on_device_and_size(caplog: pytest.LogCaptureFixture) -> None:
    wide = Circuit(
        18,
        (),
        tuple(Rotation(PauliString("Y", (w,)), Parameter(w)) for w in range(18)),
        (PauliString("Z" * 18, tuple(range(18))),),
        "wide",
    )
    with caplog.at_level("INFO"):
        assert make_engine(cosine()).name is EngineName.COMPILED
    assert "cosine: engine compiled (asked for auto) on cpu" in caplog.text
    assert make_engine(cosine(), device="cuda").name is EngineName.TORCH
    assert make_engine(wide).name is EngineName.TORCH
    with pytest.raises(CircuitError, match="rows"):
        make_engine(wide, "compiled")
