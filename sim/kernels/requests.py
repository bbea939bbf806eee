# SPDX-License-Identifier: Apache-2.0
"""Requests for cells: who comes first, and who waits until a cell is free.

What is done for every event takes arrays one by one, as a tuple would cost more than that.
"""

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.floor_state import NOBODY

Queue = list[tuple[float, float, np.int64]]


class Requests(NamedTuple):
    """Who waits for what.

    ``arrived [N]`` when a robot first asked for its next cell (or its rank); ``free_at [cells]``;
    ``first [cells]`` and ``next [N]``: linked lists of robots that wait for an occupied cell;
    ``woken [N]`` room for robots that the banker had refused.
    """

    queue: Queue
    arrived: NDArray[np.float64]
    free_at: Int32s
    first: Int32s
    next: Int32s
    woken: Int32s


@kernel
def make_requests(g: GraphArrays) -> Requests:
    """Nobody has asked yet."""
    n, cells = len(g.parked), len(g.visit_ptr) - 1
    queue = [(0.0, 0.0, np.int64(0))]
    queue.clear()
    return Requests(
        queue,
        np.zeros(n),
        np.zeros(cells, np.int32),
        np.full(cells, NOBODY, np.int32),
        np.full(n, NOBODY, np.int32),
        np.empty(n, np.int32),
    )


@kernel
def ask(queue: Queue, arrived: NDArray[np.float64], when: float, i: int) -> None:
    """Robot ``i`` asks for its next cell at ``when``; ties go to who has waited longer."""
    heapq.heappush(queue, (float(when), arrived[i], np.int64(i)))


@kernel
def must_wait(
    queue: Queue, arrived: NDArray[np.float64], free_at: Int32s, first: Int32s, next_: Int32s,
    occupant: Int32s, now: float, i: int, k: int, timed: bool,
) -> bool:  # fmt: skip
    """Whether cell ``k``, for which robot ``i`` asks, is taken; then ``i`` asks when it may be
    free."""
    if occupant[k] >= 0 and occupant[k] != i:
        next_[i] = first[k]
        first[k] = i
        return True
    if timed and free_at[k] > now:
        ask(queue, arrived, free_at[k], i)
        return True
    return False


@kernel
def call_waiting(
    queue: Queue, arrived: NDArray[np.float64], free_at: Int32s, first: Int32s, next_: Int32s,
    k: int, timed: bool,
) -> None:  # fmt: skip
    """Cell ``k`` is left: whoever waits for it asks again when it is free."""
    j = first[k]
    first[k] = NOBODY
    while j >= 0:
        ask(queue, arrived, free_at[k] if timed else arrived[j], j)
        j = next_[j]
