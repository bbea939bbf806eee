# SPDX-License-Identifier: Apache-2.0
"""How many visits of a density region can coincide, given which exclude each other."""

import numpy as np

from sim.graph import Bools, Int32s
from sim.jit import kernel

NONE = -1


@kernel
def fewest_chains(before: Bools) -> int:
    """The fewest chains that cover all visits, which is the most that can coincide (Dilworth).

    Args:
        before: ``[m, m]`` visit a has left before visit b enters; only for a < b, and not
            necessarily transitive.
    """
    size = len(before)
    reach = before.copy()
    for middle in range(size):
        for a in range(middle):
            if reach[a, middle]:
                for b in range(middle + 1, size):
                    reach[a, b] |= reach[middle, b]
    follower_of = np.full(size, NONE, dtype=np.int32)
    seen = np.empty(size, dtype=np.bool_)
    chains = size
    for a in range(size):
        seen[:] = False
        chains -= _find_successor(reach, a, follower_of, seen)
    return chains


@kernel
def _find_successor(reach: Bools, a: int, matched: Int32s, seen: Bools) -> bool:
    """Give ``a`` a successor, moving others on to another one where that helps (Kuhn)."""
    path = np.empty(len(reach) + 1, dtype=np.int32)
    place = np.zeros(len(reach) + 1, dtype=np.int32)
    path[0] = a
    depth = 0
    while depth >= 0:
        b = place[depth]
        if b == len(reach):
            depth -= 1
            continue
        place[depth] += 1
        if seen[b] or not reach[path[depth], b]:
            continue
        seen[b] = True
        if matched[b] != NONE:
            depth += 1
            path[depth] = matched[b]
            place[depth] = 0
            continue
        while depth >= 0:
            matched[place[depth] - 1] = path[depth]
            depth -= 1
        return True
    return False


@kernel
def least_prefix(before: Bools, first: Int32s, second: Int32s, bound: int) -> int:
    """How many of the pairs (first, second), in turn, must exclude each other to keep the bound.

    Args:
        before: ``[m, m]`` as in :func:`fewest_chains`, for what excludes itself anyway.
        first, second: ``[p]`` places of the pairs, first < second, most wanted pair first.
    """
    low, high = 0, len(first)
    while low < high:
        middle = (low + high) // 2
        trial = before.copy()
        for pair in range(middle):
            trial[first[pair], second[pair]] = True
        if fewest_chains(trial) <= bound:
            high = middle
        else:
            low = middle + 1
    return low
