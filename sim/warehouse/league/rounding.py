# SPDX-License-Identifier: Apache-2.0
"""Where the 32-bit numbers of the league's program make it refuse what its rules allow."""

import numpy as np
from numpy.typing import NDArray

from sim.layout import Layout

FIRST = 32
"""From this row or column on a move of some ticks is not exact in 32 bits any more."""


def moves_apart(layout: Layout) -> NDArray[np.bool_]:
    """``[cells, 4]``: moves in which a robot must not follow another one closely.

    Between rows or columns 31 and 32, 63 and 64, and so on the precision of a number halves, and
    the league's program sees two robots that keep exactly one cell apart as overlapping. Measured
    with the original action model. Both moves are meant that have such a line under one of the two
    robots: that of the follower, and that of the robot in front of it.
    """
    rows, columns = np.divmod(np.arange(layout.free.size), layout.width)
    apart = np.zeros((layout.free.size, 4), dtype=np.bool_)
    for direction, (at, step) in enumerate(((rows, -1), (columns, 1), (rows, 1), (columns, -1))):
        for ahead in (0, 1):
            low = np.minimum(at + ahead * step, at + (ahead + 1) * step)
            line = low + 1
            apart[:, direction] |= (line >= FIRST) & ((line & (line - 1)) == 0)
    return apart
