# SPDX-License-Identifier: Apache-2.0
"""Circuits under vmap: the same as one model after another, gradients too."""

import pytest
import torch
from torch.func import functional_call, vmap

from quantum.circuits import privacy
from quantum.engines import EngineName
from quantum.fast_weights import QFWP
from quantum.layer import QuantumLayer

MODELS, SAMPLES = 5, 3


def test_mapped_layers_say_and_learn_the_same_as_each_alone(engine: EngineName) -> None:
    layers = [
        QuantumLayer(privacy(2, 2, 3), torch.Generator().manual_seed(k), engine=engine).double()
        for k in range(MODELS)
    ]
    inputs = torch.rand(MODELS, SAMPLES, 2, dtype=torch.float64)
    weights = torch.stack([one.weights.detach() for one in layers]).requires_grad_()

    together = vmap(lambda w, x: functional_call(layers[0], {"weights": w}, (x,)))(weights, inputs)
    together.square().sum().backward()

    for k, layer in enumerate(layers):
        alone = layer(inputs[k])
        alone.square().sum().backward()
        torch.testing.assert_close(together[k], alone)
        torch.testing.assert_close(weights.grad[k], layer.weights.grad)


def test_what_is_not_mapped_is_the_same_for_all(engine: EngineName) -> None:
    layer = QuantumLayer(privacy(2, 2, 3), engine=engine).double()
    inputs = torch.rand(SAMPLES, 2, dtype=torch.float64)
    weights = torch.rand(MODELS, layer.circuit.num_parameters, dtype=torch.float64)

    by_weights = vmap(layer, in_dims=(None, 0))(inputs, weights)
    by_inputs = vmap(layer, in_dims=(1, None))(inputs[:, None].expand(-1, MODELS, -1), weights[0])

    for k in range(MODELS):
        torch.testing.assert_close(by_weights[k], layer(inputs, weights[k]))
        torch.testing.assert_close(by_inputs[k], layer(inputs, weights[0]))


def test_maps_nest(engine: EngineName) -> None:
    layer = QuantumLayer(privacy(1, 2, 2), engine=engine).double()
    inputs = torch.rand(2, MODELS, SAMPLES, 1, dtype=torch.float64)
    weights = torch.rand(2, MODELS, layer.circuit.num_parameters, dtype=torch.float64)
    nested = vmap(vmap(layer))(inputs, weights)
    torch.testing.assert_close(nested[1, 2], layer(inputs[1, 2], weights[1, 2]))


def test_a_recurrent_core_is_mapped_as_well(engine: EngineName) -> None:
    cores = [
        QFWP(1, qubits=4, engine=engine, generator=torch.Generator().manual_seed(k)).double()
        for k in range(MODELS)
    ]
    windows = torch.rand(MODELS, SAMPLES, 4, 1, dtype=torch.float64)
    names = [name for name, _ in cores[0].named_parameters()]
    stacked = {n: torch.stack([one.get_parameter(n).detach() for one in cores]) for n in names}
    together = vmap(lambda p, x: functional_call(cores[0], p, (x,))[0])(stacked, windows)
    for k, core in enumerate(cores):
        torch.testing.assert_close(together[k], core(windows[k])[0])


@pytest.fixture(params=[EngineName.TORCH, EngineName.COMPILED])
def engine(request: pytest.FixtureRequest) -> EngineName:
    chosen: EngineName = request.param
    return chosen
