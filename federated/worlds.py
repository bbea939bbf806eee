# SPDX-License-Identifier: Apache-2.0
"""Who has which environments: what a policy learns in, instead of samples.

There are as many as :data:`LANES` for each site. Site i is at home in the i-th world of the task,
in turn, and has all of its environments there with the partition ``natural``; other partitions
share the same environments out by their world, as they do samples by their class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.learning.fitting import Place
from federated.partition import Ints, Partition, share_out
from federated.seeds import Role, draw

LANES = 64
"""Environments for each site, on average."""


@dataclass(frozen=True)
class Unseen:
    """Environments that nobody learns in, and the seed of their episodes."""

    places: tuple[Place, ...]
    seed: int


@dataclass(frozen=True)
class WorldSite:
    """What one site has.

    Args:
        places: where it learns, by name of the environment.
        tests: where it is judged: as many others of the same kinds, an episode in each.
    """

    places: tuple[Place, ...]
    tests: tuple[Unseen, ...]

    @property
    def lanes(self) -> int:
        """Environments that it learns in."""
        return sum(place.lanes for place in self.places)

    def counts(self, worlds: Sequence[str]) -> list[int]:
        """How many environments of each world it learns in."""
        return [sum(p.lanes for p in self.places if p.environment == world) for world in worlds]


def share_worlds(
    worlds: Sequence[str], partition: Partition, count: int, seed: int
) -> tuple[WorldSite, ...]:
    """The environments of every site.

    Raises:
        InputError: see :func:`federated.partition.share_out`.
    """
    home = np.repeat(np.arange(count), LANES)
    label = home % len(worlds)
    parts = share_out(partition, label, count, draw(seed, Role.PARTITION), group=home)
    return tuple(_site(worlds, label[part], seed, number) for number, part in enumerate(parts))


def pool(sites: Sequence[WorldSite]) -> WorldSite:
    """One site that learns in the environments of all, and is judged by the episodes of all."""
    lanes: dict[str, int] = {}
    for place in (place for site in sites for place in site.places):
        lanes[place.environment] = lanes.get(place.environment, 0) + place.lanes
    places = tuple(Place(*one) for one in lanes.items())
    return WorldSite(places, tuple(tests for site in sites for tests in site.tests))


def _site(worlds: Sequence[str], label: Ints, seed: int, number: int) -> WorldSite:
    counts = np.bincount(label, minlength=len(worlds)).tolist()
    places = tuple(Place(*one) for one in zip(worlds, counts, strict=True) if one[1])
    drawn = int(draw(seed, Role.SPLIT, number).integers(2**32))
    return WorldSite(places, (Unseen(places, drawn),))
