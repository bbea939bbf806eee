# SPDX-License-Identifier: Apache-2.0
"""Kernels that write what each robot of one world sees, as pogema 1.4.0 does (envs.py, grid.py).

Nearly all the time of a step goes here. Rows are copied in blocks of twelve or sixteen; what is
written behind the end of a row is written over by what comes next.
"""

import numpy as np

from sim.environments.pogema.blocks import (
    SIXTEEN,
    TWELVE,
    Bytes,
    Numbers,
    copy_sixteen,
    copy_twelve,
)
from sim.jit import kernel
from sim.layout import Cells


def make_stripe(side: int) -> Bytes:
    """Zeros with a one in the middle: from its part that begins ``place`` before the middle on, the
    plane of a target at ``place``.
    """
    area = side * side
    stripe = np.zeros(2 * area + SIXTEEN, dtype=np.uint8)
    stripe[area] = 1
    return stripe


@kernel
def observe(
    blocked: Bytes,
    shown: Bytes,
    stripe: Bytes,
    cell: Cells,
    target: Cells,
    stride: int,
    radius: int,
    out: Numbers,
    at: int,
) -> int:
    """Obstacles, robots and the own target around each robot, ``[N, 3, D, D]`` from ``out[at]``.

    A target out of sight is drawn at the border, each coordinate cut off for itself.

    Args:
        blocked, shown: ``[cells + SLACK]``.
        stripe: of ``make_stripe``.
        cell, target: ``[N]``.
        stride: cells in a row.
        radius: ``(D - 1) / 2``.
        out: flat, with ``SIXTEEN`` entries more behind the last world's.

    Returns:
        Where the next world's observations begin.
    """
    side = 2 * radius + 1
    area = side * side
    for robot in range(len(cell)):
        corner = cell[robot] - radius * (stride + 1)
        if side <= TWELVE:  # as by default
            _copy_narrow(blocked, corner, stride, side, out, at)
            _copy_narrow(shown, corner, stride, side, out, at + area)
        else:
            _copy_wide(blocked, corner, stride, side, out, at)
            _copy_wide(shown, corner, stride, side, out, at + area)
        middle = area - _target_place(cell[robot], target[robot], stride, radius)
        for i in range(0, area, SIXTEEN):
            copy_sixteen(out, at + 2 * area + i, stripe, middle + i)
        at += 3 * area
    return at


@kernel
def _copy_narrow(grid: Bytes, corner: int, stride: int, side: int, out: Numbers, at: int) -> None:
    """``side`` rows of ``side`` numbers, at most ``TWELVE``, and fewer than that behind them."""
    for _ in range(side):
        copy_twelve(out, at, grid, corner)
        at += side
        corner += stride


@kernel
def _copy_wide(grid: Bytes, corner: int, stride: int, side: int, out: Numbers, at: int) -> None:
    """``side`` rows of ``side`` numbers, and fewer than ``SIXTEEN`` behind them."""
    for _ in range(side):
        for column in range(0, side, SIXTEEN):
            copy_sixteen(out, at + column, grid, corner + column)
        at += side
        corner += stride


@kernel
def _target_place(cell: int, target: int, stride: int, radius: int) -> int:
    """The target's place in a window around ``cell``, row by row."""
    row, column = divmod(np.uint32(cell), np.uint32(stride))
    to_row, to_column = divmod(np.uint32(target), np.uint32(stride))
    south = _within(np.int64(to_row) - np.int64(row), radius)
    east = _within(np.int64(to_column) - np.int64(column), radius)
    return (radius + south) * (2 * radius + 1) + radius + east


@kernel
def _within(offset: np.int64, radius: int) -> int:
    return -radius if offset < -radius else radius if offset > radius else int(offset)
