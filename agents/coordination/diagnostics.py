# SPDX-License-Identifier: Apache-2.0
"""Is the latent alive, and could it be? Posterior collapse before and during training.

**Before.** Dang, Tran, Nguyen and Ho ("Beyond Vanilla Variational Autoencoders", ICLR 2024) solve
the linear Gaussian conditional VAE: a decoder y = W z + (linear in x) with noise variance s, and
weight b on the divergence. At the optimum a latent dimension is used if and only if its eigenvalue
of the covariance of y that x does not explain exceeds b s; all others collapse. So that many
eigenvalues are an upper bound on the number of useful latents.

:func:`useful_latents` computes it for one graph: y are the orders of the pool's labels as signs, x
the graph. The mean over the pool stands for whatever of y the graph explains, so the eigenvalues
are those of the pool's covariance, and a pool of P labels cannot support more than P - 1. Our loss
is a mean over C conflicts, which multiplies b by C. It is exact for a linear decoder with Gaussian
noise, one graph, and labels that are all there is; ours is neither linear nor Gaussian, so read the
number as a warning sign and not as a theorem about this model.

**During.** Divergence by dimension; active units, whose posterior mean varies over the data with a
variance above 0.01 (Burda, Grosse and Salakhutdinov, ICLR 2016); and how much the logits of orders
move with the latent, as a share of how much they differ between conflicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.coordination.features import GraphBatch
from agents.coordination.loss import divergence
from agents.coordination.model import CoordinationVAE, Posterior
from agents.coordination.targets import Targets
from sim.graph import Int8s

ACTIVE_VARIANCE = 0.01
DEAD_KL, DEAF_SHARE = 0.01, 0.05
"""Below these (nats, share of the spread of logits) the latent is called dead."""


def useful_latents(order: Int8s, beta: float, noise_variance: float = 1.0) -> int:
    """The upper bound of the module's text for one graph.

    Args:
        order: ``[P, C]`` labels of one graph, 0 or 1.
        beta: weight of the divergence beside a mean over conflicts; 0 lets all dimensions live.
        noise_variance: of the decoder, in units of signs -1 and 1.
    """
    pool, conflicts = order.shape
    signs = 1.0 - 2.0 * order.astype(np.float64)
    residual = signs - signs.mean(axis=0)
    eigenvalues: NDArray[np.float64] = np.linalg.eigvalsh(residual @ residual.T / pool)
    rounding = 1e-9 * max(conflicts, 1)
    return int((eigenvalues > beta * conflicts * noise_variance + rounding).sum())


@dataclass(frozen=True)
class LatentReport:
    """How alive the latent is.

    Args:
        kl: divergence in nats by dimension, mean over graphs.
        active: dimensions whose posterior mean varies over the graphs.
        sensitivity: standard deviation of a conflict's logit over latents of the prior, divided by
            the standard deviation of logits over the conflicts of a graph; mean over graphs.
    """

    kl: tuple[float, ...]
    active: int
    sensitivity: float

    @property
    def dead(self) -> bool:
        """Whether nothing passes through the latent, or nobody listens."""
        return max(self.kl) < DEAD_KL or self.sensitivity < DEAF_SHARE

    def warnings(self, useful: float | None = None) -> tuple[str, ...]:
        """What is wrong, in words, with what helps.

        Args:
            useful: mean of :func:`useful_latents` over the training data.
        """
        found = []
        if max(self.kl) < DEAD_KL:
            found.append(
                f"the latent carries nothing: at most {max(self.kl):.1e} nats in a dimension. "
                "Raise free_bits, lower beta, or lengthen warmup_steps."
            )
        if self.sensitivity < DEAF_SHARE:
            found.append(
                f"the decoder ignores the latent: logits move by {self.sensitivity:.1%} of their "
                "spread. Samples then bring nothing over the mean of the latent; more "
                "latent_layers or a weight on improvement by cost may help."
            )
        if useful is not None and useful < 1:
            found.append(
                "the labels of an instance hardly differ for this beta: fewer than one latent "
                "dimension can be of use. Label larger pools, or lower beta."
            )
        return tuple(found)


@torch.no_grad()
def latent_report(
    model: CoordinationVAE,
    data: Sequence[tuple[GraphBatch, Targets]],
    generator: torch.Generator,
    samples: int = 16,
) -> LatentReport:
    """The report over at least one batch; latents for the sensitivity come from the generator."""
    posteriors, shares = [], []
    for batch, targets in data:
        posteriors.append(model.encode(batch, targets.order, targets.exclusive))
        shares.append(_sensitivity(model, batch, generator, samples))
    every = Posterior(*(torch.cat(parts) for parts in zip(*posteriors, strict=True)))
    return LatentReport(
        kl=tuple(divergence(every).mean(dim=0).tolist()),
        active=int((every.mean.var(dim=0, unbiased=False) > ACTIVE_VARIANCE).sum()),
        sensitivity=float(torch.cat(shares).mean()),
    )


def _sensitivity(
    model: CoordinationVAE, batch: GraphBatch, generator: torch.Generator, samples: int
) -> Tensor:
    """``[G]`` share for each graph with at least two conflicts."""
    size = (samples, batch.num_graphs, model.options.latent)
    latent = torch.randn(size, generator=generator, device=generator.device)
    logit = model.decode(batch, model.share(batch), latent).order
    if logit is None:
        raise ValueError("the prediction was made without conflicts")
    shares = [
        part.std(dim=0).mean() / part.mean(dim=0).std().clamp(min=1e-6)
        for part in logit.split(batch.conflicts, dim=1)
        if part.shape[1] > 1
    ]
    return torch.stack(shares) if shares else logit.new_zeros(1)
