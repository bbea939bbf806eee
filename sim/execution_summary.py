# SPDX-License-Identifier: Apache-2.0
"""Many executions in a few numbers, with their uncertainty."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sim.collisions import collisions
from sim.execution import event_times_ms, execute_by_clock, waits_ms
from sim.graph import CoordinationGraph, Int32s
from sim.kernels.execution import NEVER
from sim.schedule import Assignment, evaluate

NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A mean over independent runs.

    Args:
        mean: over the runs.
        half_width: of its 95 % interval by the normal approximation; infinite for a single run.
            (Of a share of 0 or 1 it is 0, whatever the number of runs.)
    """

    mean: float
    half_width: float

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> Self:
        """The mean of ``[S]`` values, one for each run."""
        samples = np.asarray(values, dtype=np.float64)
        if len(samples) < 2:
            return cls(float(samples.mean()), float("inf"))
        error = samples.std(ddof=1) / np.sqrt(len(samples))
        return cls(float(samples.mean()), float(NORMAL_95 * error))


@dataclass(frozen=True)
class ExecutionSummary:
    """What S runs of an assignment looked like. Intervals are over runs, not robots.

    Args:
        travel_s: mean finish time of a run's robots.
        travel_p95_s: 95th percentile of the finish times of a run's robots.
        wait_s: mean time of a run's robots beyond driving.
        throughput_per_min: robots that finished, per minute until the last one did.
        collisions: by precedence, summed over all runs.
        deadlocks: runs in which some robot did not finish.
        by_clock_collisions: collisions of a run when robots follow the clock instead.
        by_clock_collided: share of the runs by clock that have any.
        samples: S.
    """

    travel_s: Estimate
    travel_p95_s: Estimate
    wait_s: Estimate
    throughput_per_min: Estimate
    collisions: int
    deadlocks: int
    by_clock_collisions: Estimate
    by_clock_collided: Estimate
    samples: int

    def to_record(self) -> dict[str, float | int]:
        """Flat, with stable names."""
        return {
            "travel_s_mean": self.travel_s.mean,
            "travel_s_p95": self.travel_p95_s.mean,
            "wait_s_mean": self.wait_s.mean,
            "throughput_per_min": self.throughput_per_min.mean,
            "collisions": self.collisions,
            "deadlocks": self.deadlocks,
            "by_clock_collisions_mean": self.by_clock_collisions.mean,
            "by_clock_collided_share": self.by_clock_collided.mean,
            "samples": self.samples,
        }


def summarise(
    graph: CoordinationGraph, assignment: Assignment, durations_ms: Int32s
) -> ExecutionSummary:
    """Run an assignment by precedence and, beside it, by the clock of its nominal schedule.

    Needs some 20 bytes of memory for each event of each run.

    Args:
        durations_ms: ``[E, S]``.

    Raises:
        DeadlockError: the assignment has no schedule.
        InputError: see :meth:`sim.execution.SharedDurations.of`.
    """
    planned_ms = evaluate(graph, assignment).time_ms
    time_ms = event_times_ms(graph, assignment, durations_ms)
    finish_ms = time_ms[graph.offsets[1:] - 1]
    by_clock = collisions(graph, execute_by_clock(graph, planned_ms, durations_ms))
    minutes = finish_ms.max(axis=0) / 60_000
    return ExecutionSummary(
        travel_s=Estimate.of(finish_ms.mean(axis=0) / 1000),
        travel_p95_s=Estimate.of(np.percentile(finish_ms, 95, axis=0) / 1000),
        wait_s=Estimate.of(waits_ms(graph, durations_ms, finish_ms).mean(axis=0) / 1000),
        throughput_per_min=Estimate.of((finish_ms != NEVER).sum(axis=0) / minutes),
        collisions=int(collisions(graph, time_ms).sum()),
        deadlocks=int((time_ms == NEVER).any(axis=0).sum()),
        by_clock_collisions=Estimate.of(by_clock),
        by_clock_collided=Estimate.of(by_clock > 0),
        samples=durations_ms.shape[1],
    )
