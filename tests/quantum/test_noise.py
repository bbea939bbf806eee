# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.circuit import Circuit, Clifford, CliffordName, Input, Parameter, PauliString, Rotation
from quantum.circuits import privacy_rot_ring, qfwp
from quantum.engines import make_engine
from quantum.errors import CircuitError
from quantum.gradients import pull_back
from quantum.noise import Noise, NoisyEngine
from quantum.parameter_shift import ShiftEngine
from tests.quantum.matrices import Row, operation_matrix
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mixed_state_outputs(circuit: Circuit, noise: Noise, inputs: Row, parameters: Row) -> Row:
    """PennyLane's density matrix, with its channel after every gate on the wires of the gate."""

    def measured(observable: PauliString) -> Any:
        for operation in circuit.operations:
            matrix = operation_matrix(operation, circuit.qubits, inputs, parameters)
            qml.QubitUnitary(matrix, wires=range(circuit.qubits))
            for wire in operation.wires:
                qml.DepolarizingChannel(noise.depolarising, wires=wire)
        # The device's own readout_prob raises TypeError in PennyLane 0.45.
        for letter, wire in zip(observable.letters, observable.wires, strict=True):
            {"X": qml.RY, "Y": qml.RX, "Z": qml.RZ}[letter](TO_Z[letter], wires=wire)
            qml.BitFlip(noise.readout, wires=wire)
        return qml.expval(qml.prod(*(qml.Z(wire) for wire in observable.wires)))

    node = qml.QNode(measured, qml.device("default.mixed", wires=circuit.qubits))
    return np.array([node(observable) for observable in circuit.observables])


TO_Z = {"X": -math.pi / 2, "Y": math.pi / 2, "Z": 0.0}
"""Turns that bring an axis to Z, about Y, X and Z."""


def assert_mean(each: torch.Tensor, expected: Row, tolerance: float = 1e-9) -> None:
    """Independent rows have this mean, within five standard errors."""
    error = each.std(0) / math.sqrt(len(each))
    off = (each.mean(0) - torch.as_tensor(expected)).abs()
    assert (off <= 5 * error + tolerance).all(), f"{off / error} standard errors"


def many_trajectories(
    circuit: Circuit, noise: Noise, size: int, seed: int = 1
) -> tuple[NoisyEngine, torch.Tensor, torch.Tensor]:
    """One trajectory for each of many equal samples: their scatter is known."""
    inputs, parameters = random_arguments(np.random.default_rng(seed), circuit, 1)
    engine = NoisyEngine(circuit, noise, generator(), trajectories=1)
    return engine, inputs.expand(size, -1), parameters.expand(size, -1)


@pytest.mark.parametrize("seed", range(6))
def test_the_mean_over_trajectories_is_the_mixed_state(seed: int) -> None:
    circuit = random_circuit(np.random.default_rng(seed), 3, 12)
    noise = Noise(depolarising=0.08, readout=0.03)
    engine, inputs, parameters = many_trajectories(circuit, noise, 4000)
    exact = mixed_state_outputs(circuit, noise, inputs[0].numpy(), parameters[0].numpy())
    assert_mean(engine(inputs, parameters), exact)
    clean = make_engine(circuit)(inputs[:1], parameters[:1])[0]
    assert np.abs(exact - clean.numpy()).max() > 0.05


@pytest.mark.parametrize("circuit", [qfwp(4, 2), privacy_rot_ring(1, 3, 2)], ids=lambda c: c.name)
def test_papers_circuits_with_noise_are_the_mixed_state(circuit: Circuit) -> None:
    noise = Noise(depolarising=0.02, readout=0.01)
    engine, inputs, parameters = many_trajectories(circuit, noise, 6000)
    exact = mixed_state_outputs(circuit, noise, inputs[0].numpy(), parameters[0].numpy())
    assert_mean(engine(inputs, parameters), exact)


def test_gradients_of_trajectories_have_the_mean_of_the_mixed_state() -> None:
    circuit = random_circuit(np.random.default_rng(3), 2, 10)
    noise = Noise(depolarising=0.1)
    engine, inputs, parameters = many_trajectories(circuit, noise, 4000)
    ones = torch.ones(4000, len(circuit.observables), dtype=torch.float64)
    row, values = inputs[0].numpy(), parameters[0].numpy()

    def output(at: Row) -> float:
        return float(mixed_state_outputs(circuit, noise, row, at).sum())

    steps = 1e-4 * np.eye(len(values))
    slopes = np.array([(output(values + s) - output(values - s)) / 2e-4 for s in steps])
    assert np.abs(slopes).max() > 0.1
    for one in (engine, ShiftEngine(circuit, lambda c: NoisyEngine(c, noise, generator(), 1))):
        _, _, each = pull_back(one, inputs, parameters, ones)
        assert_mean(each, slopes, tolerance=1e-6)


@settings(max_examples=25)
@given(circuits(max_qubits=3), st.floats(0.0, 0.5))
def test_readout_errors_are_exact(circuit: Circuit, readout: float) -> None:
    noise = Noise(readout=readout)
    inputs, parameters = random_arguments(np.random.default_rng(2), circuit, 1)
    outputs = NoisyEngine(circuit, noise, generator())(inputs, parameters)
    exact = mixed_state_outputs(circuit, noise, inputs[0].numpy(), parameters.numpy())
    np.testing.assert_allclose(outputs[0].numpy(), exact, rtol=0, atol=1e-12)


