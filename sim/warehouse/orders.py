# SPDX-License-Identifier: Apache-2.0
"""Orders: what has to be visited, from when on, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.errors import InputError, require
from sim.layout import Layout
from sim.text_files import quoted

Int64s = NDArray[np.int64]

NO_DEADLINE = 2**62
"""Stands for the deadline of an order that has all the time in the world."""

MAX_ORDERS = 10_000_000


@dataclass(frozen=True, eq=False)
class Orders:
    """M orders, numbered as they are revealed; all arrays are C-contiguous.

    Args:
        errand_ptr: int64 ``[M + 1]``; the errands of order ``m`` are
            ``errand_cells[errand_ptr[m] : errand_ptr[m + 1]]``, at least one.
        errand_cells: int32, linear cells, in the sequence in which they have to be visited.
        release_tick: int64 ``[M]`` ascending, when the order becomes known.
        deadline_tick: int64 ``[M]``, the last tick that is not late, or ``NO_DEADLINE``.

    Raises:
        InputError: the arrays do not describe orders; names the field and the order.
    """

    errand_ptr: Int64s
    errand_cells: NDArray[np.int32]
    release_tick: Int64s
    deadline_tick: Int64s

    def __post_init__(self) -> None:
        for field in fields(self):
            _require_kind(field.name, getattr(self, field.name))
        counts = np.diff(self.errand_ptr)
        if len(self.errand_ptr) == 0 or self.errand_ptr[0] != 0 or (counts < 0).any():
            raise InputError("errand_ptr does not begin at 0 or falls; allowed: 0, then ascending")
        if (counts == 0).any():
            raise InputError(f"order {np.argmin(counts)} has no errand; allowed: 1 or more")
        length, ends = len(self.errand_cells), self.errand_ptr[-1]
        require("errand_cells", f"{length} long", length == ends, f"{ends}, as errand_ptr says")
        for name in ("release_tick", "deadline_tick"):
            length = len(getattr(self, name))
            require(name, f"{length} long", length == len(self), f"{len(self)}, one per order")
        self._require_ticks()

    def _require_ticks(self) -> None:
        early = np.flatnonzero(np.diff(self.release_tick, prepend=0) < 0)
        if early.size:
            what = f"release_tick of order {early[0]} is {self.release_tick[early[0]]}"
            raise InputError(f"{what}; allowed: ascending from 0")
        late = np.flatnonzero(
            (self.deadline_tick < self.release_tick) | (self.deadline_tick > NO_DEADLINE)
        )
        if late.size:
            what = f"deadline_tick of order {late[0]} is {self.deadline_tick[late[0]]}"
            raise InputError(
                f"{what}; allowed: its release tick {self.release_tick[late[0]]} to NO_DEADLINE"
            )

    def __len__(self) -> int:
        return max(0, len(self.errand_ptr) - 1)

    def errands(self, order: int) -> NDArray[np.int32]:
        """The cells of one order."""
        return self.errand_cells[self.errand_ptr[order] : self.errand_ptr[order + 1]]


def _require_kind(name: str, array: object) -> None:
    kind = np.dtype(np.int32 if name == "errand_cells" else np.int64)
    fits = isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype == kind
    shape = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else quoted(array)
    require(name, shape, fits, f"one row of {kind}")


def orders_of(
    errands: Sequence[ArrayLike],
    release_tick: ArrayLike | None = None,
    deadline_tick: ArrayLike | None = None,
) -> Orders:
    """Orders from the cells of each.

    Args:
        errands: for each order its cells, in sequence.
        release_tick: ``[M]``; all are known from tick 0 on without.
        deadline_tick: ``[M]``; nothing is ever late without.

    Raises:
        InputError: an order without errands, or ticks out of range.
    """
    require("orders", len(errands), len(errands) <= MAX_ORDERS, f"at most {MAX_ORDERS}")
    rows = [np.asarray(row, dtype=np.int32).ravel() for row in errands]
    release = np.zeros(len(rows)) if release_tick is None else release_tick
    deadline = np.full(len(rows), NO_DEADLINE) if deadline_tick is None else deadline_tick
    return Orders(
        errand_ptr=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        errand_cells=np.concatenate([np.empty(0, dtype=np.int32), *rows]),
        release_tick=np.array(release, dtype=np.int64),
        deadline_tick=np.array(deadline, dtype=np.int64),
    )


def require_errands(layout: Layout, orders: Orders) -> None:
    """Refuse errands that no robot can stand on.

    Raises:
        InputError: names the order, the errand, and its row and column or its cell.
    """
    cells = orders.errand_cells
    inside = (cells >= 0) & (cells < layout.free.size)
    bad = np.flatnonzero(~inside | ~layout.free.ravel()[np.where(inside, cells, 0)])
    if not bad.size:
        return
    place, cell = int(bad[0]), int(cells[bad[0]])
    order = int(np.searchsorted(orders.errand_ptr, place, side="right")) - 1
    row, column = layout.row_column(cell)
    fault = "is an obstacle of" if inside[place] else f"(cell {cell}) is outside"
    raise InputError(
        f"order {order}, errand {place - orders.errand_ptr[order]}: row {row}, column {column} "
        f"{fault} layout {layout.name}; allowed: free cells"
    )


def repeated(orders: Orders, count: int) -> Orders:
    """``count`` orders: order ``m`` is order ``m % M`` once more, as the league goes on.

    Raises:
        InputError: there is none to repeat, or an order has a release or a deadline.
    """
    require("orders", len(orders), len(orders) > 0, "1 or more, to be repeated")
    require("count", count, 0 <= count <= MAX_ORDERS, f"0 to {MAX_ORDERS}")
    plain = not orders.release_tick.any() and bool((orders.deadline_tick == NO_DEADLINE).all())
    require("orders", "with ticks", plain, "release 0 and no deadline, to be repeated")
    laps, rest = divmod(count, len(orders))
    lengths = np.diff(orders.errand_ptr)
    return Orders(
        errand_ptr=np.cumsum(np.r_[0, np.tile(lengths, laps), lengths[:rest]], dtype=np.int64),
        errand_cells=np.concatenate(
            [np.tile(orders.errand_cells, laps), orders.errand_cells[: orders.errand_ptr[rest]]]
        ),
        release_tick=np.zeros(count, dtype=np.int64),
        deadline_tick=np.full(count, NO_DEADLINE, dtype=np.int64),
    )
