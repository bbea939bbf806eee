# SPDX-License-Identifier: Apache-2.0
"""From routes to the coordination graph: intervals, conflicts, density regions, forced orders."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.graph import FREE, NO_REGION, U_FIRST, V_FIRST, Bools, CoordinationGraph, Int8s, Int32s
from sim.overlaps import OPPOSITE, SAME, Overlaps, find_overlaps
from sim.routes import Routes


class Granularity(StrEnum):
    """What becomes one decision; see :mod:`sim.graph`."""

    OVERLAPS = "overlaps"
    MERGED = "merged"


@dataclass(frozen=True, eq=False)
class DensityRegion:
    """A group of cells that at most ``bound`` robots may occupy at once."""

    cells: Int32s
    bound: int


@dataclass(frozen=True, eq=False)
class Motion:
    """How robots drive their routes.

    Args:
        duration_ms: ``[E]`` least time from every event to the robot's next, 0 for its last.
        release_ms: ``[N]`` earliest first event.
        headway_ms: least time between one robot leaving a cell and another entering it.
        parked: ``[N]`` True where a robot starts and ends on the floor, not in a bay.
    """

    duration_ms: Int32s
    release_ms: Int32s
    headway_ms: int
    parked: Bools


def events_of(routes: Routes) -> tuple[Int32s, Int32s, Int32s]:
    """``offsets [N + 1]``, ``cell [E]`` and ``robot [E]`` of the events of some routes."""
    lengths = np.diff(routes.offsets)
    offsets = (routes.offsets + np.arange(len(routes.offsets))).astype(np.int32)
    robot = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths + 1)
    cell = np.full(len(robot), -1, dtype=np.int32)
    cell[np.delete(np.arange(len(robot)), offsets[1:] - 1)] = routes.cells
    return offsets, cell, robot


def build_graph(
    routes: Routes,
    motion: Motion,
    granularity: Granularity = Granularity.OVERLAPS,
    regions: tuple[DensityRegion, ...] = (),
    *,
    require_sequence: bool = True,
) -> CoordinationGraph:
    """The coordination graph of some routes.

    Args:
        routes, motion: of the robots.
        granularity: what becomes one decision.
        regions: where few robots may be at once.
        require_sequence: False where the caller has made sure that robots could drive one after
            another, which takes most of the time to check.

    Raises:
        InputError: the instance is ill-posed (two robots that park or start in each other's way,
            or a circle of them), or a region's bound is below 1.
    """
    granularity = Granularity(granularity)
    offsets, cell, robot = events_of(routes)
    overlaps = find_overlaps(cell, robot)
    first_v = overlaps.v - np.where(overlaps.direction == OPPOSITE, overlaps.length - 1, 0)
    sides = [(overlaps.u, overlaps.u + overlaps.length), (first_v, first_v + overlaps.length)]
    if granularity is Granularity.MERGED:
        sides = _merge(sides)
    conflicts, overlap_conflict = _unique_conflicts(sides)
    following = _following_allowed(overlaps, overlap_conflict, len(conflicts))
    forced = _forced_orders(conflicts, offsets, robot, motion.parked)
    if require_sequence:
        _require_sequential_order(offsets, cell, robot, motion.parked)
    density = _density_conflicts(regions, cell, robot, motion.parked)
    enter, leave, u, v = _number_intervals(np.concatenate([conflicts, density.conflicts]))
    region_ptr, region_visits = _region_intervals(density, enter, leave)
    num_density = len(density.conflicts)
    return CoordinationGraph(
        offsets=offsets,
        cell=cell,
        duration_ms=motion.duration_ms,
        release_ms=motion.release_ms,
        headway_ms=motion.headway_ms,
        merged=granularity is Granularity.MERGED,
        parked=motion.parked,
        interval_enter=enter,
        interval_exit=leave,
        conflict_u=u,
        conflict_v=v,
        following_allowed=np.concatenate([following, np.ones(num_density, dtype=bool)]),
        forced=np.concatenate([forced, np.full(num_density, FREE, dtype=np.int8)]),
        conflict_region=np.concatenate(
            [np.full(len(conflicts), NO_REGION, dtype=np.int32), density.region]
        ),
        overlap_u=overlaps.u,
        overlap_v=overlaps.v,
        overlap_length=overlaps.length,
        overlap_direction=overlaps.direction,
        overlap_conflict=overlap_conflict,
        region_bound=np.array([region.bound for region in regions], dtype=np.int32),
        region_ptr=region_ptr,
        region_visits=region_visits,
    )


Side = tuple[Int32s, Int32s]


def _merge(sides: list[Side]) -> list[Side]:
    """Replace every interval by the union of its robot's intervals that touch it.

    Intervals that merely touch are merged too: a robot cannot stand between them, so waiting for
    the second would hold the first, and orders of intervals alone would not exclude a deadlock.
    """
    enter = np.concatenate([side[0] for side in sides])
    leave = np.concatenate([side[1] for side in sides])
    order = np.argsort(enter, kind="stable")
    reach = np.maximum.accumulate(leave[order])
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = enter[order][1:] > reach[:-1]
    group = np.cumsum(fresh) - 1
    starts = np.flatnonzero(fresh)
    merged_enter = enter[order][starts]
    merged_leave = np.maximum.reduceat(leave[order], starts) if len(starts) else leave[:0]
    back = np.empty(len(order), dtype=np.int64)
    back[order] = group
    half = len(sides[0][0])
    return [(merged_enter[g], merged_leave[g]) for g in (back[:half], back[half:])]


def _unique_conflicts(sides: list[Side]) -> tuple[Int32s, Int32s]:
    """``[C, 4]`` (enter_u, exit_u, enter_v, exit_v) and the conflict of every overlap."""
    rows = np.stack([sides[0][0], sides[0][1], sides[1][0], sides[1][1]], axis=1)
    unique, inverse = np.unique(rows.astype(np.int32), axis=0, return_inverse=True)
    return unique.reshape(-1, 4), inverse.reshape(-1).astype(np.int32)


def _following_allowed(overlaps: Overlaps, conflict: Int32s, num_conflicts: int) -> Bools:
    """Following needs every overlap in the same order for both, and more than a crossing."""
    allowed = np.zeros(num_conflicts, dtype=bool)
    allowed[conflict[overlaps.direction == SAME]] = True
    several = np.bincount(conflict, minlength=num_conflicts) > 1
    allowed |= several
    allowed[conflict[overlaps.direction == OPPOSITE]] = False
    order = np.lexsort((overlaps.u, conflict))
    same_conflict = conflict[order][1:] == conflict[order][:-1]
    turned = overlaps.v[order][1:] < overlaps.v[order][:-1]
    allowed[conflict[order][1:][same_conflict & turned]] = False
    return allowed


def _forced_orders(conflicts: Int32s, offsets: Int32s, robot: Int32s, parked: Bools) -> Int8s:
    """Who starts inside an interval goes first there, who parks inside goes last."""
    enter_u, exit_u, enter_v, exit_v = conflicts.T
    starts_u, ends_u = _starts_and_ends(enter_u, exit_u, offsets, robot, parked)
    starts_v, ends_v = _starts_and_ends(enter_v, exit_v, offsets, robot, parked)
    u_first, v_first = starts_u | ends_v, starts_v | ends_u
    for row in np.flatnonzero(u_first & v_first)[:1]:
        a, b = robot[enter_u[row]], robot[enter_v[row]]
        raise InputError(
            f"ill-posed instance: robots {a} and {b} start or park inside the same stretch, "
            "so neither can pass; give them bays (parking = bay) or other starts and goals"
        )
    forced = np.full(len(conflicts), FREE, dtype=np.int8)
    forced[u_first] = U_FIRST
    forced[v_first] = V_FIRST
    return forced


def _starts_and_ends(
    enter: Int32s, leave: Int32s, offsets: Int32s, robot: Int32s, parked: Bools
) -> tuple[Bools, Bools]:
    """Whether the robot of each interval starts, and parks, on the floor inside it."""
    owner = robot[enter]
    starts = parked[owner] & (enter == offsets[owner])
    ends = parked[owner] & (leave == offsets[owner + 1] - 1)
    return starts, ends


def _require_sequential_order(offsets: Int32s, cell: Int32s, robot: Int32s, parked: Bools) -> None:
    """Reject instances in which the robots could not even drive one after another."""
    import networkx as nx

    order = nx.DiGraph(list(sequential_precedences(offsets, cell, robot, parked)))
    if not nx.is_directed_acyclic_graph(order):
        circle = " -> ".join(str(edge[0]) for edge in nx.find_cycle(order))
        raise InputError(
            f"ill-posed instance: robots {circle} stand in each other's way in a circle; "
            "give them bays (parking = bay) or other starts and goals"
        )


def sequential_precedences(
    offsets: Int32s, cell: Int32s, robot: Int32s, parked: Bools
) -> set[tuple[int, int]]:
    """Pairs (a, b): with parking on the floor, a must have driven before b can.

    a starts on the route of b, or b parks on the route of a.
    """
    if not parked.any():
        return set()
    visitors: dict[int, set[int]] = {}
    for event in np.flatnonzero(cell >= 0):
        visitors.setdefault(int(cell[event]), set()).add(int(robot[event]))
    pairs = set()
    for owner in np.flatnonzero(parked).tolist():
        start, goal = int(cell[offsets[owner]]), int(cell[offsets[owner + 1] - 2])
        pairs |= {(owner, other) for other in visitors[start] if other != owner}
        pairs |= {(other, owner) for other in visitors[goal] if other != owner}
    return pairs


@dataclass(frozen=True, eq=False)
class _Density:
    conflicts: Int32s  # [., 4] as in _unique_conflicts
    region: Int32s  # [.] region of each conflict
    visits: list[NDArray[np.int32]]  # per region [., 2] enter and exit events


def _density_conflicts(
    regions: tuple[DensityRegion, ...], cell: Int32s, robot: Int32s, parked: Bools
) -> _Density:
    """Every pair of visits of two robots to one region is a conflict to be typed."""
    if regions and parked.any():
        raise InputError("density regions need bays: a parked robot would fill a region for ever")
    rows, owners, visits = [np.empty((0, 4), dtype=np.int32)], [], []
    for number, region in enumerate(regions):
        if region.bound < 1:
            raise InputError(f"density bound is {region.bound}; it must be at least 1")
        stays = _stays(np.isin(cell, region.cells))
        visits.append(stays)
        a, b = np.triu_indices(len(stays), k=1)
        apart = robot[stays[a, 0]] != robot[stays[b, 0]]
        pairs = np.concatenate([stays[a[apart]], stays[b[apart]]], axis=1)
        rows.append(pairs)
        owners += [number] * len(pairs)
    return _Density(np.concatenate(rows), np.array(owners, dtype=np.int32), visits)


def _stays(inside: Bools) -> Int32s:
    """``[., 2]`` first event inside and first event after it, of every visit."""
    edges = np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1).astype(
        np.int32
    )


def _number_intervals(conflicts: Int32s) -> tuple[Int32s, Int32s, Int32s, Int32s]:
    """Distinct intervals (enter, exit) and the two of every conflict."""
    both = np.concatenate([conflicts[:, :2], conflicts[:, 2:]])
    unique, found = np.unique(both, axis=0, return_inverse=True)
    inverse: Int32s = found.reshape(-1).astype(np.int32)
    ends: Int32s = np.ascontiguousarray(unique.reshape(-1, 2).T)
    return ends[0], ends[1], inverse[: len(conflicts)], inverse[len(conflicts) :]


def _region_intervals(density: _Density, enter: Int32s, leave: Int32s) -> tuple[Int32s, Int32s]:
    """CSR of the intervals inside each region; visits that meet nobody have none."""
    number = {
        pair: index for index, pair in enumerate(zip(enter.tolist(), leave.tolist(), strict=True))
    }
    members = [
        [number[tuple(stay)] for stay in stays.tolist() if tuple(stay) in number]
        for stays in density.visits
    ]
    ptr = np.cumsum([0] + [len(inside) for inside in members]).astype(np.int32)
    flat = np.array([visit for inside in members for visit in inside], dtype=np.int32)
    return ptr, flat