X0, Y0, Z0 = (PauliString(letter, (0,)) for letter in "XYZ")


def turns(*letters: PauliString) -> Circuit:
    rotations = tuple(Rotation(p, Parameter(k)) for k, p in enumerate(letters))
    return Circuit(1, (), rotations, (Z0,), "turns")


def test_errors_after_the_last_rotation_are_exact() -> None:
    angle = torch.tensor([0.7], dtype=torch.float64)
    inputs = torch.zeros(2, 0, dtype=torch.float64)
    engine = NoisyEngine(turns(Y0), Noise(0.3, 0.1), generator(), trajectories=1)
    expected = math.cos(0.7) * (1 - 4 / 3 * 0.3) * (1 - 2 * 0.1)
    torch.testing.assert_close(engine(inputs, angle), torch.full((2, 1), expected).double())


def test_clifford_circuits_are_exact() -> None:
    bell = (Clifford(CliffordName.H, (0,)), Clifford(CliffordName.CNOT, (0, 1)))
    circuit = Circuit(2, bell, (), tuple(PauliString(p * 2, (0, 1)) for p in "XYZ"))
    nothing = torch.zeros(1, 0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
    outputs = NoisyEngine(circuit, Noise(0.06, 0.02), generator(), trajectories=1)(*nothing)
    # ZZ does not see the error after the Hadamard: the CNOT makes both wires flip together.
    factor, readout = 1 - 0.08, (1 - 0.04) ** 2
    expected = np.array([factor**3, -(factor**3), factor**2]) * readout
    np.testing.assert_allclose(outputs[0].numpy(), expected, rtol=0, atol=1e-14)


def test_a_chain_of_rotations_shrinks_by_every_gate() -> None:
    # Depolarising one qubit commutes with its rotations.
    size, gates, p = 20_000, 5, 0.1
    angles = torch.linspace(0.1, 0.5, gates, dtype=torch.float64)
    engine = NoisyEngine(turns(*[Y0] * gates), Noise(p), generator(), trajectories=1)
    each = engine(torch.zeros(size, 0, dtype=torch.float64), angles)
    assert_mean(each, np.array([math.cos(float(angles.sum())) * (1 - 4 / 3 * p) ** gates]))
    assert each.std() > 0.1


def test_the_largest_probability_leaves_x_y_and_z() -> None:
    # Every gate multiplies X, Y and Z by 1 - 4/3.
    a, b = 0.4, 1.1
    angles = torch.tensor([a, b], dtype=torch.float64)
    engine = NoisyEngine(turns(X0, Y0), Noise(1.0), generator(), trajectories=1)
    each = engine(torch.zeros(30_000, 0, dtype=torch.float64), angles)
    assert_mean(each, np.array([math.cos(a) * math.cos(b) / 9]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_noise_nothing_changes(dtype: torch.dtype) -> None:
    circuit = random_circuit(np.random.default_rng(1), 3, 15)
    arguments = random_arguments(np.random.default_rng(0), circuit, 4, dtype=dtype)
    outputs = NoisyEngine(circuit, Noise(), generator())(*arguments)
    assert outputs.dtype == dtype
    torch.testing.assert_close(outputs, make_engine(circuit)(*arguments), rtol=0, atol=2e-6)


def test_the_generator_decides() -> None:
    circuit = random_circuit(np.random.default_rng(4), 3, 15)
    arguments = random_arguments(np.random.default_rng(0), circuit, 3)
    engine, twin, other = (
        NoisyEngine(circuit, Noise(0.1), generator(seed), trajectories=5) for seed in (0, 0, 1)
    )
    first = engine(*arguments)
    assert torch.equal(first, twin(*arguments))
    assert not torch.equal(first, other(*arguments))
    assert not torch.equal(first, engine(*arguments))


def test_more_trajectories_scatter_less() -> None:
    circuit = random_circuit(np.random.default_rng(4), 3, 15)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    few, many = (
        NoisyEngine(circuit, Noise(0.1), generator(), count)(inputs.expand(500, -1), parameters)
        for count in (4, 64)
    )
    ratio = (few.std(0) / many.std(0)).mean().item()
    assert 3.5 < ratio < 4.5


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
@pytest.mark.parametrize("name", ["depolarising", "readout"])
def test_probabilities_outside_are_refused(name: str, value: float) -> None:
    with pytest.raises(CircuitError, match=f"{name} is {value}; allowed: probabilities, 0 to 1"):
        Noise(**{name: value})


def test_other_bad_values_are_named() -> None:
    with pytest.raises(CircuitError, match="trajectories is 0; allowed: 1 or more"):
        NoisyEngine(turns(Y0), Noise(), generator(), trajectories=0)
    read = Circuit(1, (Rotation(Y0, Input(0)),), (), (Z0,), "read")
    with pytest.raises(CircuitError, match="not a finite angle for sample 1"):
        NoisyEngine(read, Noise(), generator())(torch.tensor([[0.0], [math.inf]]), torch.zeros(0))
    with pytest.raises(CircuitError, match="inputs have shape"):
        NoisyEngine(read, Noise(), generator())(torch.zeros(2, 3), torch.zeros(0))
