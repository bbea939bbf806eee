# SPDX-License-Identifier: Apache-2.0
"""A total order that respects precedences and otherwise follows ranks."""

import heapq

import numpy as np
from numpy.typing import NDArray

from sim.graph import Int32s
from sim.jit import kernel


@kernel
def positions_by_rank(rank: NDArray[np.float64], ptr: Int32s, successors: Int32s) -> Int32s:
    """``[B]`` place of every item: always the least rank (then number) of those that may come.

    Args:
        rank: ``[B]`` finite.
        ptr, successors: CSR of the items that must come later.

    Returns:
        -1 for items on or behind a circle.
    """
    position = np.full(len(rank), -1, dtype=np.int32)
    missing = np.zeros(len(rank), dtype=np.int32)
    for item in successors:
        missing[item] += 1
    ready = [(rank[item], np.int64(item)) for item in range(len(rank)) if missing[item] == 0]
    heapq.heapify(ready)
    place = 0
    while len(ready) > 0:
        _, item = heapq.heappop(ready)
        position[item] = place
        place += 1
        for x in range(ptr[item], ptr[item + 1]):
            after = successors[x]
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(ready, (rank[after], np.int64(after)))
    return position
