# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from agents.coordination.features import GraphBatch, collate, graph_features
from agents.coordination.model import ModelOptions, Posterior
from sim.errors import InputError
from tests.agents.coordination.coordination_examples import small_model, some_instance
from tests.sim.tiny_instances import graph_of


def three_graphs() -> list[GraphBatch]:
    """Two with conflicts and, between them, one without."""
    features = [
        graph_features(some_instance(1).graph),
        graph_features(graph_of([0, 1], [5, 6])),
        graph_features(some_instance(2, robots=5).graph),
    ]
    return [collate([one]) for one in features] + [collate(features)]


@pytest.mark.parametrize("latent_layers", [0, 1])
def test_batched_graphs_and_latents_give_what_each_gives_alone(latent_layers: int) -> None:
    *alone, together = three_graphs()
    options = ModelOptions(8, 2, 1, 1, latent_layers=latent_layers, latent=4)
    model = small_model(options=options)
    latent = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        both = model.decode(together, model.share(together), latent)
        for number, batch in enumerate(alone):
            first = sum(together.robots[:number]), sum(together.conflicts[:number])
            for k in range(5):
                one = model.decode(batch, model.share(batch), latent[k, number][None, None])
                ranks = both.robot_rank[k, first[0] : first[0] + batch.robots[0]]
                torch.testing.assert_close(ranks, one.robot_rank[0], rtol=1e-4, atol=1e-5)
                orders = both.order[k, first[1] : first[1] + batch.conflicts[0]]
                torch.testing.assert_close(orders, one.order[0], rtol=1e-4, atol=1e-5)
    assert both.robot_rank.std(dim=0).max() > 1e-4  # the latent matters


def test_posteriors_of_a_batch_are_those_of_its_graphs() -> None:
    *alone, together = three_graphs()
    model = small_model()
    order = torch.randint(2, (sum(together.conflicts),), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mean = model.encode(together, order.float(), order == 0).mean
        parts = zip(alone, order.split(together.conflicts), strict=True)
        own = torch.cat([model.encode(b, o.float(), o == 0).mean for b, o in parts])
    torch.testing.assert_close(mean, own, rtol=1e-4, atol=1e-5)


def test_the_encoder_sees_the_labels() -> None:
    batch = three_graphs()[0]
    model = small_model()
    order = torch.zeros(batch.conflicts[0])
    kinds = torch.zeros(batch.conflicts[0], dtype=torch.bool)
    with torch.no_grad():
        means = [
            model.encode(batch, o, k).mean
            for o, k in ((order, kinds), (1 - order, kinds), (order, ~kinds))
        ]
    assert (means[0] - means[1]).abs().max() > 1e-4
    assert (means[0] - means[2]).abs().max() > 1e-4


def test_turning_a_conflict_around_turns_its_order_and_keeps_its_type() -> None:
    one = graph_of([0, 1, 2, 3], [3, 2, 1], [7, 2, 8])
    batch = collate([graph_features(one)])
    model = small_model()
    count = batch.conflicts[0]
    edges, edge = batch.edges.clone(), batch.edge.clone()
    n = len(edge) - 2 * count
    edges[:, n:] = torch.cat([batch.edges[:, n + count :], batch.edges[:, n : n + count]], dim=1)
    edge[n:] = torch.cat([batch.edge[n + count :], batch.edge[n : n + count]])
    turned = GraphBatch(
        batch.node, batch.robot, batch.robot_of, batch.conflict_v, batch.conflict_u, edges, edge,
        batch.graph_of_robot, batch.robots, batch.intervals, batch.conflicts,
    )  # fmt: skip
    zeros = torch.zeros(1, 1, 4)
    with torch.no_grad():
        a = model.decode(batch, model.share(batch), zeros)
        b = model.decode(turned, model.share(turned), zeros)
    torch.testing.assert_close(a.order, -b.order)
    torch.testing.assert_close(a.exclusive, b.exclusive)


def test_a_posterior_is_sampled_by_its_mean_and_deviation() -> None:
    posterior = Posterior(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, -1.0]]))
    sample = posterior.sample(torch.tensor([[2.0, 1.0]]))
    torch.testing.assert_close(sample, torch.tensor([[3.0, 2.0 + 0.36787944]]))


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"width": 30, "heads": 4}, {"latent": 0}, {"latent_layers": -1}]
)
def test_impossible_sizes_are_refused_by_name(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        ModelOptions(**wrong)
