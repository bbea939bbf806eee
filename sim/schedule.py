# SPDX-License-Identifier: Apache-2.0
"""Assignment and schedule: orders in, entry and exit times out.

The earliest times under an assignment are the longest paths of the event graph. The fast
evaluator rests on one fact: on each cell only *consecutive* visitors need an edge, so an event
has at most two predecessors (its own robot's last event, and the exit of the visitor before).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.graph import Bools, CoordinationGraph, Int8s, Int32s
from sim.kernels.longest_path import DEADLOCK, evaluate_many, evaluate_one


class Objective(StrEnum):
    """What a schedule costs, in seconds."""

    MEAN_TRAVEL = "mean_travel"
    MAKESPAN = "makespan"
    MEAN_DELAY = "mean_delay"


class DeadlockError(ValueError):
    """The assignment has a circle of robots that wait for each other."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """An order and a type for every conflict.

    Args:
        order: ``[C]`` 0 when the robot of ``u`` passes first, 1 when that of ``v`` does.
        following: ``[C]`` True when the second may follow cell by cell (or, in a density region,
            may be inside at the same time), False when it waits until the first has left.
    """

    order: Int8s
    following: Bools


@dataclass(frozen=True, eq=False)
class Schedule:
    """Earliest times under an assignment.

    Args:
        time_ms: ``[E]`` time of every event.
        finish_ms: ``[N]`` when each robot has left its last cell.
        free_ms: ``[N]`` when it would have, had it been alone.
    """

    time_ms: Int32s
    finish_ms: Int32s
    free_ms: Int32s

    def cost_s(self, objective: Objective = Objective.MEAN_TRAVEL) -> float:
        """The cost in seconds."""
        return float(cost_of_finish_s(self.finish_ms, self.free_ms, objective))


def cost_of_finish_s(
    finish_ms: NDArray[np.integer], free_ms: Int32s, objective: Objective
) -> NDArray[np.float64]:
    """Cost in seconds of finish times ``[..., N]``; shape ``[...]``."""
    finish = np.asarray(finish_ms, dtype=np.float64)
    match objective:
        case Objective.MEAN_TRAVEL:
            cost = finish.mean(axis=-1)
        case Objective.MAKESPAN:
            cost = finish.max(axis=-1)
        case Objective.MEAN_DELAY:
            cost = (finish - free_ms).mean(axis=-1)
        case _:
            assert_never(objective)
    return np.asarray(cost / 1000.0)


def evaluate(graph: CoordinationGraph, assignment: Assignment) -> Schedule:
    """Earliest schedule under an assignment.

    Raises:
        DeadlockError: the event graph has a cycle.
    """
    time = evaluate_one(graph.arrays, assignment.order, assignment.following)
    if time[0] == DEADLOCK:
        raise DeadlockError("the assignment has a circle of robots that wait for each other")
    return _schedule(graph, time)


def evaluate_batch(graph: CoordinationGraph, order: Int8s, following: Bools) -> Int32s:
    """Finish times of many assignments at once.

    Args:
        order: ``[B, C]``; following: ``[B, C]``.

    Returns:
        ``[B, N]`` milliseconds; -1 in every place of a row whose event graph has a cycle.
    """
    return evaluate_many(graph.arrays, order, following)


def evaluate_reference(graph: CoordinationGraph, assignment: Assignment) -> Schedule:
    """Slow and obvious twin of :func:`evaluate`: all edges, on networkx.

    Raises:
        DeadlockError: the event graph has a cycle.
    """
    events = event_graph(graph, assignment)
    time = np.zeros(graph.num_events, dtype=np.int32)
    time[graph.offsets[:-1]] = graph.release_ms
    try:
        for event in nx.topological_sort(events):
            for before, _, edge in events.in_edges(event, data=True):
                time[event] = max(time[event], time[before] + edge["lag_ms"])
    except nx.NetworkXUnfeasible as error:
        raise DeadlockError("the assignment has a cycle") from error
    return _schedule(graph, time)


def event_graph(graph: CoordinationGraph, assignment: Assignment) -> "nx.MultiDiGraph[int]":
    """The whole event graph, with an edge for every pair of visits of every conflict."""
    events: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    events.add_nodes_from(range(graph.num_events))
    for event in np.flatnonzero(graph.cell >= 0).tolist():
        events.add_edge(event, event + 1, lag_ms=int(graph.duration_ms[event]))
    for before, after in zip(*cell_edges(graph, assignment.order), strict=True):
        events.add_edge(int(before), int(after), lag_ms=graph.headway_ms)
    for before, after in zip(*exclusive_edges(graph, assignment), strict=True):
        events.add_edge(int(before), int(after), lag_ms=graph.headway_ms)
    return events


def cell_edges(graph: CoordinationGraph, order: Int8s) -> tuple[Int32s, Int32s]:
    """For every shared cell of every overlap: exit of the first, entry of the second."""
    which = np.repeat(np.arange(len(graph.overlap_u)), graph.overlap_length)
    starts = np.cumsum(graph.overlap_length) - graph.overlap_length
    step = np.arange(len(which)) - starts[which]
    direction = np.where(graph.overlap_direction[which] < 0, -1, 1)
    on_u = graph.overlap_u[which] + step
    on_v = graph.overlap_v[which] + direction * step
    v_first = order[graph.overlap_conflict[which]] == 1
    first, second = np.where(v_first, on_v, on_u), np.where(v_first, on_u, on_v)
    return (first + 1).astype(np.int32), second.astype(np.int32)


def exclusive_edges(graph: CoordinationGraph, assignment: Assignment) -> tuple[Int32s, Int32s]:
    """For every exclusive conflict: exit of the first interval, entry of the second."""
    conflicts = np.flatnonzero(~assignment.following)
    u, v = graph.conflict_u[conflicts], graph.conflict_v[conflicts]
    v_first = assignment.order[conflicts] == 1
    first, second = np.where(v_first, v, u), np.where(v_first, u, v)
    return graph.interval_exit[first], graph.interval_enter[second]


def _schedule(graph: CoordinationGraph, time: Int32s) -> Schedule:
    return Schedule(time, time[graph.offsets[1:] - 1], graph.free_ms)
