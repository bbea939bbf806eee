# SPDX-License-Identifier: Apache-2.0
"""The floor of an RWARE warehouse: shelves, corridors and goals.

Robots may stand on every cell, under shelves too. RWARE calls a corridor a highway.
Source: Papoudakis et al., "Benchmarking Multi-Agent Deep Reinforcement Learning Algorithms in
Cooperative Tasks" (2021), and its program, rware 2.0.0.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.layout import Cells

Size = Literal["tiny", "small", "medium", "large"]

_COLUMN_HEIGHT = 8
_ROWS_COLUMNS: dict[Size, tuple[int, int]] = {
    "tiny": (1, 3),
    "small": (2, 3),
    "medium": (2, 5),
    "large": (3, 5),
}
_MAX_CELLS = 1 << 20


@dataclass(frozen=True, eq=False)
class RwareLayout:
    """A warehouse floor.

    Args:
        shelves: ``[height, width]`` bool, True where a shelf stands at first and may be put down
            later; all else is corridor.
        goals: ``[G]`` distinct corridor cells where shelves are delivered, in the order in which
            RWARE looks at them.

    Raises:
        InputError: no cells or too many, no goal, a goal outside, twice, or not in a corridor.
    """

    shelves: NDArray[np.bool_]
    goals: Cells

    def __post_init__(self) -> None:
        require("layout shape", self.shelves.shape, self.shelves.ndim == 2, "height and width")
        require("layout cells", self.size, 1 <= self.size <= _MAX_CELLS, f"1 to {_MAX_CELLS}")
        goals = self.goals.tolist()
        require("goals", goals, len(goals) > 0, "one or more")
        require("goals", goals, len(set(goals)) == len(goals), "each once")
        for goal in goals:
            inside = 0 <= goal < self.size
            corridor = inside and not self.shelves.ravel()[goal]
            require("goal", goal, corridor, f"a corridor cell of 0 to {self.size - 1}")

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.shelves.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.shelves.shape[1])

    @property
    def size(self) -> int:
        """Cells."""
        return int(self.shelves.size)

    @property
    def shelf_cells(self) -> Cells:
        """``[S]`` where the shelves stand at first; shelf ``s`` at entry ``s``."""
        return np.flatnonzero(self.shelves).astype(np.int32)


def read_rware_layout(text: str) -> RwareLayout:
    """A layout from RWARE's drawing: ``x`` shelf, ``.`` corridor, ``g`` goal, a line for each row.

    Spaces and surrounding empty lines do not count; capitals do as small letters.

    Raises:
        InputError: other symbols, rows of different lengths, or no goal; names line and column.
    """
    rows = text.strip().replace(" ", "").lower().splitlines()
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(
                f"layout line {number} has {len(row)} cells; allowed: {len(rows[0])}, as in line 1"
            )
        for column, symbol in enumerate(row, start=1):
            if symbol not in "x.g":
                raise InputError(
                    f"layout line {number} column {column} is {symbol!r}; allowed: 'x' '.' 'g'"
                )
    grid = np.array([list(row) for row in rows], dtype="U1").reshape(
        len(rows), len(rows and rows[0])
    )
    return RwareLayout(grid == "x", np.flatnonzero(grid == "g").astype(np.int32))


def make_rware_layout(shelf_columns: int, shelf_rows: int, column_height: int) -> RwareLayout:
    """RWARE's regular warehouse: blocks of two columns of shelves, and two goals at the bottom.

    Args:
        shelf_columns: blocks beside each other, an odd number.
        shelf_rows: blocks above each other.
        column_height: rows of shelves in a block.

    Returns:
        ``(column_height + 1) * shelf_rows + 2`` rows and ``3 * shelf_columns + 1`` columns. The
        lowest block in the middle is left out, so that robots can queue before the goals.

    Raises:
        InputError: an even number of columns, or a number below 1.
    """
    odd = shelf_columns >= 1 and shelf_columns % 2 == 1
    require("shelf_columns", shelf_columns, odd, "an odd number of 1 or more")
    require("shelf_rows", shelf_rows, shelf_rows >= 1, "1 or more")
    require("column_height", column_height, column_height >= 1, "1 or more")
    height, width = (column_height + 1) * shelf_rows + 2, 3 * shelf_columns + 1
    require("layout cells", height * width, height * width <= _MAX_CELLS, f"1 to {_MAX_CELLS}")
    y, x = np.indices((height, width))
    middle = (width // 2 - 1, width // 2)
    corridor = (x % 3 == 0) | (y % (column_height + 1) == 0) | (y == height - 1)
    queue = (y > height - (column_height + 3)) & np.isin(x, middle)
    goals = np.array([(height - 1) * width + column for column in middle], dtype=np.int32)
    return RwareLayout(~(corridor | queue), goals)


def registered_rware_layout(size: Size) -> RwareLayout:
    """One of the sizes that rware registers, such as ``tiny`` of ``rware-tiny-2ag-v2``.

    Raises:
        InputError: another size.
    """
    require("size", size, size in get_args(Size), ", ".join(get_args(Size)))
    rows, columns = _ROWS_COLUMNS[size]
    return make_rware_layout(columns, rows, _COLUMN_HEIGHT)
