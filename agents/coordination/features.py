# SPDX-License-Identifier: Apache-2.0
"""A coordination graph as tensors, without any trace of its size.

Nodes are intervals. Edges join neighbours on a route, in both directions, and the two sides of a
conflict, in both directions. Every number is local to an interval, a conflict or a robot, divided
by a fixed constant and then compressed (asinh is linear near 0 and logarithmic far out), so that a
model that saw 10 robots meets nothing new with 250: the features of a graph do not change when a
second one is put beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sim.graph import FREE, NO_REGION, U_FIRST, CoordinationGraph

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

TIME_S = 10.0
"""Unit of times."""
CELLS = 4.0
"""Unit of lengths of overlaps."""
COUNT = 4.0
"""Unit of numbers of conflicts."""

NODE_WIDTH, ROBOT_WIDTH, SYMMETRIC_WIDTH, ANTISYMMETRIC_WIDTH = 11, 4, 6, 6
EDGE_WIDTH = 4 + SYMMETRIC_WIDTH + ANTISYMMETRIC_WIDTH
"""Three kinds one-hot, the gap of neighbours, and the features of conflicts."""


@dataclass(frozen=True, eq=False)
class Features:
    """One graph of N robots, V intervals, C conflicts, and P pairs of neighbours on a route.

    Args:
        node: ``[V, NODE_WIDTH]``.
        robot: ``[N, ROBOT_WIDTH]``.
        robot_of: ``[V]`` whose interval it is.
        before, after: ``[P]`` intervals, one following the other on a route; gap: ``[P]``.
        conflict_u, conflict_v: ``[C]`` intervals.
        symmetric: ``[C, .]`` features that both sides of a conflict see alike.
        antisymmetric: ``[C, .]`` as u sees them; v sees the negative.
    """

    node: Floats
    robot: Floats
    robot_of: Ints
    before: Ints
    after: Ints
    gap: Floats
    conflict_u: Ints
    conflict_v: Ints
    symmetric: Floats
    antisymmetric: Floats


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """G graphs end to end, indices shifted.

    Args:
        node, robot, robot_of, conflict_u, conflict_v: as in :class:`Features`.
        edges: ``[2, 2 P + 2 C]`` source and target: forward, backward, u to v, v to u.
        edge: ``[2 P + 2 C, EDGE_WIDTH]``.
        graph_of_robot: ``[N]``; num_graphs: G.
        robots, intervals, conflicts: how many each graph has.
    """

    node: Tensor
    robot: Tensor
    robot_of: Tensor
    conflict_u: Tensor
    conflict_v: Tensor
    edges: Tensor
    edge: Tensor
    graph_of_robot: Tensor
    robots: tuple[int, ...]
    intervals: tuple[int, ...]
    conflicts: tuple[int, ...]

    @property
    def num_graphs(self) -> int:
        """G."""
        return len(self.robots)


def graph_features(graph: CoordinationGraph) -> Features:
    """All features of a graph; independent of the numbers that robots happen to have."""
    owner = graph.event_robot[graph.interval_enter].astype(np.int64)
    by_route = np.lexsort((graph.interval_exit, graph.interval_enter))
    along = owner[by_route][1:] == owner[by_route][:-1]
    before, after = by_route[:-1][along], by_route[1:][along]
    gap_s = _seconds(
        graph.nominal_ms[graph.interval_enter[after]]
        - graph.nominal_ms[graph.interval_exit[before]]
    )
    u, v = graph.conflict_u.astype(np.int64), graph.conflict_v.astype(np.int64)
    return Features(
        node=_node_features(graph, owner, by_route, after, gap_s),
        robot=_robot_features(graph, owner),
        robot_of=owner,
        before=before.astype(np.int64),
        after=after.astype(np.int64),
        gap=_squash(gap_s),
        conflict_u=u,
        conflict_v=v,
        symmetric=_symmetric(graph),
        antisymmetric=_antisymmetric(graph, owner),
    )


def _seconds(ms: NDArray[np.integer]) -> NDArray[np.float64]:
    return np.asarray(ms, dtype=np.float64) / 1000.0


def _squash(values: NDArray[np.integer | np.float64], unit: float = TIME_S) -> Floats:
    return np.asarray(np.arcsinh(values / unit), dtype=np.float32)


def _node_features(
    graph: CoordinationGraph, owner: Ints, by_route: Ints, after: Ints, gap_s: NDArray[np.float64]
) -> Floats:
    enter_ms, exit_ms = (
        graph.nominal_ms[graph.interval_enter],
        graph.nominal_ms[graph.interval_exit],
    )
    num = graph.num_intervals
    place = np.empty(num)
    counts = np.bincount(owner, minlength=graph.num_robots)
    place[by_route] = np.arange(num) - (np.cumsum(counts) - counts)[owner[by_route]]
    to_previous = np.zeros(num)
    to_previous[after] = gap_s
    degree = np.bincount(graph.conflict_u, minlength=num)
    degree = degree + np.bincount(graph.conflict_v, minlength=num)
    bound, size = _tightest_region(graph)
    columns = [
        _squash(_seconds(exit_ms - enter_ms)),
        _squash(_seconds(enter_ms)),
        _squash(_seconds(graph.free_ms[owner] - exit_ms)),
        _squash(to_previous),
        enter_ms / np.maximum(graph.free_ms[owner], 1),
        place == 0,
        place == counts[owner] - 1,
        _squash(degree, COUNT),
        bound > 0,
        1.0 / np.maximum(bound, 1),
        _squash(size, COUNT),
    ]
    return np.stack(columns, axis=1).astype(np.float32).reshape(num, NODE_WIDTH)


def _tightest_region(graph: CoordinationGraph) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound and number of visits of the region that an interval is a visit to; 0 for none."""
    sizes = np.diff(graph.region_ptr)
    bound, size = np.zeros(graph.num_intervals), np.zeros(graph.num_intervals)
    bound[graph.region_visits] = np.repeat(graph.region_bound, sizes)
    size[graph.region_visits] = np.repeat(sizes, sizes)
    return bound, size


