# SPDX-License-Identifier: Apache-2.0
"""The coordination graph: everything a coordinator has to know, as frozen arrays.

**Events.** A robot with a route of ``L`` cells has ``L + 1`` events: entering each cell, and
leaving the last one into its bay. Event ids run robot after robot; the entry of the next cell is
the exit of the present one, so a robot holds cell ``cell[e]`` from event ``e`` to event ``e + 1``.

**Overlaps.** A maximal stretch of cells that two routes share, in the same or in opposite
direction. Within one overlap every cell must be passed in the same order (otherwise the event
graph has a cycle), so an overlap carries exactly one decision.

**Intervals and conflicts.** Two granularities share this type. ``overlaps``: every side of every
overlap is an interval, every overlap a conflict. ``merged``: intervals of one robot that touch are
merged until they are disjoint (the picture of arXiv 2503.02954, figure 1); a conflict then covers
all overlaps between two merged intervals. A conflict of a density region covers no overlap.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Bools = NDArray[np.bool_]

FREE, U_FIRST, V_FIRST = -1, 0, 1
"""Values of ``forced``; an assignment's order uses the last two."""

NO_REGION = -1


class GraphArrays(NamedTuple):
    """What the compiled kernels read: the graph itself, plus derived indices.

    ``exits [E]`` the event that frees the cell entered by an event, -1 where a robot stays for
    ever; ``resource [E]`` dense number of that cell; ``base_rank [E]`` earlier visits of the
    same robot; ``visit_ptr``, ``visits`` events by cell; ``explicit`` conflicts whose exclusive
    type says more than the cells do; ``stay_*`` the visits to regions by robot, and ``stay_at
    [E]`` the first that an event begins.
    """

    offsets: Int32s
    robot: Int32s
    exits: Int32s
    resource: Int32s
    duration_ms: Int32s
    release_ms: Int32s
    free_ms: Int32s
    headway_ms: int
    base_rank: Int32s
    visit_ptr: Int32s
    visits: Int32s
    overlap_u: Int32s
    overlap_v: Int32s
    overlap_length: Int32s
    overlap_direction: Int8s
    overlap_conflict: Int32s
    enter_u: Int32s
    exit_u: Int32s
    enter_v: Int32s
    exit_v: Int32s
    explicit: Int32s
    parked: Bools
    region_bound: Int32s
    region_ptr: Int32s
    region_enter: Int32s
    region_exit: Int32s
    stay_ptr: Int32s
    stay_at: Int32s
    stay_region: Int32s
    stay_enter: Int32s
    stay_exit: Int32s


