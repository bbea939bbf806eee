# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum import circuits, encodings, gates
from quantum.circuit import Circuit, Constant, Input, Transform
from quantum.engines.reference import ReferenceEngine
from quantum.errors import CircuitError
from quantum.spectrum import Spectrum, gradient_spectrum, model_spectrum

TURN = 2 * np.pi
Find = Callable[[Circuit, int], Spectrum]


def reading(*scales: float) -> Circuit:
    """A circuit of one feature that is uploaded with these scales."""
    turns = tuple(gate for scale in scales for gate in gates.ry(Input(0, scale), 0))
    return Circuit(1, turns, gates.rx(Constant(1.0), 0), circuits.z_each([0]), "reading")


@pytest.mark.parametrize("m", [1, 2, 3, 4, 6])
def test_the_tower_has_the_counts_of_the_paper(m: int) -> None:
    tower = circuits.privacy(2, m, layers=1)
    for feature in (0, 1):
        model, gradient = model_spectrum(tower, feature), gradient_spectrum(tower, feature)
        assert model.count == 3**m
        assert model.largest == pytest.approx((5**m - 1) / 4 * TURN)
        assert gradient.count == 5**m
        dense = TURN * np.arange((5**m - 1) // 2 + 1)
        np.testing.assert_allclose(gradient.frequencies, dense, rtol=1e-12)


def test_the_model_of_two_qubits_has_gaps() -> None:
    model = model_spectrum(circuits.privacy(1, 2), 0)
    np.testing.assert_allclose(np.array(model.frequencies) / TURN, [0, 1, 4, 5, 6])


def test_base_three_leaves_no_gap_in_the_model() -> None:
    tower = Circuit(3, encodings.fourier_tower(1, 3, base=3), (), circuits.parity(3))
    frequencies = np.array(model_spectrum(tower, 0).frequencies) / TURN
    np.testing.assert_allclose(frequencies, np.arange(14))


def test_repeated_uploads_make_neighbours_and_signs_do_not_matter() -> None:
    assert model_spectrum(reading(1.0, -1.0, 1.0), 0).frequencies == (0.0, 1.0, 2.0, 3.0)
    assert gradient_spectrum(reading(1.0), 0).frequencies == (0.0, 1.0, 2.0)
    assert model_spectrum(reading(0.0), 0).frequencies == (0.0,)


def test_sums_that_differ_by_rounding_are_one_frequency() -> None:
    # 0.1 + 0.2 is not 0.3 in floating point.
    frequencies = model_spectrum(reading(0.1, 0.2, 0.3), 0).frequencies
    np.testing.assert_allclose(frequencies, 0.1 * np.arange(7), atol=1e-12)
    assert frequencies[0] == 0.0


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=5))
def test_it_is_the_set_of_all_sums(scales: list[int]) -> None:
    circuit = reading(*map(float, scales))
    for find, digits in [(model_spectrum, (-1, 0, 1)), (gradient_spectrum, range(-2, 3))]:
        choices = product(digits, repeat=len(scales))
        sums = {sum(d * s for d, s in zip(c, scales, strict=True)) for c in choices}
        expected = [float(s) for s in sorted(sums) if s >= 0]
        np.testing.assert_allclose(find(circuit, 0).frequencies, expected, atol=1e-9)
        assert find(circuit, 0).count == len(sums)


def lines(values: torch.Tensor) -> set[int]:
    """The frequencies, in turns, at which samples over one period have energy."""
    energy = np.abs(np.fft.rfft(values.detach().numpy())) / len(values)
    return set(np.flatnonzero(energy > 1e-9).tolist())


def in_turns(spectrum: Spectrum) -> set[int]:
    return {round(f / TURN) for f in spectrum.frequencies}


@pytest.mark.parametrize("m", [1, 2, 3])
def test_a_fourier_transform_of_the_circuit_finds_these_lines_and_no_others(m: int) -> None:
    circuit = circuits.privacy(1, m, layers=4)
    samples = 4 * 5**m
    x = torch.arange(samples, dtype=torch.float64)[:, None] / samples
    rng = torch.Generator().manual_seed(m)
    angles = 6 * torch.rand(circuit.num_parameters, dtype=torch.float64, generator=rng)
    parameters = angles.expand(samples, -1).clone().requires_grad_()
    outputs = ReferenceEngine(circuit)(x, parameters)
    # The mean over x is the observable's trace, as the tower uploads once: the one line of zero.
    assert lines(outputs[:, 0]) == in_turns(model_spectrum(circuit, 0)) - {0}
    (gradients,) = torch.autograd.grad((outputs - 0.3).square().sum(), parameters)
    found = [lines(column) for column in gradients.T]
    assert set.union(*found) == in_turns(gradient_spectrum(circuit, 0))


@settings(max_examples=10)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=3))
def test_nothing_lies_outside_of_the_spectrum(scales: list[int]) -> None:
    circuit = reading(*(TURN * s for s in scales))
    x = torch.arange(64, dtype=torch.float64)[:, None] / 64
    outputs = ReferenceEngine(circuit)(x, x.new_empty(0))
    assert lines(outputs[:, 0]) <= in_turns(model_spectrum(circuit, 0))


def test_a_transformed_feature_has_its_frequencies_there() -> None:
    gate = circuits.qlstm_gate()
    assert model_spectrum(gate, 1, Transform.ARCTAN).frequencies == (0.0, 1.0)
    tower = Circuit(3, encodings.chebyshev_tower(1, 3), (), circuits.parity(3))
    assert model_spectrum(tower, 0, Transform.ARCCOS).largest == 6.0


@pytest.mark.parametrize("find", [model_spectrum, gradient_spectrum])
def test_a_feature_that_nothing_reads_is_refused(find: Find) -> None:
    with pytest.raises(CircuitError, match=r"no rotation reads identity\(x1\); .*identity\(x0\)"):
        find(circuits.privacy(1, 2), 1)
    bare = Circuit(1, (), (), circuits.z_each([0]), "bare")
    with pytest.raises(CircuitError, match=r"bare: no rotation reads identity\(x0\).*none"):
        find(bare, 0)
