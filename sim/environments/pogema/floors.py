# SPDX-License-Identifier: Apache-2.0
"""Layouts as the kernels of POGEMA's rules read them: with a margin, so that no window ends.

Around the layout lies a ring of obstacles and, as far as a robot can see, nothing behind it. A cell
of the grid with margin is ``row * stride + column``. The word @kernel makes ``sim.jit`` count this
file among the sources of the kernels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sim.environments.pogema.blocks import SIXTEEN, Bytes
from sim.environments.pogema.observe import make_stripe
from sim.errors import InputError, require
from sim.layout import Layout

SLACK = SIXTEEN
"""Entries behind each grid that ``observe`` may read and never uses."""


class Floors(NamedTuple):
    """L floors of one size; a cell is one of the grid with margin.

    Args:
        blocked: ``[L, cells + SLACK]`` uint8: 1 where an obstacle is.
        stripe: of ``observe.make_stripe``.
        members: ``[L, F]`` int32, the free cells, component by component and ascending in each.
        first: ``[L, cells]`` int32, where the component of a cell begins in ``members``.
        size: ``[L, cells]`` int32, how many cells the component of a cell has; 0 for obstacles.
        rank: ``[L, cells]`` int32, the place of a cell in its component.
        free: ``[L]`` int64, how many entries of ``members`` count.
        stride: cells in a row.
        margin: cells on each side, the radius of an observation.
    """

    blocked: Bytes
    stripe: Bytes
    members: NDArray[np.int32]
    first: NDArray[np.int32]
    size: NDArray[np.int32]
    rank: NDArray[np.int32]
    free: NDArray[np.int64]
    stride: int
    margin: int


def make_floors(layouts: Sequence[Layout], margin: int) -> Floors:
    """The floors of these layouts.

    Raises:
        InputError: there are none, or they differ in size.
    """
    require("layouts", len(layouts), len(layouts) > 0, "one or more")
    shape = layouts[0].free.shape
    for layout in layouts:
        if layout.free.shape != shape:
            raise InputError(
                f"layout {layout.name} has the shape {layout.free.shape}; allowed: {shape}, that "
                f"of {layouts[0].name}"
            )
    most = max(len(layout.free_cells) for layout in layouts)
    columns = [_components(layout, margin, most) for layout in layouts]
    members, first, size, rank = (np.stack(each) for each in zip(*columns, strict=True))
    return Floors(
        blocked=np.stack([_blocked(layout, margin) for layout in layouts]),
        stripe=make_stripe(2 * margin + 1),
        members=members,
        first=first,
        size=size,
        rank=rank,
        free=np.array([len(layout.free_cells) for layout in layouts]),
        stride=shape[1] + 2 * margin,
        margin=margin,
    )


def with_margin(cells: NDArray[np.int32], width: int, margin: int) -> NDArray[np.int32]:
    """Cells of a layout ``width`` cells wide as cells of the grid with margin."""
    rows, columns = np.divmod(cells, width)
    return ((rows + margin) * (width + 2 * margin) + columns + margin).astype(np.int32)


def without_margin(cells: NDArray[np.int32], width: int, margin: int) -> NDArray[np.int32]:
    """The inverse of ``with_margin``."""
    rows, columns = np.divmod(cells, width + 2 * margin)
    return ((rows - margin) * width + columns - margin).astype(np.int32)


def _blocked(layout: Layout, margin: int) -> Bytes:
    walled = np.pad(~layout.free, 1, constant_values=True)
    grid = np.pad(walled, margin - 1, constant_values=False)
    return np.pad(grid.ravel(), (0, SLACK)).astype(np.uint8)


def _components(layout: Layout, margin: int, most: int) -> list[NDArray[np.int32]]:
    """``members [most]``, ``first``, ``size`` and ``rank``, each ``[cells]``."""
    labels = ndimage.label(layout.free)[0].ravel() - 1
    free = layout.free_cells
    order = np.argsort(labels[free], kind="stable")
    sizes = np.bincount(labels[free])
    starts = np.cumsum(sizes) - sizes
    members = with_margin(free[order], layout.width, margin)
    label = labels[free][order]
    cells = (layout.height + 2 * margin) * (layout.width + 2 * margin)
    tables = np.zeros((3, cells), dtype=np.int32)
    tables[:, members] = starts[label], sizes[label], np.arange(len(members)) - starts[label]
    padded = np.zeros(most, dtype=np.int32)
    padded[: len(members)] = members
    return [padded, *tables]
