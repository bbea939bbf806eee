# SPDX-License-Identifier: Apache-2.0
"""Floors that are made, not read: a parametric warehouse and random obstacles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.distances import largest_component
from sim.errors import InputError
from sim.layout import Cells, Layout

MAX_CELLS = 10_000_000
"""Largest floor that is made."""


@dataclass(frozen=True)
class WarehouseOptions:
    """Racks in a grid, aisles between them, a wall around, stations at both ends.

    Racks lie along the rows. Aisles run along the racks, cross aisles across them; outermost are
    an aisle above and below and an open area with stations at the left and right.
    """

    rack_columns: int = 5
    """Racks side by side; at least 1."""

    rack_rows: int = 9
    """Racks one above the other; at least 1."""

    rack_length_cells: int = 6
    """Cells of a rack along its row; at least 1."""

    rack_depth_cells: int = 2
    """Cells of a rack across its row; at least 1."""

    aisle_cells: int = 1
    """Width of the aisles along the racks; at least 1."""

    cross_aisle_cells: int = 1
    """Width of the cross aisles between the racks of a row; at least 1."""

    open_cells: int = 7
    """Width of the open area left and right of the racks; at least 1."""

    num_stations: int = 8
    """Stations where goods are delivered (``E``), half of them at the left wall, half at the
    right; at least 0 and at most two for each free row."""

    num_pick_points: int = 60
    """Cells beside racks where goods are picked (``S``); at least 0, at most as many as there
    are."""

    missing_rack_ratio: float = 0.05
    """Share of the racks that are left out, which leaves free floor; 0 to 1, rounded to racks."""

    def __post_init__(self) -> None:
        for field in ("rack_columns", "rack_rows", "rack_length_cells", "rack_depth_cells",
                      "aisle_cells", "cross_aisle_cells", "open_cells"):  # fmt: skip
            if not 1 <= getattr(self, field) <= MAX_CELLS:
                raise InputError(
                    f"{field} is {getattr(self, field)}; allowed: 1 to {MAX_CELLS}, whole numbers"
                )
        if not 0 <= self.missing_rack_ratio <= 1:
            raise InputError(f"missing_rack_ratio is {self.missing_rack_ratio}; allowed: 0 to 1")
        if self.height * self.width > MAX_CELLS:
            raise InputError(
                f"the warehouse would have {self.height} x {self.width} cells; "
                f"allowed: {MAX_CELLS} in all"
            )
        if not 0 <= self.num_stations <= 2 * (self.height - 2):
            raise InputError(
                f"num_stations is {self.num_stations}; allowed: 0 to {2 * (self.height - 2)}, "
                "two for each row within the walls"
            )
        if self.num_pick_points < 0:
            raise InputError(f"num_pick_points is {self.num_pick_points}; allowed: 0 or more")

    @property
    def height(self) -> int:
        """Rows of the floor, walls included."""
        return 2 + self.aisle_cells + self.rack_rows * (self.rack_depth_cells + self.aisle_cells)

    @property
    def width(self) -> int:
        """Columns of the floor, walls included."""
        racks = self.rack_columns * (self.rack_length_cells + self.cross_aisle_cells)
        return 2 + 2 * self.open_cells + racks - self.cross_aisle_cells

    @property
    def num_missing_racks(self) -> int:
        """Racks left out."""
        return round(self.missing_rack_ratio * self.rack_rows * self.rack_columns)

    @classmethod
    def movingai_10_20_10_2_1(cls) -> "WarehouseOptions":
        """Return the options whose floor equals MovingAI's ``warehouse-10-20-10-2-1.map``.

        63 x 161 cells, 200 racks of 10 x 2, everything between them one cell wide, no stations.
        """
        return cls(rack_columns=10, rack_rows=20, rack_length_cells=10, rack_depth_cells=2,
                   aisle_cells=1, cross_aisle_cells=1, open_cells=25, num_stations=0,
                   num_pick_points=0, missing_rack_ratio=0.0)  # fmt: skip


def generate_warehouse(options: WarehouseOptions, rng: np.random.Generator) -> Layout:
    """Make a warehouse; every free cell reaches every other.

    Args:
        options: its measures.
        rng: decides which racks are missing and where stations and pick points are.

    Returns:
        A layout with stations as emitters and pick points as service points, which is how the
        League of Robot Runners uses ``E`` and ``S``.

    Raises:
        InputError: more pick points than cells beside racks.
    """
    free = np.zeros((options.height, options.width), dtype=np.bool_)
    free[1:-1, 1:-1] = True
    rack_numbers = np.arange(options.rack_rows * options.rack_columns)
    missing = rng.choice(rack_numbers, options.num_missing_racks, replace=False)
    for rack in np.setdiff1d(rack_numbers, missing):
        row, column = divmod(int(rack), options.rack_columns)
        top = 1 + options.aisle_cells + row * (options.rack_depth_cells + options.aisle_cells)
        pitch = options.rack_length_cells + options.cross_aisle_cells
        left = 1 + options.open_cells + column * pitch
        free[top : top + options.rack_depth_cells, left : left + options.rack_length_cells] = False
    return Layout(
        name=f"warehouse-{options.rack_columns}-{options.rack_rows}-{options.rack_length_cells}"
        f"-{options.rack_depth_cells}-{options.aisle_cells}",
        free=free,
        emitters=_stations(options, rng),
        service_points=_pick_points(options, free, rng),
    )


def _stations(options: WarehouseOptions, rng: np.random.Generator) -> Cells:
    """Stations at the left and the right wall, evenly apart; the seed shifts each wall's row."""
    cells: list[int] = []
    walls = ((1, (options.num_stations + 1) // 2), (options.width - 2, options.num_stations // 2))
    for column, count in walls:
        if count > 0:
            gap = (options.height - 2) / count
            rows = 1 + np.floor(rng.random() * gap + gap * np.arange(count)).astype(int)
            cells.extend(rows * options.width + column)
    return np.sort(np.array(cells, dtype=np.int32))


def _pick_points(
    options: WarehouseOptions, free: NDArray[np.bool_], rng: np.random.Generator
) -> Cells:
    """Random free cells of the aisles that have a rack directly above or below them."""
    rack = ~free
    rack[[0, -1]] = False  # the walls are no racks
    rack[:, [0, -1]] = False
    beside = np.zeros_like(free)
    beside[1:-1] = free[1:-1] & (rack[:-2] | rack[2:])
    candidates = np.flatnonzero(beside)
    if options.num_pick_points > len(candidates):
        raise InputError(
            f"num_pick_points is {options.num_pick_points}; allowed: 0 to {len(candidates)}, "
            "the free cells above and below racks"
        )
    chosen = rng.choice(candidates, options.num_pick_points, replace=False)
    return np.sort(chosen).astype(np.int32)


def generate_random(
    height: int, width: int, obstacle_ratio: float, rng: np.random.Generator
) -> Layout:
    """Scatter obstacles, then block whatever the largest connected area does not contain.

    Args:
        height: rows, at least 1.
        width: columns, at least 1.
        obstacle_ratio: share of the cells that become obstacles first; 0 to below 1.
        rng: decides which.

    Raises:
        InputError: a size or ratio that is not allowed.
    """
    if height < 1 or width < 1 or height * width > MAX_CELLS:
        raise InputError(f"size {height} x {width}; allowed: 1 x 1 to {MAX_CELLS} cells in all")
    if not 0 <= obstacle_ratio < 1:
        raise InputError(f"obstacle_ratio is {obstacle_ratio}; allowed: 0 to below 1")
    num_obstacles = min(round(obstacle_ratio * height * width), height * width - 1)
    free = np.ones(height * width, dtype=np.bool_)
    free[rng.choice(height * width, num_obstacles, replace=False)] = False
    name = f"random-{height}-{width}-{round(100 * obstacle_ratio)}"
    area = largest_component(Layout(name, free.reshape(height, width)))
    connected = np.zeros(height * width, dtype=np.bool_)
    connected[area] = True
    return Layout(name, connected.reshape(height, width))
