# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from quantum.classical import MLP
from quantum.errors import CircuitError
from quantum.fast_weights import QFWP, Front
from quantum.feedforward import VQC
from quantum.gradients import GradientMethod, gradient_engine
from tests.quantum.core_claims import (
    BATCH,
    RESET,
    WITHOUT_MEMORY,
    Build,
    assert_close,
    built,
    generator,
    name,
    policy_gradients,
    sequence,
)

CORES: dict[str, Build] = {
    "vqc": lambda g: VQC(2, qubits=3, layers=2, measured=2, generator=g),
    "vqc, more features than qubits": lambda g: VQC(5, qubits=2, layers=1, measured=1, generator=g),
    "mlp": lambda g: MLP(2, hidden=3, generator=g),
}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("claim", WITHOUT_MEMORY, ids=name)
def test_claim(claim: Callable[[Build], None], core: str) -> None:
    claim(CORES[core])


@pytest.mark.parametrize("core", CORES)
def test_nothing_is_remembered(core: str) -> None:
    found = built(CORES[core])
    x = sequence(found)
    outputs, state = found(x, None, RESET)
    assert found.state_size == 0
    assert state.shape == (BATCH, 0)
    assert_close(found(x.flip(1))[0].flip(1), outputs)


def test_it_is_the_fast_weight_programmer_with_constant_angles() -> None:
    vqc = VQC(3, qubits=4, layers=2, measured=2, generator=generator()).double()
    fast = QFWP(3, 4, 2, 2, front=Front.LINEAR, generator=generator(1)).double()
    with torch.no_grad():
        vqc.circuit.weights.add_(torch.randn(8, generator=generator(2)).double())
        for part in (fast.programmer.row_head.weight, fast.programmer.row_head.bias):
            part.zero_()  # no update: the angles stay what the state says
    assert fast.front is not None
    fast.front.load_state_dict(vqc.front.state_dict())
    angles = vqc.circuit.weights.detach().reshape(2, 4).expand(BATCH, 2, 4)
    x = sequence(vqc)
    assert_close(vqc(x)[0], fast(x, angles)[0])
    assert vqc.num_circuits(10, 4, 2) == 20


@pytest.mark.parametrize("method", GradientMethod)
def test_a_quantum_computer_could_train_the_angles_of_a_policy(method: GradientMethod) -> None:
    ours, theirs = (
        policy_gradients(lambda g, e=engine: VQC(2, 3, 2, 2, engine=e, generator=g))  # type: ignore[misc]
        for engine in ("auto", partial(gradient_engine, method=method))
    )
    assert min(slope.abs().max() for slope in ours) > 1e-3
    assert_close(tuple(ours), tuple(theirs), 1e-11)


def test_the_mlp_is_one_layer_and_tanh() -> None:
    core = MLP(2, hidden=3, generator=generator()).double()
    x = sequence(core)
    expected = (x @ core.layer.weight.T + core.layer.bias).tanh()
    assert_close(core(x, last=2)[0], expected[:, -2:])


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (VQC, {"features": 0}, "features is 0"),
        (VQC, {"qubits": 0}, "qubits is 0"),
        (VQC, {"layers": 0}, "layers is 0"),
        (VQC, {"measured": 0}, "measured is 0"),
        (VQC, {"measured": 9}, "measured is 9; allowed: 1 to 8"),
        (MLP, {"features": 0}, "features is 0"),
        (MLP, {"hidden": 0}, "hidden is 0"),
    ],
)
def test_what_cannot_be_is_refused(
    build: Callable[..., Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CircuitError, match=message):
        build(**{"features": 1, **options})
