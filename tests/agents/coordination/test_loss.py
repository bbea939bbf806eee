# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from agents.coordination.features import collate, graph_features
from agents.coordination.improvement import Credit, draw_orders, improvement_loss, weigh
from agents.coordination.improvement import ImprovementOptions as Improvement
from agents.coordination.loss import (
    LossOptions,
    divergence,
    imitation_loss,
    masked_bce,
    plackett_luce,
)
from agents.coordination.model import Posterior
from agents.coordination.targets import collate_targets, pool_targets, pool_weights
from sim.errors import InputError
from sim.schedule import Objective
from tests.agents.coordination.coordination_examples import labelled, small_model, some_instance


def test_the_divergence_is_that_of_gaussians() -> None:
    posterior = Posterior(torch.tensor([[0.3, -1.0]]), torch.tensor([[-0.5, 0.7]]))
    expected = kl_divergence(Normal(posterior.mean, posterior.log_std.exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(divergence(posterior), expected)


def test_plackett_luce_is_a_distribution_over_orders() -> None:
    rank = torch.tensor([0.3, -1.0, 2.0, 0.5])
    orders = torch.tensor(list(itertools.permutations(range(4))))
    log_p = plackett_luce(rank.expand(len(orders), -1), orders)
    assert log_p.exp().sum().item() == pytest.approx(1.0)
    assert orders[log_p.argmax()].tolist() == rank.argsort().tolist()


def test_drawn_orders_have_their_probability() -> None:
    rank = torch.tensor([0.0, 0.7, -0.4])
    drawn = draw_orders(rank.expand(20_000, -1), torch.Generator().manual_seed(0))
    for order in itertools.permutations(range(3)):
        share = (drawn == torch.tensor(order)).all(dim=1).float().mean().item()
        expected = plackett_luce(rank[None], torch.tensor([order])).exp().item()
        assert share == pytest.approx(expected, abs=0.012)


def test_the_divergence_is_free_up_to_the_free_bits_and_warms_up() -> None:
    options = LossOptions(beta=0.1, warmup_steps=10)
    assert [options.beta_at(step) for step in (0, 4, 9, 100)] == pytest.approx(
        [0.01, 0.05, 0.1, 0.1]
    )
    instance = labelled(some_instance(1).graph)
    batch, targets = (
        collate([graph_features(instance.graph)]),
        collate_targets(pool_targets(instance)[:1]),
    )
    model = small_model()
    posterior = Posterior(torch.zeros(1, 4), torch.zeros(1, 4, requires_grad=True))
    prediction = model.decode(batch, model.share(batch), posterior.mean[None])
    parts = imitation_loss(
        batch, prediction, posterior, targets, LossOptions(beta=1.0, free_bits=0.25), 10_000
    )
    assert parts["divergence"].item() == pytest.approx(4 * 0.25)
    assert set(parts) == {"robots", "nodes", "order", "exclusive", "divergence"}


def test_masked_out_conflicts_do_not_count() -> None:
    logit, label = torch.tensor([0.0, 9.0]), torch.tensor([1, 0])
    mask = torch.tensor([True, False])
    assert masked_bce(logit, label, mask).item() == pytest.approx(np.log(2))
    assert masked_bce(logit, label, ~mask & mask).item() == 0.0


def test_targets_put_the_least_delayed_robot_first() -> None:
    instance = labelled(some_instance(1).graph)
    for target in pool_targets(instance):
        assert sorted(target.insertion.tolist()) == list(range(8))
    weights = pool_weights(np.array([1.0, 1.01, 1.03]), sharpness=1.0)
    np.testing.assert_allclose(weights / weights[0], np.exp([0, -1, -3]))


def test_credit_prefers_cheap_samples() -> None:
    cost = torch.tensor([3.0, 1.0, 2.0, 2.0, 9.0, 9.0, 9.0, 9.0])
    advantage, best = weigh(cost, Credit.ADVANTAGE), weigh(cost, Credit.BEST)
    assert advantage.sum().item() == pytest.approx(0.0, abs=1e-5)
    assert advantage.argmax() == best.argmax() == 1
    assert best.tolist() == [0, 8, 0, 0, 0, 0, 0, 0]
    assert not weigh(torch.ones(4), Credit.ADVANTAGE).any()


@pytest.mark.parametrize("credit", list(Credit))
def test_improvement_makes_schedules_cheaper(credit: Credit) -> None:
    """On one graph, where there is nothing to generalise."""
    graph = some_instance(5, robots=10).graph
    batch, model = collate([graph_features(graph)]), small_model()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    options = Improvement(samples=16, latents=2, credit=credit)
    before_s = mean_cost_s(graph, batch, model)
    for _ in range(40):
        optimiser.zero_grad()
        improvement_loss(
            model, batch, [graph], options, Objective.MEAN_TRAVEL, generator
        ).backward()
        optimiser.step()
    assert mean_cost_s(graph, batch, model) < before_s


def mean_cost_s(graph, batch, model) -> float:  # type: ignore[no-untyped-def]
    from agents.coordination.decode import costs_s, decode_robots, sample_orders

    with torch.no_grad():
        rank = model.decode(batch, model.share(batch), torch.zeros(1, 1, 4)).robot_rank
    noisy = sample_orders(rank.double().numpy().repeat(64, 0), 1.0, np.random.default_rng(0))
    found = [decode_robots(graph, one) for one in noisy]
    return float(costs_s(graph, found, Objective.MEAN_TRAVEL).mean())


def test_impossible_options_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="beta is -1"):
        LossOptions(beta=-1)
    with pytest.raises(InputError, match="samples is 6"):
        Improvement(samples=6, latents=4)
