# SPDX-License-Identifier: Apache-2.0
"""What the autoencoder is trained for: to say what good assignments say, from a simple latent."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from agents.coordination.features import GraphBatch
from agents.coordination.model import Posterior, Prediction
from agents.coordination.options import LossOptions
from agents.coordination.targets import Targets


def divergence(posterior: Posterior) -> Tensor:
    """``[G, latent]`` KL(posterior || standard normal) in nats."""
    variance = (2 * posterior.log_std).exp()
    return 0.5 * (posterior.mean**2 + variance - 1.0) - posterior.log_std


def plackett_luce(rank: Tensor, order: Tensor) -> Tensor:
    """``[K]`` log-probability of drawing robots in an order, without replacement.

    Args:
        rank: ``[K, n]`` the next robot is i with probability proportional to exp(-rank[i]).
        order: ``[K, n]`` robots, first to last.
    """
    logit = -torch.gather(rank, 1, order)
    remaining = torch.logcumsumexp(logit.flip(1), dim=1).flip(1)
    return (logit - remaining).sum(dim=1)


def imitation_loss(
    batch: GraphBatch,
    prediction: Prediction,
    posterior: Posterior,
    targets: Targets,
    options: LossOptions,
    step: int,
) -> dict[str, Tensor]:
    """The parts of the loss by name, weighted, each a mean over graphs; their sum is to be least.

    Args:
        prediction: of one latent per graph (K = 1).
        step: how far the warm-up of the divergence is.
    """
    logit = prediction.node_rank[0, batch.conflict_u] - prediction.node_rank[0, batch.conflict_v]
    kl = divergence(posterior).mean(dim=0).clamp(min=options.free_bits).sum()
    free, typed = targets.free, targets.typed
    if prediction.order is None or prediction.exclusive is None:
        raise ValueError("the prediction was made without conflicts; pass conflicts=True")
    weight = prediction.outlook[0, targets.graph_of_asked]
    said = prediction.order[0, targets.asked] + (weight * targets.outlook).sum(dim=1)
    return {
        "decisions": options.decisions * mean_bce(said, targets.order[targets.asked]),
        "robots": options.robots * _robots_loss(batch, prediction.robot_rank[0], targets),
        "nodes": options.nodes * masked_bce(logit, targets.order, free),
        "order": options.order * masked_bce(prediction.order[0], targets.order, free),
        "exclusive": options.exclusive
        * masked_bce(prediction.exclusive[0], targets.exclusive, typed),
        "divergence": options.beta_at(step) * kl,
    }


def masked_bce(logit: Tensor, label: Tensor, mask: Tensor) -> Tensor:
    """Mean over the masked conflicts; 0 where there are none."""
    return mean_bce(logit[mask], label[mask])


def mean_bce(logit: Tensor, label: Tensor) -> Tensor:
    """Mean, 0 for none."""
    return bce(logit, label.to(logit.dtype)) if len(logit) else logit.sum()


def _robots_loss(batch: GraphBatch, rank: Tensor, targets: Targets) -> Tensor:
    """Negative log-likelihood of the labels' insertion orders, per robot."""
    losses = [
        -plackett_luce(ranks[None], order[None]).squeeze(0) / len(order)
        for ranks, order in zip(rank.split(batch.robots), targets.insertion, strict=True)
    ]
    return torch.stack(losses).mean()
