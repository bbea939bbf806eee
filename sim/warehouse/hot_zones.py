# SPDX-License-Identifier: Apache-2.0
"""Where picks are frequent: zones of the floor, which may move."""

from typing import NamedTuple

import numpy as np

from sim.layout import Cells
from sim.warehouse.orders import Int64s


class ZoneOptions(NamedTuple):
    """See the fields of the same names, with ``hot_`` before, of ``streams.OrderOptions``."""

    zones: int
    share: float
    radius_cells: int
    ticks: int


def draw_picks(
    cells: Cells, width: int, options: ZoneOptions, ticks: Int64s, rng: np.random.Generator
) -> Cells:
    """``[P]`` one cell for each pick.

    The centre of a zone is one of the cells, any zone is as likely as another, and so is each
    of the cells within it.

    Args:
        cells: where picks may be, at least one.
        width: of the layout, in cells.
        options: of the zones.
        ticks: ``[P]`` when they come in.
        rng: consumed.
    """
    picks = rng.choice(cells, len(ticks))
    if options.zones == 0 or len(ticks) == 0:
        return picks
    epoch = ticks // options.ticks if options.ticks else np.zeros_like(ticks)
    _, epoch = np.unique(epoch, return_inverse=True)
    centres = rng.choice(cells, (epoch.max() + 1) * options.zones)
    zone = epoch * options.zones + rng.integers(0, options.zones, len(ticks))
    zone[rng.random(len(ticks)) >= options.share] = -1
    place = rng.random(len(ticks))
    for number, chosen in _groups(zone):
        near = zone_cells(cells, width, int(centres[number]), options.radius_cells)
        picks[chosen] = near[(place[chosen] * len(near)).astype(np.int64)]
    return picks


def _groups(zone: Int64s) -> list[tuple[int, Int64s]]:
    """Each zone that has picks, and which."""
    order = np.argsort(zone, kind="stable")
    numbers, first = np.unique(zone[order], return_index=True)
    groups = zip(numbers.tolist(), np.split(order, first[1:]), strict=True)
    return [(number, chosen) for number, chosen in groups if number >= 0]


def zone_cells(cells: Cells, width: int, centre: int, radius_cells: int) -> Cells:
    """The cells within ``radius_cells`` of the centre, rows and columns added."""
    rows, columns = np.divmod(cells, width)
    row, column = divmod(centre, width)
    near: Cells = cells[np.abs(rows - row) + np.abs(columns - column) <= radius_cells]
    return near
