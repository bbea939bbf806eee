# SPDX-License-Identifier: Apache-2.0
"""Where the robots of many worlds stand and what they are doing, as arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.layout import Cells, Layout

Int8s = NDArray[np.int8]
Int16s = NDArray[np.int16]
Int32s = NDArray[np.int32]


class Fleet(NamedTuple):
    """The robots of W worlds, N in each; all arrays are ``[W, N]`` and change in place.

    Args:
        cell: int32, where the robot stands; while it moves, the cell that it leaves.
        heading: int8, 0 north, 1 east, 2 south, 3 west.
        doing: int8, the action that has begun and not ended; 0 at rest.
        progress: int16, ticks that it has worked on this action; 0 at rest.
        delay_ticks: int32, how many more ticks the robot stands still, whatever it is told.
    """

    cell: Int32s
    heading: Int8s
    doing: Int8s
    progress: Int16s
    delay_ticks: Int32s


def fleet_at(cells: NDArray[np.int32], heading: int = 1) -> Fleet:
    """Robots at rest.

    Args:
        cells: ``[W, N]`` distinct cells within each world.
        heading: of all; the league's face east.
    """
    shape = cells.shape
    return Fleet(
        cell=np.array(cells, dtype=np.int32, order="C"),
        heading=np.full(shape, heading, dtype=np.int8),
        doing=np.zeros(shape, dtype=np.int8),
        progress=np.zeros(shape, dtype=np.int16),
        delay_ticks=np.zeros(shape, dtype=np.int32),
    )


def require_starts(layout: Layout, cells: NDArray[np.int32]) -> None:
    """Refuse starts that are no floor, or shared.

    Args:
        cells: ``[W, N]``.

    Raises:
        InputError: names the world, the robot and the cell.
    """
    require(
        "starts", cells.shape, cells.ndim == 2 and cells.size > 0, "[worlds, robots], not empty"
    )
    num_free = int(layout.free.sum())
    require("robots", cells.shape[1], cells.shape[1] <= num_free,
            f"at most {num_free}, the free cells of {layout.name}")  # fmt: skip
    inside = (cells >= 0) & (cells < layout.free.size)
    on_floor = inside & layout.free.ravel()[np.where(inside, cells, 0)]
    if not on_floor.all():
        world, robot = np.argwhere(~on_floor)[0]
        raise InputError(
            f"start of robot {robot} in world {world} is cell {cells[world, robot]}; allowed: "
            f"free cells of layout {layout.name}"
        )
    for world, row in enumerate(cells):
        if len(np.unique(row)) < len(row):
            raise InputError(f"two robots of world {world} start in one cell; allowed: one each")


def random_starts(layout: Layout, robots: int, count: int, rng: np.random.Generator) -> Int32s:
    """``[count, robots]`` distinct free cells of each world.

    Raises:
        InputError: more robots than free cells.
    """
    free: Cells = layout.free_cells
    require("robots", robots, 1 <= robots <= len(free), f"1 to {len(free)}, the free cells")
    return np.stack([rng.permutation(free)[:robots] for _ in range(count)]).astype(np.int32)
