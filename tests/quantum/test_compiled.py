# SPDX-License-Identifier: Apache-2.0
"""What only the compiled engine could get wrong: how its node sits in torch's graph."""

import pytest
import torch

from quantum.circuit import Circuit, Input, Parameter, PauliString, Rotation
from quantum.engines.compiled import CompiledEngine
from quantum.errors import CircuitError

CIRCUIT = Circuit(
    2,
    (Rotation(PauliString("Y", (0,)), Input(1)),),
    (Rotation(PauliString("XY", (0, 1)), Parameter(0)),),
    (PauliString("Z", (0,)), PauliString("Z", (1,))),
)
"""Reads the second of two features, which lies between others in memory."""


def second_derivative(inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    outputs = CompiledEngine(CIRCUIT)(inputs, parameters)
    (slope,) = torch.autograd.grad(outputs.sum(), parameters, create_graph=True)
    (result,) = torch.autograd.grad((slope**2).sum(), inputs)
    return result


def test_second_derivatives_reach_what_is_not_contiguous() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(5, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    wide = torch.rand(5, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    strided = wide[:, 1:2]
    expected = second_derivative(inputs, strided.detach().clone().requires_grad_())
    assert expected[:, 1].abs().min() > 1e-3
    torch.testing.assert_close(second_derivative(inputs, strided), expected, rtol=0, atol=1e-14)


def test_a_batch_that_does_not_fit_is_refused_before_it_is_allocated() -> None:
    wires = tuple(range(15))
    turns = tuple(Rotation(PauliString(p, (w,)), Parameter(w)) for p in "XY" for w in wires)
    engine = CompiledEngine(Circuit(15, (), turns, (PauliString("Z" * 15, wires),)))
    parameters = torch.zeros(15, dtype=torch.float64, requires_grad=True)
    with pytest.raises(
        CircuitError, match=r"65,536 rows for a batch of 50,000,000 needs \S+ bytes"
    ):
        engine(torch.zeros(50_000_000, 0, dtype=torch.float64), parameters)
