# SPDX-License-Identifier: Apache-2.0
"""Families of floors: what a learner sees many different members of."""

import math
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.layout import Layout


class FloorKind(StrEnum):
    """The families that floors are drawn from."""

    WAREHOUSE = "warehouse"
    """Racks in a grid, of every size and distance that the ranges allow."""
    RANDOM = "random"
    """Obstacles anywhere on a square."""


LIMITS = {
    "cells_per_robot": (2, 10_000),
    "obstacle_ratio": (0, 0.35),
    "missing_rack_ratio": (0, 1),
}
"""What is allowed where it is not 1 to 100; with more obstacles no large area is connected."""


@dataclass(frozen=True)
class FloorOptions:
    """Ranges that the measures of a floor are drawn from, both ends included."""

    cells_per_robot: tuple[int, int] = (10, 40)
    """Free cells for each robot, which says how large a floor is; drawn evenly in the logarithm.
    10 is crowded, 40 spacious."""
    obstacle_ratio: tuple[float, float] = (0.0, 0.3)
    """Share of the cells of a random floor that become obstacles; at most 0.35."""
    rack_length_cells: tuple[int, int] = (2, 10)
    """Cells of a rack along its row."""
    rack_depth_cells: tuple[int, int] = (1, 2)
    """Cells of a rack across its row."""
    aisle_cells: tuple[int, int] = (1, 2)
    """Width of the aisles, along the racks and across, each drawn for itself."""
    open_cells: tuple[int, int] = (1, 4)
    """Width of the open area left and right of the racks."""
    missing_rack_ratio: tuple[float, float] = (0.0, 0.2)
    """Share of the racks that are left out."""

    def __post_init__(self) -> None:
        highest = {"cells_per_robot": 10_000, "obstacle_ratio": 0.35, "missing_rack_ratio": 1.0}
        for field in fields(self):
            low, high = getattr(self, field.name)
            least = (
                0 if field.name.endswith("ratio") else 2 if field.name.startswith("cells") else 1
            )
            most = highest.get(field.name, 100)
            if not least <= low <= high <= most:
                raise InputError(
                    f"{field.name} is {low} {high}; allowed: a low and a high end within "
                    f"{least} to {most}"
                )


def draw_floor(
    kind: FloorKind, num_robots: int, options: FloorOptions, rng: np.random.Generator
) -> Layout:
    """A floor for so many robots; its size follows from the cells per robot."""
    low, high = options.cells_per_robot
    num_cells = round(num_robots * math.exp(rng.uniform(math.log(low), math.log(high))))
    if kind is FloorKind.RANDOM:
        ratio = rng.uniform(*options.obstacle_ratio)
        side = math.ceil(math.sqrt(num_cells / (1 - ratio)))
        return generate_random(side, side, ratio, rng)
    return generate_warehouse(_warehouse(num_cells, options, rng), rng)


def _warehouse(num_cells: int, options: FloorOptions, rng: np.random.Generator) -> WarehouseOptions:
    """Racks are added to the shorter side until there are enough free cells."""

    def draw(ends: tuple[int, int]) -> int:
        return int(rng.integers(ends[0], ends[1] + 1))

    length, depth = draw(options.rack_length_cells), draw(options.rack_depth_cells)
    aisle, cross = draw(options.aisle_cells), draw(options.aisle_cells)
    open_cells, missing = draw(options.open_cells), rng.uniform(*options.missing_rack_ratio)
    columns, rows = 1, 1
    while True:
        made = WarehouseOptions(
            columns, rows, length, depth, aisle, cross, open_cells,
            num_stations=0, num_pick_points=0, missing_rack_ratio=float(missing),
        )  # fmt: skip
        racks = columns * rows - made.num_missing_racks
        if (made.height - 2) * (made.width - 2) - racks * length * depth >= num_cells:
            return made
        if made.height < made.width:
            rows += 1
        else:
            columns += 1
