# SPDX-License-Identifier: Apache-2.0
"""The floor: which cells a robot may stand on, and where the stations are."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError

Cells = NDArray[np.int32]
"""Linear cell numbers, ``row * width + column``."""


def _no_cells() -> Cells:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Layout:
    """A four-connected grid floor.

    Args:
        name: shown in tables and reports.
        free: ``[height, width]`` bool, True where a robot may stand.
        emitters: cells where orders appear (League of Robot Runners ``E``).
        service_points: cells where orders are served (``S``).

    Raises:
        InputError: the grid is empty, has no free cell, or a station is not on a free cell.
    """

    name: str
    free: NDArray[np.bool_]
    emitters: Cells = field(default_factory=_no_cells)
    service_points: Cells = field(default_factory=_no_cells)

    def __post_init__(self) -> None:
        if self.free.ndim != 2 or self.free.size == 0:
            raise InputError(f"layout {self.name}: the grid must be two-dimensional and not empty")
        if not self.free.any():
            raise InputError(f"layout {self.name}: no free cell; at least one is needed")
        for kind, cells in (("emitter", self.emitters), ("service point", self.service_points)):
            bad = cells[~self.free.ravel()[cells]]
            if bad.size:
                raise InputError(f"layout {self.name}: {kind} at cell {bad[0]} is an obstacle")

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.free.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.free.shape[1])

    @property
    def free_cells(self) -> Cells:
        """All free cells, ascending."""
        return np.flatnonzero(self.free).astype(np.int32)

    def row_column(self, cell: int) -> tuple[int, int]:
        """Row and column of a linear cell number."""
        return divmod(int(cell), self.width)
