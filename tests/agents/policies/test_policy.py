# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from agents.policies.policy import Policy, choose, load_arrays, to_arrays
from quantum.core import Core
from quantum.engines import Engine
from quantum.fast_weights import QFWP, Front
from quantum.feedforward import VQC
from quantum.gradients import GradientMethod, gradient_engine
from quantum.programmer import UpdateRule
from sim.environments.interface import Interface, ObservationKind
from sim.errors import InputError

VECTOR = Interface(ObservationKind.VECTOR, (3,), 3)
BEGINS = torch.tensor([[1, 0, 0, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0], [0] * 7]).bool()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stirred(policy: Policy) -> Policy:
    """All parameters of order one: the first ones are too near to indifference to show errors."""
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator(7)), alpha=0.5)
    return policy


@pytest.mark.parametrize("core", CoreName)
def test_learning_at_once_equals_acting_step_by_step(core: CoreName) -> None:
    options = PolicyOptions(core, match_params=200)
    policy = stirred(make_policy(options, VECTOR, generator()))
    observations = torch.randn(3, 7, 3, generator=generator(1))
    start = 0.3 * torch.randn(3, policy.initial_state(1).shape[1], generator=generator(2))
    with torch.no_grad():
        whole = policy.unroll(observations, start, BEGINS)
        few = policy.unroll(observations, start, BEGINS, 2)
    state = start
    for step in range(7):
        seen = observations[:, step].numpy()
        acted = policy.act(seen, state, BEGINS[:, step].numpy(), None)
        state = acted.state
        log_probs = whole.logits[:, step].log_softmax(-1)
        np.testing.assert_array_equal(acted.actions, log_probs.argmax(-1))
        np.testing.assert_allclose(acted.log_probs, log_probs.max(-1).values, atol=1e-5)
        np.testing.assert_allclose(acted.values, whole.values[:, step], atol=1e-5)
    torch.testing.assert_close(state, whole.state, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(few.logits, whole.logits[:, -2:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(few.values, whole.values[:, -2:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(few.state, whole.state, rtol=1e-4, atol=1e-5)


def fast(rule: UpdateRule, engine: Callable[..., Engine]) -> Core[Any]:
    return QFWP(
        4, 3, 2, 3, rule, front=Front.LINEAR, squash=True, engine=engine, generator=generator()
    )


def fixed(engine: Callable[..., Engine]) -> Core[Any]:
    return VQC(4, 3, 2, 3, engine=engine, generator=generator())


@pytest.mark.parametrize("core", [*(partial(fast, rule) for rule in UpdateRule), fixed])
def test_parameter_shift_equals_adjoint_inside_a_policy(
    core: Callable[[Callable[..., Engine]], Core[Any]],
) -> None:
    gradients = []
    for method in (GradientMethod.ADJOINT, GradientMethod.PARAMETER_SHIFT):
        engine = partial(gradient_engine, method=method)
        body = core(engine).double()
        # In float64 the two differ by rounding alone; the encoder of vectors would make float32.
        policy = Policy(nn.Identity(), nn.Identity(), body, 5, generator()).double()  # type: ignore[arg-type]
        stirred(policy)
        observations = torch.randn(3, 7, 4, generator=generator(1), dtype=torch.float64)
        start = torch.zeros(3, body.state_size, dtype=torch.float64)
        said = policy.unroll(observations, start, BEGINS, 4)
        loss = said.logits.log_softmax(-1)[..., 0].mean() + (said.values - 1).square().mean()
        loss.backward()
        gradients.append({name: p.grad for name, p in policy.named_parameters()})
    adjoint, shifted = gradients
    assert all(gradient is not None and gradient.any() for gradient in adjoint.values())
    torch.testing.assert_close(shifted, adjoint, rtol=0, atol=1e-12)


def test_what_acting_returns_may_be_learnt_from() -> None:
    """Its state is an inference tensor, so it goes to the learner as an array."""
    policy = make_policy(PolicyOptions(CoreName.LSTM, 200), VECTOR, generator())
    seen, begins = np.zeros((2, 3), np.float32), np.ones(2, np.bool_)
    acted = policy.act(seen, policy.initial_state(2), begins, None)
    state = torch.from_numpy(acted.state.numpy())
    said = policy.unroll(torch.zeros(2, 1, 3), state, torch.zeros(2, 1, dtype=torch.bool))
    said.values.sum().backward()
    assert policy.critic.weight.grad is not None


def test_actions_are_chosen_as_often_as_the_softmax_says() -> None:
    logits = np.array([[0.0, 1.0, -1.0, 2.5, 0.3]], np.float32)
    count = 20_000
    uniforms = np.random.default_rng(0).random(count)
    actions, log_probs = choose(logits.repeat(count, 0), uniforms)
    probabilities = np.exp(logits[0]) / np.exp(logits[0]).sum()
    found = np.bincount(actions, minlength=5)
    assert stats.chisquare(found, count * probabilities / probabilities.sum()).pvalue > 0.01
    np.testing.assert_allclose(log_probs, np.log(probabilities)[actions], atol=1e-6)


def test_the_most_likely_action_is_taken_without_randomness() -> None:
    logits = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    actions, log_probs = choose(logits, None)
    np.testing.assert_array_equal(actions, logits.argmax(1))
    np.testing.assert_allclose(
        log_probs, torch.from_numpy(logits).log_softmax(1).numpy().max(1), atol=1e-6
    )


@pytest.mark.parametrize("shift", [0.0, 3e38, -3e38])
def test_extreme_logits_are_no_trouble(shift: float) -> None:
    logits = np.array([[-2e30, 0.0, -90.0, -2e30]], np.float32) + np.float32(shift)
    for uniform in (0.0, 0.5, np.nextafter(1.0, 0.0)):
        actions, log_probs = choose(logits, np.array([uniform]))
        assert np.isfinite(log_probs).all()
        assert shift != 0 or actions.tolist() == [1]


def test_an_action_of_no_probability_is_never_chosen() -> None:
    logits = np.array([[-1e4, 0.0, -1e4, 0.0, -1e4]], np.float32).repeat(3, 0)
    actions, _ = choose(logits, np.array([0.0, 0.5, np.nextafter(1.0, 0.0)]))
    assert actions.tolist() == [1, 3, 3]


def test_parameters_go_out_as_arrays_and_come_back() -> None:
    options = PolicyOptions(CoreName.GRU, 300)
    one, other = (make_policy(options, VECTOR, generator(seed)) for seed in (0, 1))
    arrays = to_arrays(one)
    assert {name: value.shape for name, value in arrays.items()} == {
        name: tuple(p.shape) for name, p in one.named_parameters()
    }
    load_arrays(other, arrays)
    for name, value in to_arrays(other).items():
        np.testing.assert_array_equal(value, arrays[name])
    arrays["critic.bias"][:] = 9  # copies: neither policy hears of it
    assert one.critic.bias.item() != 9
    assert other.critic.bias.item() != 9


def test_arrays_of_another_policy_are_refused_and_change_nothing() -> None:
    policy = make_policy(PolicyOptions(CoreName.MLP, 100), VECTOR, generator())
    before = to_arrays(policy)
    wider = {**before, "actor.bias": np.zeros(7, np.float32)}
    message = r"shape of actor.bias is \(7,\); allowed: \(3,\)"
    with pytest.raises(InputError, match=message):
        load_arrays(policy, {name: value + 1 for name, value in wider.items()})
    fewer = {name: value for name, value in before.items() if name != "actor.bias"}
    with pytest.raises(InputError, match=r"without \['actor.bias'\], with \['else'\]"):
        load_arrays(policy, {**fewer, "else": np.zeros(1, np.float32)})
    for name, value in to_arrays(policy).items():
        np.testing.assert_array_equal(value, before[name])
