# SPDX-License-Identifier: Apache-2.0
"""The held-out instances: three sets, seven sizes, ten seeds; one goal per robot."""

import functools
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from benchmarks.setting import RANDOM, WAREHOUSE
from sim.families import FamilyOptions, Floor, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import CoordinationGraph
from sim.layout import Layout
from sim.readers import read_map


class SetName(StrEnum):
    """What instances of a set have in common, apart from density the same at every size."""

    SPARSE = "sparse"
    """80 free cells per robot: MILP closes 50 robots within seconds, as in the paper."""
    DENSE = "dense"
    """20 free cells per robot."""
    UNSEEN = "unseen"
    """What training never has: more obstacles, wider aisles, longer racks, and real maps."""


SIZES = (5, 10, 15, 25, 50, 100, 250)
UNSEEN_SIZES = (25, 100, 250)
SEEDS = tuple(range(10))
HELD_OUT = 250302954
"""Begins the entropy of every instance here, and of none in training."""

KINDS = (FloorKind.WAREHOUSE, FloorKind.RANDOM)
FLOORS = {
    SetName.SPARSE: FloorOptions(cells_per_robot=(80, 80)),
    SetName.DENSE: FloorOptions(cells_per_robot=(20, 20)),
    SetName.UNSEEN: FloorOptions(
        cells_per_robot=(60, 60),
        obstacle_ratio=(0.33, 0.35),
        rack_length_cells=(12, 16),
        aisle_cells=(3, 3),
    ),
}
MAPS = {
    RANDOM: (25,),
    WAREHOUSE: (100, 250),
    WAREHOUSE.with_name("den520d.map"): (100, 250),
}
"""Real maps, and the sizes at which they are neither crowded nor empty."""


@dataclass(frozen=True)
class Case:
    """Which instance."""

    set: SetName
    robots: int
    seed: int

    def __str__(self) -> str:
        return f"{self.set}, {self.robots} robots, seed {self.seed}"

    @property
    def floor(self) -> FloorKind | Path:
        """The family or the map; half the seeds are warehouses, unless maps take their share.

        It does not depend on which maps are there, so that a seed means the same everywhere.
        """
        maps: list[Path] = [path for path, sizes in MAPS.items() if self.robots in sizes]
        floors: list[FloorKind | Path] = [*KINDS, *(maps if self.set is SetName.UNSEEN else ())]
        return floors[self.seed % len(floors)]

    @property
    def absent(self) -> bool:
        """Whether this needs a map that is not here."""
        return isinstance(self.floor, Path) and not self.floor.exists()


def cases(sets: list[SetName], sizes: list[int], seeds: list[int]) -> list[Case]:
    """Size after size, so that the quick ones come first."""
    return [
        Case(name, robots, seed)
        for robots in sizes
        for name in sets
        if name is not SetName.UNSEEN or robots in UNSEEN_SIZES
        for seed in seeds
    ]


def draw(case: Case) -> CoordinationGraph:
    """The same graph whenever it is asked for."""
    rng = np.random.default_rng([HELD_OUT, list(SetName).index(case.set), case.robots, case.seed])
    robots = (case.robots, case.robots)
    options = FamilyOptions(robots=robots, goals=(1, 1), floor=FLOORS[case.set])
    floor: Floor = case.floor if isinstance(case.floor, FloorKind) else _map(case.floor)
    return draw_instance(floor, options, rng).graph


@functools.cache
def _map(path: Path) -> Layout:
    return read_map(path)
