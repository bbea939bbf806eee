# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from quantum.circuit import Circuit, Clifford, CliffordName, PauliString
from quantum.circuits import parity, qfwp, z_each
from quantum.engines import Engine, make_engine
from quantum.errors import CircuitError
from quantum.executions import count_executions
from quantum.gradients import gradient_engine, jacobian, pull_back
from quantum.noise import Noise, NoisyEngine
from quantum.shots import multinomial, shot_engine
from tests.quantum.random_circuits import circuits, random_arguments, random_circuit

MANY = 4000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sampled(circuit: Circuit, shots: int, joint: bool, seed: int = 1) -> tuple[torch.Tensor, ...]:
    """Many estimates of the same outputs, and their exact values."""
    inputs, parameters = random_arguments(np.random.default_rng(seed), circuit, 1)
    engine = shot_engine(circuit, shots, generator(), joint=joint)
    exact = make_engine(circuit)(inputs, parameters)[0]
    return engine(inputs.expand(MANY, -1), parameters), exact


def assert_mean(each: torch.Tensor, expected: torch.Tensor) -> None:
    error = each.std(0) / math.sqrt(len(each))
    off = (each.mean(0) - expected).abs()
    assert (off <= 5 * error + 1e-9).all(), f"{off / error} standard errors"


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("shots", [1, 7, 300])
@pytest.mark.parametrize("seed", [1, 5])
def test_estimates_are_unbiased_with_the_variance_of_coins(
    seed: int, shots: int, joint: bool
) -> None:
    circuit = random_circuit(np.random.default_rng(seed), 3, 14)
    circuit = replace(circuit, observables=z_each(range(3)) + parity(3) + circuit.observables)
    each, exact = sampled(circuit, shots, joint)
    assert_mean(each, exact)
    assert_mean((each - exact) ** 2, (1 - exact**2) / shots)


def test_estimates_are_means_of_whole_shots() -> None:
    each, _ = sampled(qfwp(4, 2), 5, joint=True)
    counts = (each + 1) / 2 * 5
    torch.testing.assert_close(counts, counts.round())
    assert len(counts.round().unique()) == 6


def test_joint_shots_are_correlated_as_the_state_is() -> None:
    bell = Clifford(CliffordName.H, (0,)), Clifford(CliffordName.CNOT, (0, 1))
    circuit = Circuit(2, bell, (), (*z_each(range(2)), PauliString("ZZ", (0, 1))))
    nothing = torch.zeros(MANY, 0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
    together = shot_engine(circuit, 20, generator())(*nothing)
    assert torch.equal(together[:, 0], together[:, 1])
    assert (together[:, 2] == 1).all()
    apart = shot_engine(circuit, 20, generator(), joint=False)(*nothing)
    correlation = torch.corrcoef(apart[:, :2].T)[0, 1].item()
    assert abs(correlation) < 5 / math.sqrt(MANY)


def test_joint_shots_have_the_covariance_of_the_products() -> None:
    circuit = replace(qfwp(3, 2, measured=3), observables=z_each(range(3)))
    each, exact = sampled(circuit, 10, joint=True)
    pairs = [(0, 1), (0, 2), (1, 2)]
    zz = replace(circuit, observables=tuple(PauliString("ZZ", pair) for pair in pairs))
    products = make_engine(zz)(*random_arguments(np.random.default_rng(1), circuit, 1))[0]
    centred = each - exact
    for (a, b), product in zip(pairs, products, strict=True):
        covariance = centred[:, a] * centred[:, b]
        assert_mean(covariance[:, None], ((product - exact[a] * exact[b]) / 10)[None])
    assert (products - torch.stack([exact[a] * exact[b] for a, b in pairs])).abs().max() > 0.05


@settings(max_examples=20)
@given(circuits(max_qubits=3), st.booleans())
def test_no_shots_means_exact_values(circuit: Circuit, joint: bool) -> None:
    arguments = random_arguments(np.random.default_rng(0), circuit, 3)
    outputs = shot_engine(circuit, None, generator(), joint=joint)(*arguments)
    assert torch.equal(outputs, make_engine(circuit)(*arguments))


def test_many_shots_are_nearly_exact() -> None:
    circuit = random_circuit(np.random.default_rng(9), 4, 20)
    arguments = random_arguments(np.random.default_rng(0), circuit, 3)
    outputs = shot_engine(circuit, 10**12, generator())(*arguments)
    torch.testing.assert_close(outputs, make_engine(circuit)(*arguments), rtol=0, atol=1e-5)


@pytest.mark.parametrize("joint", [True, False])
def test_gradients_with_shots_are_unbiased(joint: bool) -> None:
    circuit = replace(random_circuit(np.random.default_rng(3), 3, 12), observables=z_each(range(3)))
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    inputs, parameters = inputs.expand(MANY, -1), parameters.expand(MANY, -1)
    cotangents = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64).expand(MANY, -1)
    engine = shot_engine(circuit, 3, generator(), joint=joint)
    _, *sampled_gradients = pull_back(engine, inputs, parameters, cotangents)
    _, *exact = pull_back(gradient_engine(circuit, "adjoint"), inputs, parameters, cotangents)
    for each, expected in zip(sampled_gradients, exact, strict=True):
        assert expected.abs().max() > 0.1
        assert each.std(0).max() > 0.1
        assert_mean(each, expected[0])


