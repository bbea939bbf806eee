# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from quantum.engines import EngineName
from quantum.errors import CircuitError
from quantum.fast_weights import QFWP, Front
from quantum.gradients import GradientMethod, gradient_engine
from quantum.programmer import UpdateRule
from quantum.scan import linear_loop
from tests.quantum.core_claims import (
    CLAIMS,
    Build,
    assert_close,
    built,
    generator,
    name,
    policy_gradients,
    sequence,
)


def small(rule: UpdateRule = UpdateRule.ADDITIVE, **options: Any) -> Build:
    return lambda g: QFWP(2, qubits=3, layers=2, measured=2, rule=rule, generator=g, **options)


CORES: dict[str, Build] = {
    **{str(rule): small(rule) for rule in UpdateRule},
    "linear front, squashed": small(UpdateRule.GATED, front=Front.LINEAR, squash=True),
    "torch engine": small(engine=EngineName.TORCH),
}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_claim(claim: Callable[[Build], None], core: str) -> None:
    claim(CORES[core])


def qfwp(rule: UpdateRule, seed: int = 0, **options: Any) -> QFWP:
    core = built(small(rule, **options), seed)
    assert isinstance(core, QFWP)
    return core


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_the_sizes_are_those_of_the_specification() -> None:
    assert count(QFWP(1)) == 106
    assert count(QFWP(1), nn.Linear(4, 1)) == 111
    policy = QFWP(147, measured=8, front=Front.LINEAR, squash=True)
    assert count(policy, nn.Linear(8, 7), nn.Linear(8, 1)) == 2530
    assert policy.initial_state(1, torch.float32, torch.device("cpu")).numel() == 16


@pytest.mark.parametrize(
    ("rule", "extra"),
    [(UpdateRule.ADDITIVE, 0), (UpdateRule.DECAY, 1), (UpdateRule.GATED, 9), ("bounded", 18)],
)
def test_a_rule_adds_only_its_gates(rule: UpdateRule, extra: int) -> None:
    assert count(QFWP(1, rule=rule)) == 106 + extra


def test_circuits_are_counted() -> None:
    assert QFWP(1).num_circuits(10, 4) == 40
    assert QFWP(1).num_circuits(10, 4, last=1) == 10


def written_out(angles: np.ndarray, weights: np.ndarray, measured: int) -> list[float]:
    """The circuit by the specification: real amplitudes, one gate after the other."""
    layers, qubits = weights.shape
    state = np.full((2,) * qubits, 2 ** (-qubits / 2))

    def turn(state: np.ndarray, wire: int, angle: float) -> np.ndarray:
        c, s = np.cos(angle / 2), np.sin(angle / 2)
        moved = np.tensordot(np.array([[c, -s], [s, c]]), state, (1, wire))
        return np.moveaxis(moved, 0, wire)

    for wire, angle in enumerate(angles):
        state = turn(state, wire, angle)
    for layer in range(layers):
        for first in (*range(0, qubits - 1, 2), *range(1, qubits - 1, 2)):
            state = np.moveaxis(state, (first, first + 1), (0, 1)).copy()
            state[1] = state[1, ::-1].copy()
            state = np.moveaxis(state, (0, 1), (first, first + 1))
        for wire in range(qubits):
            state = turn(state, wire, weights[layer, wire])
    axes = [tuple(a for a in range(qubits) if a != w) for w in range(measured)]
    return [float(np.diff((state**2).sum(a))[0] * -1) for a in axes]


@pytest.mark.parametrize("front", Front)
def test_outputs_are_those_of_the_released_model_written_out(front: Front) -> None:
    core = QFWP(3, qubits=5, measured=4, front=front, generator=generator()).double()
    x = sequence(core)
    outputs, state = core(x)
    encoder, rows, columns = (
        (m.weight.detach().numpy(), m.bias.detach().numpy())
        for m in (core.programmer.encoder, core.programmer.row_head, core.programmer.column_head)
    )
    for sample in range(x.shape[0]):
        weights = np.zeros((2, 5))
        for step, features in enumerate(x[sample].numpy()):
            latent = encoder[0] @ features + encoder[1]
            update = np.outer(rows[0] @ latent + rows[1], columns[0] @ latent + columns[1])
            weights = weights + update
            angles = features
            if core.front is not None:
                angles = core.front(x[sample, step]).detach().numpy()
            expected = written_out(angles, weights, 4)
            np.testing.assert_allclose(outputs[sample, step].tolist(), expected, atol=1e-13)
        np.testing.assert_allclose(state[sample].detach().numpy(), weights, atol=1e-13)


