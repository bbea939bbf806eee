# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from agents.coordination.diagnostics import LatentReport, latent_report, useful_latents
from agents.coordination.features import collate, graph_features
from agents.coordination.targets import collate_targets
from tests.agents.coordination.coordination_examples import (
    labelled,
    small_model,
    some_instance,
    targets_of,
)


def linear_vae_directions(labels: np.ndarray, beta: float, noise: float) -> int:
    """Trains the linear Gaussian VAE of the theorem and counts the directions of its decoder.

    With the best encoder, the loss as a function of the decoder W alone is that of probabilistic
    PCA: the covariance of y is W W' + (beta * noise) I, up to scale.
    """
    residual = torch.tensor(labels - labels.mean(axis=0), dtype=torch.float64)
    covariance = residual.T @ residual / len(residual)
    size = covariance.shape[0]
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(size, size, generator=generator, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=0.02)
    for _ in range(3000):
        model = w @ w.T + beta * noise * torch.eye(size, dtype=torch.float64)
        loss = torch.logdet(model) + torch.trace(torch.linalg.solve(model, covariance))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return int((torch.linalg.svdvals(w.detach()) > 0.05).sum())


@pytest.mark.parametrize(("beta", "expected"), [(0.02, 3), (0.13, 2), (0.3, 1), (1.0, 0)])
def test_the_bound_is_what_a_linear_autoencoder_learns(beta: float, expected: int) -> None:
    order = np.array(
        [[0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]],
        dtype=np.int8,
    )
    found = useful_latents(order, beta)
    assert found == linear_vae_directions(1.0 - 2.0 * order, beta * order.shape[1], 1.0)
    assert found == expected


def test_a_pool_of_p_labels_supports_at_most_p_minus_1_latents() -> None:
    order = np.random.default_rng(0).integers(0, 2, (5, 300)).astype(np.int8)
    assert useful_latents(order, beta=0.0) == 4
    assert useful_latents(order[:1], beta=0.0) == 0
    assert useful_latents(np.repeat(order[:1], 3, axis=0), beta=0.0) == 0


def test_a_dead_latent_is_called_dead_with_remedies() -> None:
    dead = LatentReport(kl=(1e-4, 2e-3), active=0, sensitivity=0.001)
    first, second, third = dead.warnings(useful=0.4)
    assert dead.dead
    assert "free_bits" in first
    assert "ignores the latent" in second
    assert "larger pools" in third
    alive = LatentReport(kl=(0.5, 0.0), active=1, sensitivity=0.4)
    assert not alive.dead
    assert alive.warnings(useful=3.0) == ()


def test_the_report_sees_whether_the_decoder_listens() -> None:
    instance = labelled(some_instance(1).graph)
    batch = collate([graph_features(instance.graph)])
    data = [(batch, collate_targets([target])) for target in targets_of(instance)]
    model = small_model()
    listening = latent_report(model, data, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for part in (model.node_latent, model.robot_latent):
            part.weight.zero_()
    deaf = latent_report(model, data, torch.Generator().manual_seed(0))
    assert listening.sensitivity > 0.05 > deaf.sensitivity == pytest.approx(0.0, abs=1e-6)
    assert listening.kl == deaf.kl
    assert len(listening.kl) == 4
    assert deaf.dead
