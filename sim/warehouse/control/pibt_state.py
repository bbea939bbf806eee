# SPDX-License-Identifier: Apache-2.0
"""What ``sim.warehouse.control.pibt_kernel`` is told of the robots, and its scratch paper."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.fleet import Int8s, Int32s

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

FREE, LEAVES, HOLDS = 0, 1, 2
"""Fixed robots: the cell of one that leaves may be planned for, that of one that holds may not."""


class Robots(NamedTuple):
    """The robots of W worlds, or of one, to plan for; arrays are ``[W, N]`` or ``[N]``.

    Args:
        cell: int32.
        entering: int32, the cell that a robot is driving into; its own if it is not.
        fixed: int8, ``FREE``, ``LEAVES`` or ``HOLDS``: cannot choose another cell now.
        row: int32, of the field to its goal; -1 without a goal: stays where it may.
        priority: float64, distinct within a world.
        facing: int8, the direction in which it drives without a turn; -1: any.
        kept: int32, the cell it planned to enter before, -1 for none; decides between equals.
        wanted: int32, the cell that it likes best wherever its goal is, -1 for none.
    """

    cell: Int32s
    entering: Int32s
    fixed: Int8s
    row: Int32s
    priority: Floats
    facing: Int8s
    kept: Int32s
    wanted: Int32s


class Scratch(NamedTuple):
    """What one plan needs; ``holder`` and ``taker`` are -1 everywhere before and after."""

    holder: Int32s
    taker: Int32s
    order: Int32s
    stack: Int32s
    ranks: NDArray[np.int64]
    tried: NDArray[np.int64]
    pending: Bools


@kernel
def scratch_for(num_cells: int, num_robots: int) -> Scratch:
    """Empty grids and stacks."""
    return Scratch(
        np.full(num_cells, -1, dtype=np.int32),
        np.full(num_cells, -1, dtype=np.int32),
        np.arange(num_robots).astype(np.int32),
        np.empty(num_robots + 1, dtype=np.int32),
        np.empty((num_robots, 5), dtype=np.int64),
        np.empty(num_robots, dtype=np.int64),
        np.zeros(num_robots, dtype=np.bool_),
    )
