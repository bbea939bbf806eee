# SPDX-License-Identifier: Apache-2.0
"""A last layer for every site, learnt from all of them: hierarchical Bayes in closed form.

Targets of a site are y = Wᵀ φ + noise, for the features φ of the body that all sites share, with a
constant 1 at the end. Every column of a site's W is drawn from N(μ, Σ) with a μ for each column;
μ and Σ have a Normal-Inverse-Wishart prior, the variance of the noise an inverse-gamma one. Sites
keep their samples and send moments of W (or sums of products); the server finds the most probable
μ, Σ and noise by expectation maximisation, every step in closed form.

The model over sites is that of Kim and Hospedales, "A Hierarchical Bayesian Model for Deep Few-Shot
Meta Learning" (arXiv 2306.09702), and of its federated form (FedHB). They put it on all weights and
approximate the posterior of each site by its curvature; on the last layer alone it is exact.

D counts the features with the constant, K the outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from sim.errors import require

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Statistics:
    """All that the last layer has to know of some samples; those of several sites add up.

    Args:
        inner: sum of φ φᵀ, [D, D].
        cross: sum of φ yᵀ, [D, K].
        square: sum of |y|².
        samples: how many.
    """

    inner: Floats
    cross: Floats
    square: float
    samples: int

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.inner + other.inner,
            self.cross + other.cross,
            self.square + other.square,
            self.samples + other.samples,
        )


@dataclass(frozen=True, eq=False)
class Hyper:
    """What is believed before any site was heard: μ, Σ ~ NIW, noise ~ inverse gamma.

    Args:
        mean: centre of μ, [D, K]: the last layer of the federated model.
        weight: how many sites the centre counts for (κ).
        scale: [D, D], positive definite (Λ); the mean of Σ is scale / (freedom - D - 1).
        freedom: above D - 1 (ν).
        noise_shape, noise_scale: of the variance of the noise; its mode is scale / (shape + 1).
    """

    mean: Floats
    weight: float
    scale: Floats
    freedom: float
    noise_shape: float = 1.0
    noise_scale: float = 0.02

    def __post_init__(self) -> None:
        size = len(self.mean)
        require("scale", self.scale.shape, self.scale.shape == (size, size), f"[{size}, {size}]")
        require("scale", self.scale, _is_positive(self.scale), "a positive definite matrix")
        require("weight", self.weight, self.weight > 0, "above 0")
        require("freedom", self.freedom, self.freedom > size - 1, f"above {size - 1}")
        require("noise_shape", self.noise_shape, self.noise_shape > 0, "above 0")
        require("noise_scale", self.noise_scale, self.noise_scale > 0, "above 0")


def around(mean: Floats, spread: Floats | float, noise: float = 0.1) -> Hyper:
    """A weak belief: as if one site was seen at the centre, and Σ is known to its order only.

    Args:
        mean: centre of μ, [D, K].
        spread: standard deviation from site to site that is expected of each weight, [D] or one.
        noise: standard deviation that is expected of the noise.
    """
    size = len(mean)
    scale = np.diag(np.broadcast_to(np.square(spread), size).astype(np.float64))
    return Hyper(mean, 1.0, scale, size + 2.0, noise_scale=2.0 * noise**2)


@dataclass(frozen=True, eq=False)
class Prior:
    """From where the last layers of sites are drawn.

    Args:
        mean: μ, [D, K].
        covariance: Σ of every column, [D, D].
        noise: variance of the noise.
    """

    mean: Floats
    covariance: Floats
    noise: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """What a site knows of its last layer, which is all that it has to send.

    Args:
        mean: [D, K].
        covariance: of every column, [D, D].
        residual: squared error that is to be expected, summed over samples and outputs.
        samples: how many.
    """

    mean: Floats
    covariance: Floats
    residual: float
    samples: int


def statistics(features: Floats, targets: Floats) -> Statistics:
    """The sums over samples.

    Args:
        features: [S, D - 1], without the constant; S may be 0.
        targets: [S, K]; one-hot for classes.

    Raises:
        InputError: the shapes do not fit, or a number is not finite.
    """
    rows = features.ndim == targets.ndim == 2 and len(features) == len(targets)
    shapes = f"{features.shape} and {targets.shape}"
    require("features and targets", shapes, rows, "[S, D] and [S, K] with the same S")
    finite = bool(np.isfinite(features).all() and np.isfinite(targets).all())
    require("features and targets", "not finite", finite, "finite numbers")
    phi = with_constant(features)
    return Statistics(phi.T @ phi, phi.T @ targets, float(np.sum(targets**2)), len(targets))


def with_constant(features: Floats) -> Floats:
    """[S, D - 1] to [S, D]: a column of ones at the end."""
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


def posterior(prior: Prior, given: Statistics) -> Posterior:
    """What a site knows after its samples; the prior if it has none."""
    precision = np.linalg.inv(prior.covariance)
    covariance = np.linalg.inv(precision + given.inner / prior.noise)
    covariance = (covariance + covariance.T) / 2
    mean = covariance @ (precision @ prior.mean + given.cross / prior.noise)
    fitted = np.sum(mean * (given.inner @ mean)) - 2 * np.sum(mean * given.cross)
    spread = mean.shape[1] * np.sum(covariance * given.inner)
    return Posterior(mean, covariance, float(given.square + fitted + spread), given.samples)


def update(hyper: Hyper, posteriors: Sequence[Posterior]) -> Prior:
    """The most probable prior, were the posteriors all that is known of the sites."""
    size, outputs = hyper.mean.shape
    sites = len(posteriors)
    total = sum((one.mean for one in posteriors), hyper.weight * hyper.mean)
    mean = total / (hyper.weight + sites)
    scatter = hyper.scale + hyper.weight * _outer(mean - hyper.mean)
    for one in posteriors:
        scatter = scatter + _outer(one.mean - mean) + outputs * one.covariance
    covariance = scatter / (hyper.freedom + size + 1 + outputs * (1 + sites))
    residual = 2 * hyper.noise_scale + sum(one.residual for one in posteriors)
    count = 2 * (hyper.noise_shape + 1) + outputs * sum(one.samples for one in posteriors)
    return Prior(mean, covariance, residual / count)


def learn_prior(hyper: Hyper, sites: Sequence[Statistics], rounds: int = 50) -> Prior:
    """The prior after so many rounds in which the sites send posteriors and get the prior back.

    No round makes it less probable, given the samples. Without sites it is the mode of the belief.
    """
    require("rounds", rounds, rounds >= 1, "1 or more")
    return reduce(
        lambda prior, _: update(hyper, [posterior(prior, one) for one in sites]),
        range(rounds),
        update(hyper, []),
    )


def adapt(prior: Prior, given: Statistics) -> Floats:
    """The last layer of a site, [D, K], after its samples; the mean of the prior if none."""
    return posterior(prior, given).mean


def _outer(columns: Floats) -> Floats:
    product: Floats = columns @ columns.T
    return product


def _is_positive(matrix: Floats) -> bool:
    return bool(np.isfinite(matrix).all() and np.linalg.eigvalsh(matrix).min() > 0)
