# SPDX-License-Identifier: Apache-2.0
"""Where routes meet: maximal shared stretches of every pair of routes."""

from typing import NamedTuple

import numpy as np

from sim.graph import Int8s, Int32s
from sim.indices import visits_by_cell
from sim.jit import kernel

SAME, CROSSING, OPPOSITE = 1, 0, -1


class Overlaps(NamedTuple):
    """``[R]`` arrays; see :class:`sim.graph.CoordinationGraph` for their meaning."""

    u: Int32s
    v: Int32s
    length: Int32s
    direction: Int8s


def find_overlaps(cell: Int32s, robot: Int32s) -> Overlaps:
    """All overlaps of the routes given as events, sorted by (u, v).

    A pair of visits to one cell belongs to exactly one overlap. Where a route turns back on
    itself a pair could extend both ways; it then counts as the same direction.

    Args:
        cell: ``[E]`` cell entered, -1 at the last event of each robot.
        robot: ``[E]`` robot of the event.
    """
    _, visit_ptr, visits = visits_by_cell(cell)
    count = _scan(cell, robot, visit_ptr, visits, np.empty((0, 4), dtype=np.int32))
    found = np.empty((count, 4), dtype=np.int32)
    _scan(cell, robot, visit_ptr, visits, found)
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    u, v, length, direction = (np.ascontiguousarray(column) for column in found.T)
    return Overlaps(u, v, length, direction.astype(np.int8))


def find_overlaps_reference(cell: Int32s, robot: Int32s) -> set[tuple[int, int, int, int]]:
    """Slow and obvious twin of :func:`find_overlaps`: a set of (u, v, length, direction)."""
    pairs = {
        (e, f)
        for e in range(len(cell))
        for f in range(len(cell))
        if cell[e] >= 0 and cell[e] == cell[f] and robot[e] < robot[f]
    }
    same = {(e, f) for e, f in pairs if (e - 1, f - 1) in pairs or (e + 1, f + 1) in pairs}
    found = set()
    for members, step in ((same, 1), (pairs - same, -1)):
        for e, f in members:
            if (e - 1, f - step) not in members:
                length = 1
                while (e + length, f + step * length) in members:
                    length += 1
                found.add((e, f, length, step if length > 1 else CROSSING))
    return found


@kernel
def _shared(cell: Int32s, e: int, f: int) -> bool:
    return e >= 0 and f >= 0 and cell[e] >= 0 and cell[e] == cell[f]


@kernel
def _is_same(cell: Int32s, e: int, f: int) -> bool:
    return _shared(cell, e - 1, f - 1) or _shared(cell, e + 1, f + 1)


@kernel
def _scan(cell: Int32s, robot: Int32s, visit_ptr: Int32s, visits: Int32s, out: Int32s) -> int:
    """Write every overlap to ``out`` if it has room for them, and count them."""
    write = len(out) > 0
    count = 0
    for k in range(len(visit_ptr) - 1):
        for a in range(visit_ptr[k], visit_ptr[k + 1]):
            e = visits[a]
            for b in range(a + 1, visit_ptr[k + 1]):
                f = visits[b]
                if robot[e] == robot[f]:
                    continue
                same = _is_same(cell, e, f)
                step = 1 if same else -1
                if _shared(cell, e - 1, f - step) and (same or not _is_same(cell, e - 1, f + 1)):
                    continue  # not the first pair of its overlap
                length = 1
                while _shared(cell, e + length, f + step * length) and (
                    same or not _is_same(cell, e + length, f - length)
                ):
                    length += 1
                if write:
                    out[count, 0], out[count, 1], out[count, 2] = e, f, length
                    out[count, 3] = step if length > 1 else 0
                count += 1
    return count
