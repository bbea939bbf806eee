# SPDX-License-Identifier: Apache-2.0
"""Small floors for people."""

import numpy as np

from sim.layout import Layout

RACKS = """
..............
.####.####.##.
.####.####.##.
..............
.#..#.####.##.
.##.#.####.##.
....#.......#.
"""
"""Aisles of one cell, a dead end, and cells that touch at corners."""


def floor(drawing: str = RACKS) -> Layout:
    rows = [[sign == "." for sign in row] for row in drawing.split()]
    return Layout("racks", np.array(rows))