@given(st.sampled_from(list(UpdateRule)), st.integers(0, 1000), st.integers(1, 20), st.booleans())
def test_the_scan_is_the_loop(rule: UpdateRule, seed: int, steps: int, squash: bool) -> None:
    core = qfwp(rule, seed, squash=squash)
    x = torch.randn(2, steps, 2, generator=generator(seed), dtype=torch.float64)
    reset = torch.rand(2, steps, generator=generator(seed)) < 0.2
    start = torch.randn(2, 2, 3, generator=generator(seed), dtype=torch.float64)
    found = []
    for recurrence in ({}, {"recurrence": linear_loop}):
        weights = core.fast_weights(x, start, reset, **recurrence)
        leaves = list(core.programmer.parameters())
        found.append((weights, *torch.autograd.grad(weights.sin().sum(), leaves)))
    for scanned, looped in zip(*found, strict=True):
        scale = max(1.0, looped.abs().max().item())
        torch.testing.assert_close(scanned, looped, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("rule", UpdateRule)
def test_only_the_additive_rule_is_blind_to_the_order_of_the_past(rule: UpdateRule) -> None:
    core = qfwp(rule)
    x = sequence(core)
    order = torch.tensor([3, 1, 4, 0, 2, 5])
    difference = (core(x)[0][:, -1] - core(x[:, order])[0][:, -1]).abs().max()
    if rule is UpdateRule.ADDITIVE:
        assert difference <= 1e-14
        # It is the past that may be permuted; the last input is also read by the circuit itself.
        moved = x[:, torch.tensor([5, 1, 2, 3, 4, 0])]
        assert (core(x)[0][:, -1] - core(moved)[0][:, -1]).abs().max() > 1e-3
    else:
        assert difference > 1e-4


def test_the_additive_memory_has_the_identity_as_jacobian_and_a_decayed_one_its_power() -> None:
    steps, a = 9, 0.5
    x = torch.randn(1, steps, 2, generator=generator(1), dtype=torch.float64)
    for rule, factor in ((UpdateRule.ADDITIVE, 1.0), (UpdateRule.DECAY, a**steps)):
        core = qfwp(rule, decay=a)

        def last(start: torch.Tensor, core: QFWP = core) -> torch.Tensor:
            return core.fast_weights(x, start.reshape(1, 2, 3))[0, -1].flatten()

        jacobian = torch.autograd.functional.jacobian(last, torch.zeros(6, dtype=torch.float64))
        torch.testing.assert_close(jacobian, factor * torch.eye(6).double(), atol=1e-15, rtol=0)


def test_bounded_memories_stay_bounded_where_the_additive_one_grows() -> None:
    x = torch.ones(1, 500, 2, dtype=torch.float64)
    sizes = {}
    for rule in UpdateRule:
        core = qfwp(rule)
        _, state = core(x, None, None, last=1)
        sizes[rule] = state.abs().max().item()
    assert sizes[UpdateRule.ADDITIVE] > 20 * sizes[UpdateRule.GATED]
    assert sizes[UpdateRule.ADDITIVE] > 20 * sizes[UpdateRule.BOUNDED]


@pytest.mark.parametrize("method", GradientMethod)
@pytest.mark.parametrize("rule", UpdateRule)
def test_a_quantum_computer_could_train_the_programmer_of_a_policy(
    rule: UpdateRule, method: GradientMethod
) -> None:
    builds = (small(rule, front=Front.LINEAR, squash=True, engine=engine) for engine in (
        "auto", partial(gradient_engine, method=method)
    ))  # fmt: skip
    ours, theirs = map(policy_gradients, builds)
    assert min(slope.abs().max() for slope in ours) > 1e-3
    assert_close(tuple(ours), tuple(theirs), 1e-11)


def test_the_engines_agree() -> None:
    x = torch.randn(2, 3, 2, generator=generator(1), dtype=torch.float64)
    outputs = [
        qfwp(UpdateRule.GATED, engine=engine)(x)[0]
        for engine in (EngineName.AUTO, EngineName.TORCH, EngineName.REFERENCE)
    ]
    for other in outputs[1:]:
        torch.testing.assert_close(outputs[0], other, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 0}, "features is 0"),
        ({"features": 9}, "features is 9, but only 8 qubits.*front='linear'"),
        ({"qubits": 0}, "qubits is 0"),
        ({"layers": 0}, "layers is 0"),
        ({"measured": 0}, "measured is 0"),
        ({"measured": 9}, "measured is 9; allowed: 1 to 8"),
        ({"front": "cubic"}, "front is 'cubic'; allowed: raw, linear"),
        ({"rule": "delta"}, "rule is 'delta'; allowed: additive, decay, gated, bounded"),
        ({"decay": 1.5, "rule": UpdateRule.DECAY}, "decay is 1.5"),
        ({"engine": "quick"}, "engine is 'quick'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        QFWP(**{"features": 1, **options})
