# SPDX-License-Identifier: Apache-2.0
"""What is counted while worlds live: arrays that grow by no tick, so that runs may be long."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.jit import kernel
from sim.warehouse.fleet import Fleet, Int32s
from sim.warehouse.motion import Bools, Moved
from sim.warehouse.world import Snapshot, Ticked, Worlds

Int64s = NDArray[np.int64]


class Counts(NamedTuple):
    """Sums over the ticks so far.

    Args:
        finished: ``[W, bins]`` orders done in each stretch of ``bin_ticks``.
        working, delayed, refused, waiting, idle: ``[W]`` robot-ticks: in an action, stopped by a
            delay, told to drive and refused, at rest with an errand to do, and at rest without
            one. Each robot-tick is one of them.
        visits: ``[cells]`` robot-ticks over all worlds.
        stopped: ``[cells]`` of these, those that were waiting or refused.
        last_errand: ``[W, N]`` the tick of the last errand of a robot, or of its last idle tick.
        longest: ``[W, N]`` most ticks that it went without an errand while it had one to do.
        last_progress: ``[W]`` the tick of the last errand of anybody.
        longest_still: ``[W]`` most ticks without an errand of anybody, though there were some.
    """

    finished: Int64s
    working: Int64s
    delayed: Int64s
    refused: Int64s
    waiting: Int64s
    idle: Int64s
    visits: Int64s
    stopped: Int64s
    last_errand: Int64s
    longest: Int64s
    last_progress: Int64s
    longest_still: Int64s


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of some worlds.

    Args:
        counts: changed in place.
        bin_ticks: length of a stretch of ``Counts.finished``.
    """

    counts: Counts
    bin_ticks: int

    def add(self, worlds: Worlds, ticked: Ticked, goals: Int32s) -> None:
        """Count one tick.

        Args:
            worlds: after it.
            ticked: what ``Worlds.step`` gave.
            goals: ``[W, N]`` where each robot was to go in this tick, -1 nowhere.
        """
        _add(self.counts, worlds.tick, worlds.fleet, ticked.moved, ticked.delayed, goals)
        for world, (book, events) in enumerate(zip(worlds.books, ticked.events, strict=True)):
            if len(events):
                robots, orders = events[:, 1], events[:, 2]
                lengths = book.errand_ptr[orders + 1] - book.errand_ptr[orders]
                place = min((worlds.tick - 1) // self.bin_ticks, self.counts.finished.shape[1] - 1)
                self.counts.finished[world, place] += (events[:, 3] == lengths).sum()
                self.counts.last_errand[world, robots] = worlds.tick
                self.counts.last_progress[world] = worlds.tick

    def snapshot(self) -> Snapshot:
        """The counts."""
        return {name: array.copy() for name, array in self.counts._asdict().items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: of other worlds, or another length of the run.
        """
        for name, array in self.counts._asdict().items():
            given = snapshot.get(name)
            if given is None or given.shape != array.shape:
                raise InputError(f"snapshot: {name} is none of {list(array.shape)} counts")
            array[:] = given


def make_tally(worlds: Worlds, ticks: int, bins: int = 100) -> Tally:
    """Nothing counted yet.

    Args:
        worlds: whose.
        ticks: length of the run.
        bins: how many stretches it is cut into, at most; the last may be shorter.
    """
    count, robots = worlds.shape
    bin_ticks = max(1, -(-ticks // bins))
    cells = worlds.setting.layout.free.size

    def zeros(*shape: int) -> Int64s:
        return np.zeros(shape, dtype=np.int64)

    return Tally(
        Counts(
            finished=zeros(count, -(-ticks // bin_ticks)),
            working=zeros(count),
            delayed=zeros(count),
            refused=zeros(count),
            waiting=zeros(count),
            idle=zeros(count),
            visits=zeros(cells),
            stopped=zeros(cells),
            last_errand=zeros(count, robots),
            longest=zeros(count, robots),
            last_progress=zeros(count),
            longest_still=zeros(count),
        ),
        bin_ticks,
    )


@kernel
def _add(
    counts: Counts, tick: int, fleet: Fleet, moved: Moved, delayed: Bools, goals: Int32s
) -> None:
    worlds, robots = goals.shape
    for world in range(worlds):
        anybody = False
        for robot in range(robots):
            cell = fleet.cell[world, robot]
            counts.visits[cell] += 1
            still = False
            if delayed[world, robot]:
                counts.delayed[world] += 1
            elif moved.executed[world, robot] != 0:
                counts.working[world] += 1
            elif moved.refused[world, robot]:
                counts.refused[world] += 1
                still = True
            elif goals[world, robot] >= 0:
                counts.waiting[world] += 1
                still = True
            else:
                counts.idle[world] += 1
            if still:
                counts.stopped[cell] += 1
            if goals[world, robot] < 0:
                counts.last_errand[world, robot] = tick
            else:
                anybody = True
                gap = tick - counts.last_errand[world, robot]
                counts.longest[world, robot] = max(counts.longest[world, robot], gap)
        if not anybody:
            counts.last_progress[world] = tick
        gap = tick - counts.last_progress[world]
        counts.longest_still[world] = max(counts.longest_still[world], gap)
