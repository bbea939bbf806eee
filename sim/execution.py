# SPDX-License-Identifier: Apache-2.0
"""What happens when robots are slower than planned.

**By precedence**: an event happens as soon as its robot is ready (its last event plus the sampled
duration) and the visitors before it have left (plus the headway). Whatever the delays, the order
on every cell is the assignment's, so robots wait but cannot collide; times are the longest paths
of the event graph with the sampled durations.

**By clock**: every robot follows its own planned times and looks at nobody. Late robots collide.

Durations are ``int32[E, S]``, milliseconds: column ``s`` is one run of the whole fleet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, assert_never

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.graph import CoordinationGraph, Int32s
from sim.kernels import execution as kernels
from sim.kernels.execution import LANES, NEVER, Programs
from sim.schedule import Assignment, DeadlockError, Objective

LATEST_MS = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, eq=False)
class SharedDurations:
    """Sampled durations on which many assignments are run (common random numbers).

    Args:
        blocks: ``[ceil(S / LANES), E, LANES]`` the samples, block after block.
        num_samples: S.
        scratch: ``[E, LANES]`` used by every run, so one thread at a time.
    """

    blocks: Int32s
    num_samples: int
    scratch: Int32s

    @classmethod
    def of(cls, graph: CoordinationGraph, durations_ms: Int32s) -> Self:
        """Lay out ``[E, S]`` milliseconds.

        Raises:
            InputError: another number of events, a negative duration, or runs that could take
                more than 24 days.
        """
        if durations_ms.ndim != 2 or len(durations_ms) != graph.num_events:
            raise InputError(
                f"durations have shape {durations_ms.shape}; ({graph.num_events}, samples) is "
                "needed, a row for every event"
            )
        num_blocks = -(-durations_ms.shape[1] // LANES)
        blocks = np.zeros((num_blocks, graph.num_events, LANES), dtype=np.int32)
        total_ms = kernels.fill_blocks(np.ascontiguousarray(durations_ms, np.int32), blocks)
        if total_ms < 0:
            raise InputError("a sampled duration is negative")
        total_ms += graph.num_events * graph.headway_ms + int(graph.release_ms.max())
        if total_ms > LATEST_MS:
            raise InputError("delayed runs could take more than 24 days; split the fleet")
        return cls(blocks, durations_ms.shape[1], np.empty_like(blocks, shape=blocks.shape[1:]))


@dataclass(frozen=True, eq=False)
class Execution:
    """S runs of one assignment.

    Args:
        finish_ms: ``[N, S]`` when each robot has left its last cell.
        wait_ms: ``[N, S]`` how long it stood for others, on the way or before its first event.
    """

    finish_ms: Int32s
    wait_ms: Int32s


def execute(graph: CoordinationGraph, assignment: Assignment, durations_ms: Int32s) -> Execution:
    """Run an assignment by precedence.

    Raises:
        DeadlockError: the event graph has a cycle.
        InputError: see :meth:`SharedDurations.of`.
    """
    finish_ms = _run(graph, assignment, durations_ms, graph.offsets[1:] - 1)
    if (finish_ms == NEVER).any():
        raise DeadlockError("the assignment has a circle of robots that wait for each other")
    return Execution(finish_ms, waits_ms(graph, durations_ms, finish_ms))


def event_times_ms(
    graph: CoordinationGraph, assignment: Assignment, durations_ms: Int32s
) -> Int32s:
    """``[E, S]`` time of every event by precedence, NEVER where a deadlock prevents it.

    Raises:
        InputError: see :meth:`SharedDurations.of`.
    """
    return _run(graph, assignment, durations_ms, np.arange(graph.num_events, dtype=np.int32))


def waits_ms(graph: CoordinationGraph, durations_ms: Int32s, finish_ms: Int32s) -> Int32s:
    """``[N, S]`` time between release and finish that a robot did not drive."""
    per_robot = np.split(durations_ms, graph.offsets[1:-1])
    driven_ms = np.stack([durations.sum(axis=0, dtype=np.int32) for durations in per_robot])
    return np.asarray(finish_ms - graph.release_ms[:, None] - driven_ms)


def costs_s(
    graph: CoordinationGraph,
    candidates: Sequence[Assignment],
    durations: SharedDurations,
    objective: Objective = Objective.MEAN_TRAVEL,
) -> NDArray[np.float64]:
    """``[B, S]`` cost of every run of every candidate; infinite for one with a deadlock."""
    programs = _compile(graph, candidates)
    shape = (len(candidates), len(durations.blocks) * LANES)
    total_ms, last_ms = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int32)
    kernels.totals_of(
        graph.arrays, programs, durations.blocks, durations.scratch, total_ms, last_ms
    )
    mean_ms = total_ms / graph.num_robots
    match objective:
        case Objective.MEAN_TRAVEL:
            cost_ms = mean_ms
        case Objective.MAKESPAN:
            cost_ms = last_ms.astype(np.float64)
        case Objective.MEAN_DELAY:
            cost_ms = mean_ms - graph.free_ms.mean()
        case _:
            assert_never(objective)
    cost_ms[programs.num_steps < graph.num_events] = np.inf
    return np.asarray(cost_ms[:, : durations.num_samples] / 1000)


def execute_by_clock(graph: CoordinationGraph, planned_ms: Int32s, durations_ms: Int32s) -> Int32s:
    """``[E, S]`` times when every robot follows its plan ``[E]`` and looks at nobody."""
    time_ms = np.empty(durations_ms.shape, dtype=np.int32)
    durations_ms = np.ascontiguousarray(durations_ms, dtype=np.int32)
    kernels.times_by_clock(graph.arrays, planned_ms.copy(), durations_ms, time_ms)
    return time_ms


def _compile(graph: CoordinationGraph, candidates: Sequence[Assignment]) -> Programs:
    order = np.stack([candidate.order for candidate in candidates])
    following = np.stack([candidate.following for candidate in candidates])
    return kernels.compile_programs(graph.arrays, order, following)


def _run(
    graph: CoordinationGraph, assignment: Assignment, durations_ms: Int32s, events: Int32s
) -> Int32s:
    durations = SharedDurations.of(graph, durations_ms)
    times_ms = np.empty((len(events), durations.num_samples), dtype=np.int32)
    kernels.times_of(
        graph.arrays,
        _compile(graph, [assignment]),
        durations.blocks,
        durations.scratch,
        events,
        times_ms,
    )
    return times_ms
