# SPDX-License-Identifier: Apache-2.0
"""What happened in one world, as its output file needs it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import require
from sim.layout import Cells
from sim.warehouse.fleet import Int8s
from sim.warehouse.league.delays import Interval


@dataclass(frozen=True, eq=False)
class LeagueRecord:
    """One world of N robots over T ticks under the league's rules.

    Ticks count what has passed. An order that is revealed, or assigned, at tick t is so before
    the robots move in tick t; an errand that is done by the move of tick t is done at tick t + 1.

    Args:
        starts: ``[N]`` cells; all robots face east.
        executed: ``[T, N]`` what each robot did: 0 wait, 1 forward, 2 turn right, 3 turn left.
            A robot in the middle of an action repeats it; 0 there pauses it.
        planned: ``[T, N]`` what it was told; what a delayed robot was told is not written.
        delay_intervals: for each robot its delays, from the first tick to the one after the last.
        events: ``[K, 4]`` tick, robot, order, errands of the order that are done then.
        assignments: ``[A, 3]`` tick, robot, order or -1, ascending by tick.
        revealed_ticks: ``[O]`` when each order was revealed.
        orders: for each the cells of its errands.
        planner_seconds: ``[P]`` how long the controller took each time.

    Raises:
        InputError: arrays that do not fit each other.
    """

    starts: Cells
    executed: Int8s
    planned: Int8s
    delay_intervals: list[list[Interval]]
    events: NDArray[np.int64]
    assignments: NDArray[np.int64]
    revealed_ticks: NDArray[np.int64]
    orders: tuple[Cells, ...]
    planner_seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = self.executed.shape
        robots = self.starts.shape
        require("executed", shape, shape[1:] == robots, f"[ticks, {len(self.starts)}]")
        require("planned", self.planned.shape, self.planned.shape == shape, f"{list(shape)}")
        require("delay_intervals", len(self.delay_intervals),
                len(self.delay_intervals) == len(self.starts), "one list per robot")  # fmt: skip
        for name, rows, columns in (
            ("events", self.events, 4),
            ("assignments", self.assignments, 3),
        ):
            require(name, rows.shape, rows.shape[1:] == (columns,), f"[rows, {columns}]")
        require("revealed_ticks", self.revealed_ticks.shape,
                self.revealed_ticks.shape == (len(self.orders),), "one per order")  # fmt: skip

    def delayed(self) -> NDArray[np.bool_]:
        """``[T, N]``: who is delayed in which tick."""
        delayed = np.zeros(self.executed.shape, dtype=np.bool_)
        for robot, intervals in enumerate(self.delay_intervals):
            for start, end in intervals:
                delayed[start:end, robot] = True
        return delayed
