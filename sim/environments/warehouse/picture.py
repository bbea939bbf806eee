# SPDX-License-Identifier: Apache-2.0
"""A plain picture of one world."""

import numpy as np
from numpy.typing import NDArray

from sim.layout import Layout
from sim.warehouse.control.interface import View

CELL = 12
"""Pixels on each side of a cell."""

FREE, OBSTACLE = (238, 240, 243), (70, 78, 92)
ROBOT, GOAL, DELAYED, NOSE = (42, 111, 219), (236, 160, 62), (205, 62, 62), (255, 255, 255)


def picture(layout: Layout, view: View, world: int) -> NDArray[np.uint8]:
    """Obstacles dark, robots blue with a white nose, delayed ones red, their goals orange.

    Returns:
        ``[height * CELL, width * CELL, 3]``.
    """
    drawn = np.where(layout.free[:, :, None], FREE, OBSTACLE).astype(np.uint8)
    goals = view.goals[world, :, 0]
    drawn[np.divmod(goals[goals >= 0], layout.width)] = GOAL
    drawn = drawn.repeat(CELL, 0).repeat(CELL, 1)
    fleet, edge, middle = view.fleet, CELL // 6, CELL // 2
    for cell, heading, delay in zip(
        fleet.cell[world], fleet.heading[world], fleet.delay_ticks[world], strict=True
    ):
        row, column = layout.row_column(cell)
        top, left = row * CELL, column * CELL
        body = drawn[top + edge : top + CELL - edge, left + edge : left + CELL - edge]
        body[:] = DELAYED if delay else ROBOT
        south, east = ((-1, 0), (0, 1), (1, 0), (0, -1))[heading]
        r, c = top + middle + 3 * south, left + middle + 3 * east
        drawn[r - 1 : r + 1, c - 1 : c + 1] = NOSE
    return drawn
