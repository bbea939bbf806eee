# SPDX-License-Identifier: Apache-2.0
"""Learning beyond imitation: make the model's own cheap samples likelier than its dear ones.

Policy gradient over sampled decisions, with the mean of the samples of the same graph as baseline
(leave-one-out, as in Kool, van Hoof and Welling, 2019), or imitation of the best samples alone
(self-labelling, Corsini et al., NeurIPS 2024). Needs no labels.
"""

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from agents.coordination.features import GraphBatch
from agents.coordination.model import CoordinationVAE
from agents.coordination.options import Credit, ImprovementOptions
from sim.coordinators.dive import Diver
from sim.coordinators.dive_search import dive_cost_s
from sim.schedule import Objective


def improvement_loss(
    model: CoordinationVAE,
    batch: GraphBatch,
    divers: Sequence[Diver],
    options: ImprovementOptions,
    objective: Objective,
    generator: torch.Generator,
) -> Tensor:
    """The loss, per robot, mean over graphs.

    The model says logits before the dive, and each decision that comes up in it is drawn with the
    odds that the logit and the delays at that moment make. Noise added to the logits before the
    dive draws them all at once, as no conflict comes up twice.

    Args:
        divers: one for each graph of the batch.
    """
    size = (options.latents, batch.num_graphs, model.options.latent)
    latent = torch.randn(size, generator=generator).to(batch.node.device)
    predictions = model.decode(batch, model.share(batch), latent).split(batch)
    copies = options.samples // options.latents
    losses = []
    for diver, prediction in zip(divers, predictions, strict=True):
        if prediction.order is None:
            raise ValueError("the prediction was made without conflicts")
        rows = prediction.order.repeat_interleave(copies, dim=0)
        weight = prediction.outlook.repeat_interleave(copies, dim=0)
        sampled = sample_dives(diver, rows, weight, options.temperature, objective, generator)
        credit = weigh(sampled.cost_s, options.credit).to(rows.device)
        said = rows + (weight[:, None] * sampled.outlook).sum(dim=2)
        log_odds = sampled.sign * said / options.temperature
        log_probability = (sampled.sign.abs() * logsigmoid(log_odds)).sum(dim=1)
        losses.append(-(credit * log_probability).mean() / diver.graph.num_robots)
    return torch.stack(losses).mean()


class Sampled(NamedTuple):
    """K schedules of a graph.

    Args:
        cost_s: ``[K]``.
        sign: ``[K, C]`` 1 where v was preferred, -1 where u was, 0 where the model was not asked.
        outlook: ``[K, C, 2]`` how much more order 0 seemed to cost, as in the dive.
    """

    cost_s: Tensor
    sign: Tensor
    outlook: Tensor


def sample_dives(
    diver: Diver,
    logit: Tensor,
    weight: Tensor,
    temperature: float,
    objective: Objective,
    generator: torch.Generator,
) -> Sampled:
    """Decisions drawn with the odds of ``logit`` ``[K, C]``, beside the outlook with ``weight``
    ``[K, 2]``, and what comes of them.

    Args:
        temperature: by which logits and delays are divided before they are odds.
    """
    uniform = torch.rand(logit.shape, generator=generator).clamp(1e-7, 1 - 1e-7)
    noisy = logit.detach().cpu() + temperature * uniform.logit()
    weights = weight.detach().cpu().double().numpy()
    found = [diver.dive(*row) for row in zip(noisy.double().numpy(), weights, strict=True)]
    asks = ~diver.tree.typed
    costs_s = [dive_cost_s(diver, one, objective) for one in found]
    sign = np.stack([np.where((f.wanted >= 0) & asks, 2 * f.wanted - 1, 0) for f in found])
    outlook = np.stack([f.outlook for f in found])
    tensors = (torch.tensor(costs_s), torch.from_numpy(sign), torch.from_numpy(outlook))
    return Sampled(*(one.to(logit.device, logit.dtype) for one in tensors))


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
