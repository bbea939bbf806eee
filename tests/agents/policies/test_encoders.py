# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from agents.policies.encoders import (
    EMBEDDING,
    GridEncoder,
    ImageEncoder,
    RawGridEncoder,
    VectorEncoder,
    make_encoder,
)
from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from sim.environments.interface import Interface, ObservationKind

VECTOR = Interface(ObservationKind.VECTOR, (4,), 2)
GRID = Interface(ObservationKind.GRID, (3, 5, 3), 7, (11, 6, 4))
IMAGE = Interface(ObservationKind.IMAGE, (20, 24, 3), 4)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cells(*leading: int) -> torch.Tensor:
    rng = np.random.default_rng(3)
    seen = np.stack([rng.integers(0, c, (*leading, 3, 5)) for c in GRID.categories], -1)
    return torch.from_numpy(seen.astype(np.uint8))


def test_a_cell_means_the_sum_of_what_its_channels_mean() -> None:
    encoder = GridEncoder(GRID, generator())
    seen = cells(2, 4)
    found = encoder(seen)
    assert found.shape == (2, 4, encoder.features) == (2, 4, 45)
    types, colours, states = encoder.table.detach().split(GRID.categories)
    for index in np.ndindex(2, 4, 3, 5):
        kind, colour, state = seen[index].tolist()
        meaning = types[kind] + colours[colour] + states[state]
        place = found[index[:2]].unflatten(0, (3, 5, EMBEDDING))[index[2:]]
        torch.testing.assert_close(place, meaning)


def test_categories_learn_from_all_cells_that_show_them() -> None:
    encoder = GridEncoder(GRID, generator())
    seen = cells(2, 4)
    encoder(seen).sum().backward()
    types, colours, states = (torch.bincount(seen[..., c].flatten().int()) for c in range(3))
    shown = torch.cat([types, colours, states]).float()
    assert encoder.table.grad is not None
    torch.testing.assert_close(encoder.table.grad, shown.unsqueeze(1).expand(-1, EMBEDDING))


def test_raw_cells_and_vectors_are_taken_as_they_are() -> None:
    seen = cells(2, 4)
    raw = RawGridEncoder(GRID)
    assert raw(seen).tolist() == seen.reshape(2, 4, 45).tolist()
    assert raw.features == GridEncoder(GRID, generator()).features == 45
    measured = torch.randn(2, 4, 4, generator=generator())
    assert torch.equal(VectorEncoder(VECTOR)(measured), measured)


def test_the_encoder_follows_from_the_environment() -> None:
    assert isinstance(make_encoder(VECTOR, "raw", generator()), VectorEncoder)
    assert isinstance(make_encoder(GRID, "raw", generator()), RawGridEncoder)
    assert isinstance(make_encoder(GRID, "embedding", generator()), GridEncoder)
    assert isinstance(make_encoder(IMAGE, "embedding", generator()), ImageEncoder)


@pytest.mark.parametrize("core", [CoreName.QFWP_GATED, CoreName.LSTM])
def test_a_policy_of_images_learns(core: CoreName) -> None:
    """One batch again and again: the value of two pictures that differ in one corner."""
    policy = make_policy(PolicyOptions(core), IMAGE, generator())
    pictures = torch.zeros(2, 1, 20, 24, 3, dtype=torch.uint8)
    pictures[1, :, :8, :8] = 255
    state, begins = policy.initial_state(2), torch.ones(2, 1, dtype=torch.bool)
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        values = policy.unroll(pictures, state, begins).values[:, 0]
        loss = (values - torch.tensor([0.0, 1.0])).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None for p in policy.encoder.parameters())
    assert losses[-1] < 0.05 * losses[0]


def test_sequences_of_images_are_seen_one_by_one() -> None:
    encoder = ImageEncoder(IMAGE, generator())
    pictures = torch.randint(0, 256, (2, 3, 20, 24, 3), generator=generator()).byte()
    found = encoder(pictures)
    assert found.shape == (2, 3, encoder.features)
    torch.testing.assert_close(found[1, 2], encoder(pictures[1, 2].reshape(1, 1, 20, 24, 3))[0, 0])
