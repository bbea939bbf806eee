# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from agents.coordination.features import collate, graph_features
from agents.coordination.improvement import Credit, improvement_loss, sample_dives, weigh
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
from sim.coordinators.dive import FORESIGHT, make_diver
from sim.coordinators.dive_search import dive_cost_s
from sim.errors import InputError
from sim.schedule import Objective
from tests.agents.coordination.coordination_examples import (
    labelled,
    small_model,
    some_instance,
    targets_of,
)
from tests.sim.tiny_instances import graph_of


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


def test_decisions_are_drawn_with_their_odds() -> None:
    graph = graph_of([0, 1, 2], [5, 1, 7])  # one meeting, alike for both
    logit = torch.full((20_000, 1), 0.7)
    weight = torch.from_numpy(FORESIGHT).repeat(len(logit), 1)
    generator = torch.Generator().manual_seed(0)
    sampled = sample_dives(make_diver(graph), logit, weight, 2.0, Objective.MEAN_TRAVEL, generator)
    assert (sampled.outlook == 0).all()
    v_first = (sampled.sign == 1).float().mean().item()
    assert v_first == pytest.approx(torch.sigmoid(torch.tensor(0.7 / 2.0)).item(), abs=0.012)
    assert (sampled.sign.abs() == 1).all()
    assert sampled.cost_s.unique().tolist() == pytest.approx([3.55])


def test_the_divergence_is_free_up_to_the_free_bits_and_warms_up() -> None:
    options = LossOptions(beta=0.1, warmup_steps=10)
    assert [options.beta_at(step) for step in (0, 4, 9, 100)] == pytest.approx(
        [0.01, 0.05, 0.1, 0.1]
    )
    instance = labelled(some_instance(1).graph)
    batch, targets = (
        collate([graph_features(instance.graph)]),
        collate_targets(targets_of(instance)[:1]),
    )
    model = small_model()
    posterior = Posterior(torch.zeros(1, 4), torch.zeros(1, 4, requires_grad=True))
    prediction = model.decode(batch, model.share(batch), posterior.mean[None])
    parts = imitation_loss(
        batch, prediction, posterior, targets, LossOptions(beta=1.0, free_bits=0.25), 10_000
    )
    assert parts["divergence"].item() == pytest.approx(4 * 0.25)
    assert set(parts) == {"decisions", "robots", "nodes", "order", "exclusive", "divergence"}


def test_masked_out_conflicts_do_not_count() -> None:
    logit, label = torch.tensor([0.0, 9.0]), torch.tensor([1, 0])
    mask = torch.tensor([True, False])
    assert masked_bce(logit, label, mask).item() == pytest.approx(np.log(2))
    assert masked_bce(logit, label, ~mask & mask).item() == 0.0


def test_targets_put_the_least_delayed_robot_first() -> None:
    instance = labelled(some_instance(1).graph)
    for target in targets_of(instance):
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
            model, batch, [make_diver(graph)], options, Objective.MEAN_TRAVEL, generator
        ).backward()
        optimiser.step()
    assert mean_cost_s(graph, batch, model) < before_s


def mean_cost_s(graph, batch, model) -> float:  # type: ignore[no-untyped-def]
    with torch.no_grad():
        (said,) = model.decode(batch, model.share(batch), torch.zeros(1, 1, 4)).split(batch)
    generator = torch.Generator().manual_seed(1)
    told = said.order.repeat(64, 1), said.outlook.repeat(64, 1)
    sampled = sample_dives(make_diver(graph), *told, 1.0, Objective.MEAN_TRAVEL, generator)
    return float(sampled.cost_s.mean())


def test_targets_ask_what_comes_up_when_the_label_is_followed() -> None:
    instance = labelled(some_instance(2, robots=25).graph)
    diver = make_diver(instance.graph)
    for target, cost_s in zip(pool_targets(instance, diver), instance.cost_s, strict=True):
        assert 0 < len(target.asked) < instance.graph.num_conflicts
        assert target.outlook.shape == (len(target.asked), 2)
        told = np.zeros(instance.graph.num_conflicts)
        told[target.asked] = np.where(target.order[target.asked] > 0, 1e9, -1e9)
        found = diver.dive(told, np.zeros(2))
        assert dive_cost_s(diver, found, Objective.MEAN_TRAVEL) <= cost_s + 1e-9
    two = collate_targets([*targets_of(instance)[:1], *targets_of(instance)[:1]])
    first = len(targets_of(instance)[0].asked)
    assert (two.asked[first:] - two.asked[:first] == instance.graph.num_conflicts).all()


def test_impossible_options_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="beta is -1"):
        LossOptions(beta=-1)
    with pytest.raises(InputError, match="temperature is 0"):
        Improvement(temperature=0)
    with pytest.raises(InputError, match="samples is 6"):
        Improvement(samples=6, latents=4)