def test_gradients_have_the_variance_of_the_shifted_shots() -> None:
    circuit = replace(qfwp(3, 1, measured=3), observables=z_each([1]))
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    shots = 4
    engine = shot_engine(circuit, shots, generator())
    each = pull_back(
        engine,
        inputs.expand(MANY, -1),
        parameters.expand(MANY, -1),
        torch.ones(MANY, 1, dtype=torch.float64),
    )[2]
    shifts = torch.eye(3, dtype=torch.float64) * math.pi / 2
    exact = make_engine(circuit)
    ahead, behind = (exact(inputs.expand(3, -1), parameters + s)[:, 0] for s in (shifts, -shifts))
    expected = (2 - ahead**2 - behind**2) / 4 / shots
    live = each.std(0) > 0
    assert live.tolist() == [False, True, False]
    torch.testing.assert_close(each.var(0)[live], expected[live], rtol=0.1, atol=0)


def test_second_derivatives_with_shots_are_unbiased() -> None:
    circuit = replace(random_circuit(np.random.default_rng(3), 3, 12), observables=z_each(range(3)))
    inputs, parameters = (
        t.expand(300, -1).clone().requires_grad_()
        for t in random_arguments(np.random.default_rng(0), circuit, 1)
    )

    def curvature(engine: Engine) -> torch.Tensor:
        outputs = engine(inputs, parameters)
        (slope,) = torch.autograd.grad(outputs.sum(), parameters, create_graph=True)
        return torch.autograd.grad(slope.sum(), inputs)[0]

    exact = curvature(make_engine(circuit))[0]
    assert exact.abs().max() > 0.1
    assert_mean(curvature(shot_engine(circuit, 2, generator())), exact)


@pytest.mark.parametrize("joint", [True, False])
def test_shots_and_circuits_are_those_that_are_counted(joint: bool) -> None:
    circuit = random_circuit(np.random.default_rng(3), 3, 12)
    sizes: list[int] = []

    class Counting:
        def __init__(self, circuit: Circuit) -> None:
            self.circuit, self._engine = circuit, make_engine(circuit)
            self.name = self._engine.name

        def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
            sizes.append(len(inputs))
            return self._engine(inputs, parameters)

    one = replace(circuit, observables=circuit.observables[:1])
    engine = shot_engine(one, 10, generator(), joint=joint, make=Counting)
    inputs, parameters = random_arguments(np.random.default_rng(0), one, 4)
    pull_back(engine, inputs, parameters, torch.ones(4, 1, dtype=torch.float64))
    counted = count_executions(one, batch=4, shots=10, inputs=True, joint=joint)
    assert sizes[0] == counted.forward
    assert sum(sizes[1:]) == counted.gradient


def test_noise_and_shots_compose() -> None:
    circuit = replace(random_circuit(np.random.default_rng(2), 3, 12), observables=z_each(range(3)))
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    noise = Noise(depolarising=0.05, readout=0.05)
    noisy = partial(NoisyEngine, noise=noise, generator=generator(1), trajectories=1)
    engine = shot_engine(circuit, 5, generator(2), make=noisy)
    each = engine(inputs.expand(MANY, -1), parameters)
    trajectories = noisy(circuit)(inputs.expand(MANY, -1), parameters)
    error = ((each.var(0) + trajectories.var(0)) / MANY).sqrt()
    assert ((each.mean(0) - trajectories.mean(0)).abs() <= 5 * error).all()
    clean = make_engine(circuit)(inputs, parameters)[0]
    assert ((each.mean(0) - clean).abs() > 5 * error).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_stays_and_the_generator_decides(dtype: torch.dtype) -> None:
    circuit = random_circuit(np.random.default_rng(4), 3, 15)
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 3, dtype=dtype)
    engine, twin, other = (shot_engine(circuit, 50, generator(s)) for s in (0, 0, 1))
    first = engine(inputs, parameters)
    assert first.dtype == dtype
    assert torch.equal(first, twin(inputs, parameters))
    assert not torch.equal(first, other(inputs, parameters))
    assert not torch.equal(first, engine(inputs, parameters))
    by_inputs, by_parameters = jacobian(engine, inputs, parameters)
    assert by_inputs.dtype == by_parameters.dtype == dtype


def test_draws_follow_their_weights() -> None:
    weights = torch.tensor([1.0, 0.0, 3.0, 2.0, 0.0, 0.0, 0.5, 0.5], dtype=torch.float64)
    counts = multinomial(1000, weights.expand(2000, -1), generator())
    assert (counts.sum(1) == 1000).all()
    drawn = weights > 0
    assert not counts[:, ~drawn].any()
    expected = weights[drawn] / weights.sum()
    assert chisquare(counts.sum(0)[drawn], expected * 2_000_000).pvalue > 1e-4
    scatter = (((counts[:, drawn] - 1000 * expected) ** 2) / (1000 * expected)).sum()
    low, high = chi2.ppf([1e-4, 1 - 1e-4], df=2000 * (int(drawn.sum()) - 1))
    assert low < scatter < high


@pytest.mark.parametrize("shots", [0, -3])
def test_bad_shots_are_named(shots: int) -> None:
    with pytest.raises(CircuitError, match=f"shots is {shots}; allowed: 1 or more, or None"):
        shot_engine(qfwp(2, 1, measured=2), shots, generator())


def test_too_many_joint_outcomes_are_refused() -> None:
    circuit = replace(qfwp(11, 1), observables=z_each(range(11)))
    with pytest.raises(CircuitError, match="11 observables share their shots; allowed: 10, or j"):
        shot_engine(circuit, 5, generator())
    inputs, parameters = random_arguments(np.random.default_rng(0), circuit, 1)
    assert shot_engine(circuit, 5, generator(), joint=False)(inputs, parameters).shape == (1, 11)
