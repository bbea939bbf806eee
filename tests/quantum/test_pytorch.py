# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from quantum.circuit import Circuit, Input, Parameter, PauliString, Rotation
from quantum.engines import changes, memory
from quantum.engines.changes import first_row, make_change
from quantum.engines.eigenbasis import Basis, hadamard
from quantum.engines.interface import Engine
from quantum.engines.layers import group_rotations, make_layer, make_measurements
from quantum.engines.pytorch import TorchEngine
from quantum.errors import CircuitError
from quantum.program import Program, SignedShift, make_program
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit

LIKE = torch.zeros((), dtype=torch.float64)


def matrix(action: SignedShift, size: int) -> np.ndarray:
    rows = np.arange(size)
    whole = np.zeros((size, size))
    whole[action.image(rows), rows] = action.signs(rows)
    return whole


def bases(program: Program) -> list[Basis]:
    layers = [make_layer(group, program.rows).basis for group in group_rotations(program)]
    return layers + [measurement.basis for measurement in make_measurements(program)]


@given(circuits())
def test_in_its_basis_a_layer_turns_pairs(circuit: Circuit) -> None:
    program = make_program(circuit)
    for group in group_rotations(program):
        layer = make_layer(group, program.rows)
        basis = layer.basis.matrix()
        np.testing.assert_allclose(basis @ basis.T, np.eye(program.rows), atol=1e-14)
        alike = program.rows // 2 // layer.turns.shape[1]
        for rotation, turns in zip(layer.rotations, layer.turns, strict=True):
            blocks = np.kron(np.diag(np.repeat(turns, alike)), [[0, -1], [1, 0]])
            generator = matrix(rotation.generator, program.rows)
            np.testing.assert_allclose(basis @ generator @ basis.T, blocks, atol=1e-14)


@given(circuits())
def test_in_its_basis_a_measurement_is_diagonal(circuit: Circuit) -> None:
    program = make_program(circuit)
    measurements = make_measurements(program)
    for number, observable in enumerate(program.observables):
        found = sum(
            m.basis.matrix().T @ np.diag(m.values[:, number]) @ m.basis.matrix()
            for m in measurements
        )
        wanted = matrix(observable, program.rows) if observable else np.zeros_like(found)
        np.testing.assert_allclose(found, wanted, atol=1e-14)


@given(circuits())
def test_grouping_only_passes_rotations_that_commute(circuit: Circuit) -> None:
    program = make_program(circuit)
    order = [rotation for group in group_rotations(program) for rotation in group]
    assert len(order) == len(program.rotations)
    assert set(map(id, order)) == set(map(id, program.rotations))
    place = {id(rotation): k for k, rotation in enumerate(order)}
    actions = [matrix(r.generator, program.rows) for r in program.rotations]
    for late, later in enumerate(program.rotations):
        for early, earlier in enumerate(program.rotations[:late]):
            if place[id(later)] < place[id(earlier)]:
                one, other = actions[late], actions[early]
                np.testing.assert_array_equal(one @ other, other @ one)


def test_gates_that_commute_are_one_layer() -> None:
    turns = [Rotation(PauliString("Y", (w,)), Parameter(w)) for w in (0, 1, 2, 0, 1, 2)]
    circuit = Circuit(3, (), tuple(turns), (PauliString("Z", (0,)), PauliString("ZZ", (1, 2))))
    assert [len(group) for group in group_rotations(make_program(circuit))] == [6]


@given(circuits())
@settings(max_examples=50)
def test_a_change_is_the_product_of_both_matrices(circuit: Circuit) -> None:
    program = make_program(circuit)
    some = bases(program)
    states = torch.eye(program.rows, dtype=torch.float64)
    for one, other in zip(some, some[1:] or some, strict=False):
        wanted = one.matrix() @ other.matrix().T
        for limit in (0, program.rows):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(changes, "DENSE_ROWS", limit)
                found = make_change(one, other, LIKE)(states).numpy()
            np.testing.assert_allclose(found, wanted, atol=1e-14)
        np.testing.assert_allclose(first_row(one, LIKE)[0].numpy(), one.matrix()[:, 0], atol=1e-14)


@pytest.mark.parametrize("bits", range(6))
def test_the_hadamard_matrix_is_a_power_of_the_smallest(bits: int) -> None:
    power = np.ones((1, 1))
    for _ in range(bits):
        power = np.kron(power, [[1, 1], [1, -1]]) / np.sqrt(2)
    np.testing.assert_allclose(hadamard(bits), power, atol=1e-15)


