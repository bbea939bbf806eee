# SPDX-License-Identifier: Apache-2.0
"""Sites with floors of their own, which ``gnn_vae-floors`` learns from: read, or made up.

A site that is read is a run of ``label``. One that is made up has one map, drawn once, of the kinds
in turn: warehouses and floors of random obstacles, of different sizes. Its instances are fleets on
that map with other routes each, solved by a short search; ``python -m cluster label --floors MAP``
makes better labels, and more of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agents.coordination.labels import LabelledInstance, read_shards
from federated.seeds import Role, draw
from sim.coordinators.interface import Budget
from sim.coordinators.pool import PoolOptions
from sim.coordinators.pool_search import solution_pool
from sim.errors import InputError
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, draw_floor
from sim.layout import Layout
from sim.schedule import Objective

TEST_SHARE = 0.25
"""Of the instances of a site."""


@dataclass(frozen=True, eq=False)
class FloorSite:
    """Instances to learn from, at least one, and those held out to judge by."""

    train: Sequence[LabelledInstance]
    test: Sequence[LabelledInstance]


@dataclass(frozen=True)
class FloorsOptions:
    """How much every site has.

    Args:
        instances: of every site, the held-out quarter included.
        kinds: of floors; the sites take turns.
        steps: of the search for the labels of an instance.
        family: sizes of fleets and floors; a floor is drawn for the largest fleet.

    Raises:
        InputError: a value is not allowed.
    """

    instances: int = 32
    kinds: tuple[FloorKind, ...] = tuple(FloorKind)
    steps: int = 4000
    family: FamilyOptions = field(default_factory=lambda: FamilyOptions(robots=(5, 12)))

    def __post_init__(self) -> None:
        for name, least in (("instances", 2), ("steps", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: {least} or more")
        if not self.kinds:
            raise InputError("kinds is empty; allowed: one kind of floor or more")


def read_sites(labels: Sequence[Path], seed: int) -> list[FloorSite]:
    """A site for each run of ``label``, folder of shards, or shard.

    Raises:
        InputError: one cannot be read, or has fewer than two instances.
    """
    return [make_site(list(read_shards(path)), seed, site) for site, path in enumerate(labels)]


def make_site(instances: Sequence[LabelledInstance], seed: int, site: int) -> FloorSite:
    """Hold out a quarter of the instances, drawn by seed and site, and at least one.

    Raises:
        InputError: there are fewer than two.
    """
    if len(instances) < 2:
        raise InputError(
            f"labels of site {site} has {len(instances)} instance(s); allowed: 2 or more"
        )
    held_out = max(1, round(TEST_SHARE * len(instances)))
    shuffled = draw(seed, Role.SPLIT, site).permutation(len(instances))
    test, train = (np.sort(part).tolist() for part in np.split(shuffled, [held_out]))
    return FloorSite([instances[number] for number in train], [instances[n] for n in test])


def draw_sites(count: int, options: FloorsOptions, seed: int) -> list[FloorSite]:
    """The sites; each depends on the seed and its own number alone.

    Raises:
        InputError: no usable instance on a floor.
    """
    return [draw_site(site, options, seed) for site in range(count)]


def draw_site(site: int, options: FloorsOptions, seed: int) -> FloorSite:
    """One of them."""
    rng = draw(seed, Role.PARTITION, site)
    kind = options.kinds[site % len(options.kinds)]
    layout = draw_floor(kind, options.family.robots[1], options.family.floor, rng)
    solved = [_solved(f"s{site}-i{i:03d}", layout, options, rng) for i in range(options.instances)]
    return make_site(solved, seed, site)


def _solved(
    name: str, layout: Layout, options: FloorsOptions, rng: np.random.Generator
) -> LabelledInstance:
    graph = draw_instance(layout, options.family, rng).graph
    budget = Budget(steps=options.steps)
    pool = solution_pool(graph, budget, Objective.MEAN_TRAVEL, PoolOptions(), rng)
    return LabelledInstance(
        name=name,
        floor=layout.name,
        graph=graph,
        order=pool.order,
        following=np.stack([one.following for one in pool.assignments]),
        cost_s=pool.cost_s,
        bound_s=pool.bound_s,
        proven=pool.proven,
    )
