# SPDX-License-Identifier: Apache-2.0
"""The proof that nobody can deadlock, by a checker that knows no solver.

It shares no code with the evaluators or coordinators: it lays out every edge of the event graph
that the assignment implies and looks for circles with scipy's strongly connected components.
An acyclic event graph means that whatever the delays, some robot can always move on, so every
robot finishes. Density is proved by the smallest cover of a region's visits by chains of visits
that exclude each other: with D chains, never more than D robots are inside (Dilworth).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

from sim.graph import CoordinationGraph
from sim.schedule import Assignment


@dataclass(frozen=True)
class Certificate:
    """The outcome of :func:`certify`.

    Args:
        complete: every conflict has an order and a legal type.
        forced_kept: robots that start or park in the way go first or last there.
        acyclic: no circle of events that wait for each other, so every robot finishes.
        density_kept: no region can ever hold more robots than its bound.
        violation: the first violation in words, None when there is none.
    """

    complete: bool
    forced_kept: bool
    acyclic: bool
    density_kept: bool
    violation: str | None

    @property
    def valid(self) -> bool:
        """Whether the assignment may drive robots."""
        return self.violation is None


def certify(graph: CoordinationGraph, assignment: Assignment) -> Certificate:
    """Check an assignment and name its first violation."""
    incomplete = _incomplete(graph, assignment)
    if incomplete:
        return Certificate(False, False, False, False, incomplete)
    forced = _broken_forced_order(graph, assignment)
    edges = _edges(graph, assignment)
    circle = _circle(graph, edges)
    crowd = _overfull_region(graph, assignment)
    return Certificate(
        complete=True,
        forced_kept=forced is None,
        acyclic=circle is None,
        density_kept=crowd is None,
        violation=forced or circle or crowd,
    )


def _incomplete(graph: CoordinationGraph, assignment: Assignment) -> str | None:
    order, following = assignment.order, assignment.following
    if order.shape != (graph.num_conflicts,) or following.shape != order.shape:
        return f"{graph.num_conflicts} conflicts but {order.shape} orders, {following.shape} types"
    undecided = np.flatnonzero((order != 0) & (order != 1))
    if undecided.size:
        return f"conflict {undecided[0]} has order {order[undecided[0]]}; 0 or 1 is allowed"
    illegal = np.flatnonzero(following & ~graph.following_allowed)
    if illegal.size:
        return f"conflict {illegal[0]} is typed following, which its directions do not allow"
    return None


def _broken_forced_order(graph: CoordinationGraph, assignment: Assignment) -> str | None:
    broken = np.flatnonzero((graph.forced >= 0) & (graph.forced != assignment.order))
    if not broken.size:
        return None
    conflict = int(broken[0])
    robots = graph.event_robot[graph.interval_enter]
    u, v = robots[graph.conflict_u[conflict]], robots[graph.conflict_v[conflict]]
    first = u if graph.forced[conflict] == 0 else v
    return f"conflict {conflict} of robots {u} and {v}: robot {first} must be first"


Edges = tuple[NDArray[np.int64], NDArray[np.int64]]


def _edges(graph: CoordinationGraph, assignment: Assignment) -> Edges:
    """Every edge that the assignment implies; no reduction to consecutive visitors."""
    driving = np.flatnonzero(graph.cell >= 0)
    tails: list[NDArray[np.integer]] = [driving]
    heads: list[NDArray[np.integer]] = [driving + 1]
    for place in range(int(graph.overlap_length.max(initial=0))):
        here = np.flatnonzero(graph.overlap_length > place)
        sign = np.where(graph.overlap_direction[here] < 0, -1, 1)
        visit = np.stack([graph.overlap_u[here] + place, graph.overlap_v[here] + sign * place])
        first = assignment.order[graph.overlap_conflict[here]].astype(np.int64)
        column = np.arange(len(here))
        tails.append(visit[first, column] + 1)
        heads.append(visit[1 - first, column])
    exclusive = np.flatnonzero(~assignment.following)
    pair = np.stack([graph.conflict_u[exclusive], graph.conflict_v[exclusive]])
    first = assignment.order[exclusive].astype(np.int64)
    column = np.arange(len(exclusive))
    tails.append(graph.interval_exit[pair[first, column]])
    heads.append(graph.interval_enter[pair[1 - first, column]])
    return np.concatenate(tails).astype(np.int64), np.concatenate(heads).astype(np.int64)


def _circle(graph: CoordinationGraph, edges: Edges) -> str | None:
    size = graph.num_events
    matrix = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(size, size))
    count, label = connected_components(matrix.tocsr(), connection="strong")
    if count == size and not (edges[0] == edges[1]).any():
        return None
    sizes = np.bincount(label)
    members = np.flatnonzero(sizes[label] > 1)
    robots = np.unique(graph.event_robot[members])
    shown = ", ".join(map(str, robots[:8])) + (", ..." if len(robots) > 8 else "")
    cell = graph.cell[members].max()
    return f"robots {shown} wait for each other in a circle (first at cell {cell})"


def _overfull_region(graph: CoordinationGraph, assignment: Assignment) -> str | None:
    for region in range(graph.num_regions):
        visits = graph.region_visits[graph.region_ptr[region] : graph.region_ptr[region + 1]]
        before = _transitive_closure(_exclusions(graph, assignment, region, visits))
        matching = maximum_bipartite_matching(csr_array(before), perm_type="column")
        chains = len(visits) - int((matching >= 0).sum())
        if chains > graph.region_bound[region]:
            return (
                f"density region {region}: the types let {chains} robots in at once; "
                f"{graph.region_bound[region]} are allowed"
            )
    return None


def _exclusions(
    graph: CoordinationGraph, assignment: Assignment, region: int, visits: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """``[m, m]`` True where visit a must have left the region before visit b enters."""
    place = np.full(graph.num_intervals, -1)
    place[visits] = np.arange(len(visits))
    conflicts = np.flatnonzero((graph.conflict_region == region) & ~assignment.following)
    pair = place[np.stack([graph.conflict_u[conflicts], graph.conflict_v[conflicts]])]
    first = assignment.order[conflicts].astype(np.int64)
    column = np.arange(len(conflicts))
    robot = graph.event_robot[graph.interval_enter[visits]]
    before = np.triu(robot[:, None] == robot[None, :], k=1)  # intervals ascend along a route
    before[pair[first, column], pair[1 - first, column]] = True
    return np.asarray(before)


def _transitive_closure(before: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """If a excludes b and b excludes c, a has left before c enters."""
    reach = before
    while True:
        longer = reach | ((reach.astype(np.float32) @ reach.astype(np.float32)) > 0)
        if (longer == reach).all():
            return reach
        reach = longer
