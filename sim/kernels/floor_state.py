# SPDX-License-Identifier: Apache-2.0
"""Where everybody is while robots are dispatched."""

from typing import NamedTuple

import numpy as np

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel

NOBODY = -1
NOWHERE = -1
NEVER = -1


class Floor(NamedTuple):
    """Who is where.

    ``position [N]`` next event; ``cell [N]`` that a robot holds, NOWHERE in a bay; ``occupant
    [cells]``; ``crowd [Q]`` robots in a region, and ``inside [Q, most]`` which; ``boundary [E]``
    whether an event begins or ends a stay in a region. Of robots that park: ``parks_at [cells]``
    who will stay on a cell for ever, ``next_goal [E]`` the first event from here on by which the
    robot is on the goal of another; both empty where nobody parks.
    """

    position: Int32s
    cell: Int32s
    occupant: Int32s
    crowd: Int32s
    inside: Int32s
    boundary: Bools
    parks_at: Int32s
    next_goal: Int32s


@kernel
def make_floor(g: GraphArrays) -> Floor:
    """Everybody in a bay."""
    n, cells, bounds = len(g.parked), len(g.visit_ptr) - 1, g.region_bound
    most = min(n, int(bounds.max())) if len(bounds) > 0 else 0
    parking = g.parked.any()
    f = Floor(
        g.offsets[:-1].copy(),
        np.full(n, NOWHERE, np.int32),
        np.full(cells, NOBODY, np.int32),
        np.zeros(len(bounds), np.int32),
        np.empty((len(bounds), most), np.int32),
        np.zeros(len(g.robot), np.bool_),
        np.full(cells if parking else 0, NOBODY, np.int32),
        np.full(len(g.robot) if parking else 0, NEVER, np.int32),
    )
    for stay in range(len(g.stay_enter)):
        f.boundary[g.stay_enter[stay]] = True
        f.boundary[g.stay_exit[stay]] = True
    if parking:
        _find_goals(g, f)
    return f


@kernel
def _find_goals(g: GraphArrays, f: Floor) -> None:
    """Note where robots park and when others come there."""
    for i in range(len(g.parked)):
        if g.parked[i]:
            f.parks_at[g.resource[g.offsets[i + 1] - 2]] = i
    for e in range(len(g.robot) - 2, -1, -1):
        k = g.resource[e]
        if k >= 0:
            on_goal = f.parks_at[k] >= 0 and f.parks_at[k] != g.robot[e]
            f.next_goal[e] = e if on_goal else f.next_goal[e + 1]


@kernel
def is_inside(crowd: Int32s, inside: Int32s, q: int, i: int) -> bool:
    """Whether robot ``i`` is in region ``q``."""
    for a in range(crowd[q]):  # noqa: SIM110  (numba knows no generators)
        if inside[q, a] == i:
            return True
    return False


@kernel
def full_region(g: GraphArrays, f: Floor, i: int, e: int) -> int:
    """A full region that ``i`` would enter with event ``e``, or NOWHERE."""
    stay = g.stay_at[e]
    while 0 <= stay < g.stay_ptr[i + 1] and g.stay_enter[stay] == e:
        q = g.stay_region[stay]
        if f.crowd[q] >= g.region_bound[q] and not is_inside(f.crowd, f.inside, q, i):
            return int(q)
        stay += 1
    return NOWHERE


@kernel
def fills_region(g: GraphArrays, f: Floor, i: int, e: int) -> bool:
    """Whether robot ``i`` by event ``e`` has taken the last place in a region."""
    stay = g.stay_at[e]
    while 0 <= stay < g.stay_ptr[i + 1] and g.stay_enter[stay] == e:
        if f.crowd[g.stay_region[stay]] >= g.region_bound[g.stay_region[stay]]:
            return True
        stay += 1
    return False


@kernel
def move(f: Floor, i: int, e: int, k: int) -> None:
    """Let robot ``i`` hold cell ``k`` and nothing else, as by event ``e``."""
    if f.cell[i] >= 0:
        f.occupant[f.cell[i]] = NOBODY
    if k >= 0:
        f.occupant[k] = i
    f.cell[i] = k
    f.position[i] = e + 1


@kernel
def cross(g: GraphArrays, f: Floor, i: int, e: int) -> None:
    """Count robot ``i`` out of the regions that it leaves by event ``e``, into those it enters."""
    _leave(g, f, i, g.stay_exit, e)
    _enter(g, f, i, g.stay_enter, e)


@kernel
def cross_back(g: GraphArrays, f: Floor, i: int, e: int) -> None:
    """Take :func:`cross` back."""
    _leave(g, f, i, g.stay_enter, e)
    _enter(g, f, i, g.stay_exit, e)


@kernel
def _enter(g: GraphArrays, f: Floor, i: int, boundary: Int32s, e: int) -> None:
    """Count robot ``i`` into the regions whose stays have ``boundary`` at ``e``."""
    for stay in range(g.stay_ptr[i], g.stay_ptr[i + 1]):
        if boundary[stay] == e:
            q = g.stay_region[stay]
            f.inside[q, f.crowd[q]] = i
            f.crowd[q] += 1


@kernel
def _leave(g: GraphArrays, f: Floor, i: int, boundary: Int32s, e: int) -> None:
    """Count robot ``i`` out of the regions whose stays have ``boundary`` at ``e``."""
    for stay in range(g.stay_ptr[i], g.stay_ptr[i + 1]):
        if boundary[stay] == e:
            q = g.stay_region[stay]
            f.crowd[q] -= 1
            a = 0
            while f.inside[q, a] != i:
                a += 1
            f.inside[q, a] = f.inside[q, f.crowd[q]]