@dataclass(frozen=True, eq=False)
class CoordinationGraph:
    """N robots, E events, V intervals, C conflicts, R overlaps, Q density regions.

    Args:
        offsets: ``[N + 1]`` events of robot ``i`` are ``offsets[i] .. offsets[i + 1] - 1``.
        cell: ``[E]`` cell entered by the event, -1 for the last event of a robot.
        duration_ms: ``[E]`` least time from this event to the robot's next, 0 for its last.
        release_ms: ``[N]`` earliest time of a robot's first event.
        headway_ms: time between one robot leaving a cell and another entering it; positive,
            because with 0 robots could rotate on the spot and times would not prove an order.
        merged: whether intervals of one robot were merged until they are disjoint.
        parked: ``[N]`` True where the robot starts and ends on the floor instead of in a bay.
        interval_enter, interval_exit: ``[V]`` events that begin and end an interval.
        conflict_u, conflict_v: ``[C]`` the two intervals; the robot of ``u`` has the lower number.
        following_allowed: ``[C]`` whether the second robot may follow cell by cell instead of
            waiting until the first has left the interval.
        forced: ``[C]`` -1 to be decided, 0 u must be first, 1 v must be first.
        conflict_region: ``[C]`` the density region that made the conflict, -1 for none.
        overlap_u, overlap_v: ``[R]`` first event of u in the overlap, and v's event on that cell.
        overlap_length: ``[R]`` cells.
        overlap_direction: ``[R]`` 1 same direction, -1 opposite, 0 a single cell.
        overlap_conflict: ``[R]`` the conflict that decides the overlap.
        region_bound: ``[Q]`` most robots allowed inside at once.
        region_ptr: ``[Q + 1]`` and region_visits: intervals inside each region.
    """

    offsets: Int32s
    cell: Int32s
    duration_ms: Int32s
    release_ms: Int32s
    headway_ms: int
    merged: bool
    parked: Bools
    interval_enter: Int32s
    interval_exit: Int32s
    conflict_u: Int32s
    conflict_v: Int32s
    following_allowed: Bools
    forced: Int8s
    conflict_region: Int32s
    overlap_u: Int32s
    overlap_v: Int32s
    overlap_length: Int32s
    overlap_direction: Int8s
    overlap_conflict: Int32s
    region_bound: Int32s
    region_ptr: Int32s
    region_visits: Int32s

    def __post_init__(self) -> None:
        if self.headway_ms <= 0:
            raise InputError(f"headway_ms is {self.headway_ms}; it must be positive")
        # A strictly sequential schedule is always feasible; it must fit into 32 bits.
        if int(self.duration_ms.sum(dtype=np.int64)) + self.num_events * self.headway_ms > 2**30:
            raise InputError("the routes take more than 12 days one after another; split the fleet")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def num_robots(self) -> int:
        """N."""
        return len(self.offsets) - 1

    @property
    def num_events(self) -> int:
        """E."""
        return len(self.cell)

    @property
    def num_intervals(self) -> int:
        """V."""
        return len(self.interval_enter)

    @property
    def num_conflicts(self) -> int:
        """C."""
        return len(self.conflict_u)

    @property
    def num_regions(self) -> int:
        """Q."""
        return len(self.region_bound)

    @cached_property
    def event_robot(self) -> Int32s:
        """``[E]`` robot of every event."""
        counts = np.diff(self.offsets)
        return np.repeat(np.arange(self.num_robots, dtype=np.int32), counts)

    @cached_property
    def overlap_v_first(self) -> Int32s:
        """``[R]`` the event with which v enters the overlap."""
        back = np.where(self.overlap_direction < 0, self.overlap_length - 1, 0)
        return (self.overlap_v - back).astype(np.int32)

    @cached_property
    def disjoint_intervals(self) -> bool:
        """Whether every robot leaves an interval before it enters the next (``merged``)."""
        inside = self.conflict_region[:] == NO_REGION
        nodes = np.unique(np.concatenate([self.conflict_u[inside], self.conflict_v[inside]]))
        nodes = nodes[np.argsort(self.interval_enter[nodes], kind="stable")]
        enter, leave = self.interval_enter[nodes], self.interval_exit[nodes]
        return bool((enter[1:] > leave[:-1]).all())

    @cached_property
    def free_ms(self) -> Int32s:
        """``[N]`` travel time of each robot if it were alone, release included."""
        totals = np.add.reduceat(self.duration_ms, self.offsets[:-1])
        return (totals + self.release_ms).astype(np.int32)

    @cached_property
    def nominal_ms(self) -> Int32s:
        """``[E]`` time of every event if its robot were alone."""
        before = np.cumsum(self.duration_ms, dtype=np.int64) - self.duration_ms
        start = before[self.offsets[:-1]] - self.release_ms
        return (before - start[self.event_robot]).astype(np.int32)

    @cached_property
    def arrays(self) -> GraphArrays:
        """Writable copies for the kernels (numba compiles read-only arrays a second time)."""
        from sim.indices import graph_arrays

        return graph_arrays(self)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    def save(self, path: Path) -> None:
        """Write as ``.npz``."""
        np.savez_compressed(path, **self.__getstate__())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, damaged or of another format.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                values: dict[str, Any] = {field.name: data[field.name] for field in fields(cls)}
        except Exception as error:  # a damaged archive raises a dozen kinds, few of them OSError
            raise InputError(f"{path}: not a coordination graph ({error})") from error
        scalars = {"headway_ms": int(values["headway_ms"]), "merged": bool(values["merged"])}
        return cls(**{**values, **scalars})
