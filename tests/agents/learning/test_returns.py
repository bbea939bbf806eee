# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.learning.losses import a3c, actor_critic, clipped, say
from agents.learning.options import LearnOptions
from agents.learning.returns import Advantages, Outcome, gae, vtrace
from quantum.scan import linear_loop

Array = NDArray[np.float64]


class Lane:
    """Random rows of one lane, and the stretches of them that are one episode each."""

    def __init__(self, rng: np.random.Generator, steps: int) -> None:
        self.rewards, self.values = rng.normal(size=steps), rng.normal(size=steps + 1)
        self.log_ratios = rng.normal(size=steps)
        self.terminated, self.truncated, self.valid = np.zeros((3, steps), dtype=bool)
        self.stretches: list[range] = []
        row = int(rng.integers(2))  # the first may be the closing row of an earlier rollout
        self.rewards[:row] = 0
        while row < steps:
            length, end = int(rng.integers(1, 6)), rng.choice(["terminated", "truncated", "broken"])
            last = row + length - 1
            if end == "broken":  # its rows cannot be learnt from, and there is no closing row
                self.rewards[min(last, steps - 1)] = 0
                row = last + 1
                continue
            self.stretches.append(range(row, min(row + length, steps)))
            self.valid[row : last + 1] = True
            if last < steps:
                (self.terminated if end == "terminated" else self.truncated)[last] = True
            if last + 1 < steps:
                self.rewards[last + 1] = 0
            row = last + 2

    def next_value(self, row: int, following: float) -> float:
        return 0.0 if self.terminated[row] else following


def gae_by_definition(lane: Lane, discount: float, gae_lambda: float) -> tuple[Array, Array]:
    """A_t = sum_l (gamma lambda)^l delta_{t+l}, over the episode of t."""
    advantages = np.zeros_like(lane.rewards)
    for stretch in lane.stretches:
        for row in stretch:
            for later in range(row, stretch.stop):
                bootstrap = discount * lane.next_value(later, lane.values[later + 1])
                delta = lane.rewards[later] + bootstrap - lane.values[later]
                advantages[row] += (discount * gae_lambda) ** (later - row) * delta
    return advantages, advantages + lane.values[:-1]


def vtrace_by_definition(
    lane: Lane, discount: float, rho_bar: float, c_bar: float, trace_lambda: float
) -> tuple[Array, Array]:
    """v_s = V_s + sum_t gamma^{t-s} (prod_{i=s}^{t-1} c_i) delta_t, and rho (r + gamma v' - V)."""
    ratios, targets = np.exp(lane.log_ratios), lane.values[:-1].copy()
    advantages = np.zeros_like(lane.rewards)
    for stretch in lane.stretches:
        for row in stretch:
            for later in range(row, stretch.stop):
                trace = np.prod([trace_lambda * min(c_bar, ratios[i]) for i in range(row, later)])
                bootstrap = discount * lane.next_value(later, lane.values[later + 1])
                delta = lane.rewards[later] + bootstrap - lane.values[later]
                weight = discount ** (later - row) * trace * min(rho_bar, ratios[later])
                targets[row] += weight * delta
        for row in stretch:
            last = row == stretch.stop - 1
            following = lane.next_value(row, lane.values[row + 1] if last else targets[row + 1])
            error = lane.rewards[row] + discount * following - lane.values[row]
            advantages[row] = min(rho_bar, ratios[row]) * error
    return advantages, targets


def together(lanes: list[Lane]) -> tuple[Outcome, torch.Tensor]:
    def stacked(part: Callable[[Lane], Array]) -> torch.Tensor:
        return torch.from_numpy(np.stack([part(lane) for lane in lanes]))

    outcome = Outcome(
        rewards=stacked(lambda lane: lane.rewards),
        terminated=stacked(lambda lane: lane.terminated),
        ended=stacked(lambda lane: lane.terminated | lane.truncated),
        valid=stacked(lambda lane: lane.valid),
        values=stacked(lambda lane: lane.values),
    )
    return outcome, stacked(lambda lane: lane.log_ratios)


def lanes_of(seed: int, count: int = 4, steps: int = 13) -> list[Lane]:
    rng = np.random.default_rng(seed)
    return [Lane(rng, steps) for _ in range(count)]


def assert_rows(found: Advantages, wanted: list[tuple[Array, Array]]) -> None:
    advantages, targets = (np.stack(part) for part in zip(*wanted, strict=True))
    np.testing.assert_allclose(found.advantages, advantages, atol=1e-12)
    np.testing.assert_allclose(found.targets, targets, atol=1e-12)