def factored(circuit: Circuit) -> TorchEngine:
    """An engine whose changes are factored, however small they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "DENSE_ROWS", 0)
        engine = TorchEngine(circuit)
        engine(*random_arguments(np.random.default_rng(0), circuit, 1))
    return engine


def first_and_second(engine: Engine, leaves: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    outputs = engine(*leaves)
    first = torch.autograd.grad(outputs.square().sum(), leaves, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), leaves)
    return [outputs, *first, *second]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5])
def test_matrices_and_their_factors_give_the_same(seed: int, shared: bool) -> None:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, 5, 30)
    leaves = random_arguments(rng, circuit, 4, shared=shared)
    leaves = tuple(a.requires_grad_() for a in leaves)
    dense, other = (first_and_second(e, leaves) for e in (TorchEngine(circuit), factored(circuit)))
    assert float(dense[-1].detach().abs().max()) > 0.01
    for one, two in zip(dense, other, strict=True):
        torch.testing.assert_close(one, two, atol=1e-11, rtol=1e-11)


def tower(qubits: int, layers: int) -> Circuit:
    """Inputs first, then parameters only."""
    turns = [
        Rotation(PauliString(letter, (w,)), Parameter(layer * qubits + w))
        for layer, letter in zip(range(layers), "XYZ" * layers, strict=False)
        for w in range(qubits)
    ]
    encoding = tuple(Rotation(PauliString("Y", (w,)), Input(w)) for w in range(qubits))
    observables = tuple(PauliString("Z", (w,)) for w in range(qubits))
    return Circuit(qubits, encoding, tuple(turns), observables, "tower")


def test_large_batches_with_shared_parameters_multiply_the_steps_first() -> None:
    circuit = tower(qubits=2, layers=5)
    engine, size = TorchEngine(circuit), 100
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, size)
    leaves = inputs.requires_grad_(), parameters.requires_grad_()
    alone = leaves[0], leaves[1].expand(size, -1)
    assert 2 * make_program(circuit).rows < size
    outputs = engine(*leaves)
    torch.testing.assert_close(outputs, engine(*alone), atol=1e-13, rtol=0)
    torch.testing.assert_close(outputs[:3], engine(inputs[:3], parameters), atol=1e-13, rtol=0)
    for one, other in zip(
        first_and_second(engine, leaves),
        first_and_second(lambda x, w: engine(x, w.expand(size, -1)), leaves),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


def test_nothing_runs_on_the_cpu_when_the_arguments_are_elsewhere() -> None:
    # Tensors of the meta device have no values: whatever needed one would fail.
    circuit = random_circuit(np.random.default_rng(0), 4, 20)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 5)
    outputs = TorchEngine(circuit)(inputs.to("meta"), parameters.to("meta"))
    assert outputs.device.type == "meta"
    assert outputs.shape == (5, len(circuit.observables))


def test_torchs_function_transforms_work() -> None:
    circuit = random_circuit(np.random.default_rng(3), 3, 14)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 2)
    for engine in (TorchEngine(circuit), factored(circuit)):
        found = torch.func.jacrev(engine, argnums=1)(inputs, parameters)
        expected = torch.autograd.functional.jacobian(lambda w, e=engine: e(inputs, w), parameters)
        torch.testing.assert_close(found, expected, atol=1e-14, rtol=0)


def test_a_batch_larger_than_the_memory_is_refused_before_anything_is_allocated() -> None:
    engine = TorchEngine(tower(qubits=4, layers=2))
    inputs = torch.zeros(1, 4).expand(10**12, 4)
    message = r"tower: 4 qubits \(32 rows\) for a batch of 1,000,000,000,000 needs [\d,]+ bytes"
    with pytest.raises(CircuitError, match=message + r" of memory; cpu has [\d,]+ free"):
        engine(inputs, torch.zeros(8))


def test_a_circuit_larger_than_the_memory_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(CircuitError, match=r"tower: 60 qubits \([\d,]+ rows\) needs [\d,]+ bytes"):
        TorchEngine(tower(qubits=60, layers=2))


def test_what_is_kept_for_gradients_counts_as_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TorchEngine(tower(qubits=4, layers=60))
    monkeypatch.setattr(memory, "UNNOTICED_BYTES", 0)
    monkeypatch.setattr(memory, "_free", lambda _: 10_000)
    inputs, parameters = torch.zeros(10, 4), torch.zeros(240)
    assert engine(inputs, parameters).shape == (10, 4)
    with pytest.raises(CircuitError, match="10,000 free"):
        engine(inputs, parameters.requires_grad_())
    with torch.no_grad():
        assert engine(inputs, parameters).shape == (10, 4)
