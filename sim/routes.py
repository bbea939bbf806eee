# SPDX-License-Identifier: Apache-2.0
"""Routes: the fixed path of every robot over cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.layout import Cells


@dataclass(frozen=True, eq=False)
class Routes:
    """The routes of N robots, end to end in one array.

    Args:
        cells: ``[total]`` linear cell numbers; consecutive cells of a route are neighbours.
        offsets: ``[N + 1]``; robot ``i`` drives ``cells[offsets[i]:offsets[i + 1]]``.
    """

    cells: Cells
    offsets: NDArray[np.int64]

    @property
    def num_robots(self) -> int:
        """N."""
        return len(self.offsets) - 1

    def of(self, robot: int) -> Cells:
        """The cells of one robot, from start to goal."""
        return self.cells[self.offsets[robot] : self.offsets[robot + 1]]