def _robot_features(graph: CoordinationGraph, owner: Ints) -> Floats:
    conflicts = _conflicts_of_robots(graph, owner)
    columns = [
        _squash(_seconds(graph.free_ms)),
        _squash(_seconds(graph.release_ms)),
        _squash(conflicts, COUNT),
        graph.parked,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _conflicts_of_robots(graph: CoordinationGraph, owner: Ints) -> NDArray[np.float64]:
    both = np.concatenate([owner[graph.conflict_u], owner[graph.conflict_v]])
    return np.bincount(both, minlength=graph.num_robots).astype(np.float64)


def _symmetric(graph: CoordinationGraph) -> Floats:
    num = graph.num_conflicts
    cells = np.bincount(graph.overlap_conflict, weights=graph.overlap_length, minlength=num)
    same, opposite = (
        np.bincount(graph.overlap_conflict[graph.overlap_direction == sign], minlength=num) > 0
        for sign in (1, -1)
    )
    typed = graph.conflict_region != NO_REGION
    columns = [
        _squash(cells, CELLS),
        same,
        opposite,
        graph.following_allowed,
        typed,
        graph.forced != FREE,
    ]
    return np.stack(columns, axis=1).astype(np.float32).reshape(num, SYMMETRIC_WIDTH)


def _antisymmetric(graph: CoordinationGraph, owner: Ints) -> Floats:
    u, v = graph.conflict_u, graph.conflict_v
    enter_ms, exit_ms = (
        graph.nominal_ms[graph.interval_enter],
        graph.nominal_ms[graph.interval_exit],
    )
    free_ms = graph.free_ms[owner]
    conflicts = _conflicts_of_robots(graph, owner)[owner]
    forced = np.where(graph.forced == FREE, 0.0, np.where(graph.forced == U_FIRST, 1.0, -1.0))
    columns = [
        _squash(_seconds(enter_ms[v] - enter_ms[u])),
        # u second would wait so long, and v second so long: the difference of both
        _squash(_seconds((exit_ms[v] - enter_ms[u]) - (exit_ms[u] - enter_ms[v]))),
        _squash(_seconds(free_ms[v] - free_ms[u])),
        _squash(_seconds((free_ms[v] - exit_ms[v]) - (free_ms[u] - exit_ms[u]))),
        _squash(conflicts[v] - conflicts[u], COUNT),
        forced,
    ]
    shape = (graph.num_conflicts, ANTISYMMETRIC_WIDTH)
    return np.stack(columns, axis=1).astype(np.float32).reshape(shape)


def collate(graphs: Sequence[Features], device: torch.device | str = "cpu") -> GraphBatch:
    """Several graphs, at least one, as one batch."""
    robots = tuple(len(one.robot) for one in graphs)
    intervals = tuple(len(one.node) for one in graphs)
    first_robot, first_node = _starts(robots), _starts(intervals)

    def joined(name: str, shift: Ints | None = None) -> Tensor:
        parts = [
            getattr(one, name) + (0 if shift is None else shift[i]) for i, one in enumerate(graphs)
        ]
        return torch.from_numpy(np.concatenate(parts)).to(device)

    before, after = joined("before", first_node), joined("after", first_node)
    u, v = joined("conflict_u", first_node), joined("conflict_v", first_node)
    number = torch.repeat_interleave(torch.arange(len(graphs)), torch.tensor(robots))
    return GraphBatch(
        node=joined("node"),
        robot=joined("robot"),
        robot_of=joined("robot_of", first_robot),
        conflict_u=u,
        conflict_v=v,
        edges=torch.stack([torch.cat([before, after, u, v]), torch.cat([after, before, v, u])]),
        edge=_edge_features(joined("gap"), joined("symmetric"), joined("antisymmetric")),
        graph_of_robot=number.to(device),
        robots=robots,
        intervals=intervals,
        conflicts=tuple(len(one.conflict_u) for one in graphs),
    )


def _starts(counts: tuple[int, ...]) -> Ints:
    return np.cumsum((0, *counts[:-1]), dtype=np.int64)


def _edge_features(gap: Tensor, symmetric: Tensor, antisymmetric: Tensor) -> Tensor:
    """Rows in the order of ``GraphBatch.edges``."""
    neighbours, conflicts = len(gap), len(symmetric)
    edge = gap.new_zeros(2 * (neighbours + conflicts), EDGE_WIDTH)
    forward, backward = slice(0, neighbours), slice(neighbours, 2 * neighbours)
    edge[forward, 0], edge[backward, 1], edge[2 * neighbours :, 2] = 1.0, 1.0, 1.0
    edge[: 2 * neighbours, 3] = gap.repeat(2)
    first = 4 + SYMMETRIC_WIDTH
    edge[2 * neighbours :, 4:first] = symmetric.repeat(2, 1)
    edge[2 * neighbours :, first:] = torch.cat([antisymmetric, -antisymmetric])
    return edge
