# SPDX-License-Identifier: Apache-2.0
"""Learning beyond imitation: make the model's own cheap samples likelier than its dear ones.

Policy gradient over sampled orders of robots (Plackett-Luce), with the mean of the samples of the
same graph as baseline (leave-one-out, as in Kool, van Hoof and Welling, 2019), or imitation of the
best samples alone (self-labelling, Corsini et al., NeurIPS 2024). Needs no labels.
"""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
import torch
from torch import Tensor

from agents.coordination.decode import decode_robots
from agents.coordination.features import GraphBatch
from agents.coordination.loss import plackett_luce
from agents.coordination.model import CoordinationVAE
from agents.coordination.options import Credit, ImprovementOptions
from sim.graph import CoordinationGraph
from sim.schedule import Objective, evaluate


def improvement_loss(
    model: CoordinationVAE,
    batch: GraphBatch,
    graphs: Sequence[CoordinationGraph],
    options: ImprovementOptions,
    objective: Objective,
    generator: torch.Generator,
) -> Tensor:
    """The loss, per robot, mean over graphs; merged graphs have no orders of robots to learn.

    Raises:
        InputError: a graph is merged.
    """
    size = (options.latents, batch.num_graphs, model.options.latent)
    latent = torch.randn(size, generator=generator).to(batch.node.device)
    ranks = model.decode(batch, model.share(batch), latent, conflicts=False).robot_rank
    copies = options.samples // options.latents
    losses = []
    for graph, rank in zip(graphs, ranks.split(batch.robots, dim=1), strict=True):
        rank = rank.repeat_interleave(copies, dim=0)  # noqa: PLW2901
        order = draw_orders(rank, generator)
        cost_s = torch.tensor([_cost_s(graph, row, objective) for row in order.cpu().numpy()])
        credit = weigh(cost_s, options.credit).to(rank.device)
        losses.append(-(credit * plackett_luce(rank, order)).mean() / graph.num_robots)
    return torch.stack(losses).mean()


def draw_orders(rank: Tensor, generator: torch.Generator) -> Tensor:
    """``[K, n]`` Plackett-Luce samples, by the Gumbel trick."""
    uniform = torch.rand(rank.shape, generator=generator).clamp(1e-9, 1 - 1e-7).to(rank.device)
    gumbel = -(-uniform.log()).log()
    return (rank.detach() - gumbel).argsort(dim=1)


def weigh(cost_s: Tensor, credit: Credit) -> Tensor:
    """``[K]`` credit of every sample; zero for all when they cost the same."""
    spread = cost_s.std(unbiased=False)
    if float(spread) < 1e-6:
        return torch.zeros_like(cost_s)
    count = len(cost_s)
    match credit:
        case Credit.ADVANTAGE:
            return (cost_s.mean() - cost_s) / spread * count / (count - 1)
        case Credit.BEST:
            best = cost_s.argsort()[: max(1, count // 8)]
            weight = torch.zeros_like(cost_s)
            weight[best] = count / len(best)
            return weight
        case _:
            assert_never(credit)


def _cost_s(graph: CoordinationGraph, order: np.ndarray, objective: Objective) -> float:
    rank = np.empty(graph.num_robots)
    rank[order] = np.arange(graph.num_robots)
    return evaluate(graph, decode_robots(graph, rank)).cost_s(objective)