shares = st.sampled_from([0.0, 0.3, 0.95, 1.0])


@given(st.integers(0, 2**32), shares, shares, st.integers(1, 20))
def test_gae_is_the_discounted_sum_over_each_episode(
    seed: int, discount: float, gae_lambda: float, steps: int
) -> None:
    lanes = lanes_of(seed, steps=steps)
    wanted = [gae_by_definition(lane, discount, gae_lambda) for lane in lanes]
    assert_rows(gae(together(lanes)[0], discount, gae_lambda), wanted)
    assert_rows(gae(together(lanes)[0], discount, gae_lambda, linear_loop), wanted)


bounds = st.sampled_from([0.5, 1.0, 2.0, np.inf])


@given(st.integers(0, 2**32), shares, bounds, bounds, shares)
def test_vtrace_is_the_sum_of_the_paper_over_each_episode(
    seed: int, discount: float, rho_bar: float, c_bar: float, trace_lambda: float
) -> None:
    lanes = lanes_of(seed)
    outcome, log_ratios = together(lanes)
    wanted = [vtrace_by_definition(ln, discount, rho_bar, c_bar, trace_lambda) for ln in lanes]
    found = vtrace(outcome, log_ratios, discount, rho_bar, c_bar, trace_lambda)
    assert_rows(found, wanted)


def test_where_policies_are_equal_vtrace_is_the_n_step_bellman_target() -> None:
    lanes = lanes_of(5, count=50)
    outcome, log_ratios = together(lanes)
    found = vtrace(outcome, torch.zeros_like(log_ratios), 0.9)
    checked = 0
    for number, lane in enumerate(lanes):
        for stretch in lane.stretches:
            target = lane.next_value(stretch[-1], lane.values[stretch.stop])
            for row in reversed(stretch):
                target = lane.rewards[row] + 0.9 * target
                assert found.targets[number, row] == pytest.approx(target)
                assert found.advantages[number, row] == pytest.approx(target - lane.values[row])
                checked += 1
    assert checked > 300


def test_without_lag_all_algorithms_have_the_same_gradient() -> None:
    outcome, log_ratios = together(lanes_of(3))
    none = torch.zeros_like(log_ratios)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(*none.shape, 3, generator=generator, dtype=torch.float64)
    actions = torch.randint(3, none.shape, generator=generator)
    gradients = []
    for algorithm in ("vtrace", "ppo", "a3c"):
        leaf, values = logits.clone().requires_grad_(), outcome.values[:, :-1].clone()
        said = say(leaf, values.requires_grad_(), actions)
        learn = gae(outcome, 0.9, 1.0)
        if algorithm == "vtrace":
            loss = actor_critic(said, vtrace(outcome, none, 0.9), outcome.valid)
        elif algorithm == "ppo":
            options = LearnOptions(normalise=False)
            loss = clipped(said, said.log_probs.detach(), learn, outcome.valid, options)
        else:  # the whole squared error instead of half of it
            loss = a3c(said, learn, outcome.valid)
            loss = loss._replace(value=loss.value / 2)
        loss.total(0.5, 0.01).backward()
        gradients.append((leaf.grad, values.grad))
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], rtol=0, atol=1e-15)


def test_ppo_has_no_gradient_beyond_its_bound() -> None:
    old = torch.zeros(1, 4)
    new = torch.tensor([[0.5, -0.5, 0.5, -0.5]]).requires_grad_()
    learn = Advantages(torch.tensor([[1.0, 1.0, -1.0, -1.0]]), torch.zeros(1, 4))
    said = say(torch.zeros(1, 4, 2), torch.zeros(1, 4), torch.zeros(1, 4, dtype=torch.long))
    loss = clipped(
        said._replace(log_probs=new),
        old,
        learn,
        torch.ones(1, 4, dtype=torch.bool),
        LearnOptions(normalise=False),
    )
    loss.policy.backward()
    assert new.grad is not None
    assert (new.grad != 0).tolist() == [[False, True, True, False]]


def test_rows_that_do_not_count_change_nothing() -> None:
    outcome, log_ratios = together(lanes_of(8))
    spoilt = outcome._replace(rewards=outcome.rewards.masked_fill(~outcome.valid, 99.0))
    for learn in (gae(spoilt, 0.9, 0.9), vtrace(spoilt, log_ratios, 0.9)):
        assert not learn.advantages[~outcome.valid].any()
    assert torch.equal(gae(spoilt, 0.9, 0.9).advantages, gae(outcome, 0.9, 0.9).advantages)
