# SPDX-License-Identifier: Apache-2.0
"""The rules of orders in a run of the league: which there are, who has which, what is done.

Orders are revealed so that there are always as many as the problem says that are not done; after
the last one of the file comes the first one again, with a new number. A robot may be given any
order that is revealed, not done, not with another robot and not begun by another one, and may drop
its own until it has done the first errand of it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.errors import require
from sim.lorr import Problem

NO_ORDER = -1
MAX_POOL = 10_000_000


@dataclass(eq=False)
class Book:
    """All orders of one run; ticks count what has passed.

    Args:
        problem: the orders and the number of robots.

    Raises:
        InputError: more than ten million orders at a time.
    """

    problem: Problem
    revealed_ticks: list[int] = field(default_factory=list)
    """When each order was revealed."""
    done: list[int] = field(default_factory=list)
    """Errands done of each order."""
    num_finished: int = 0
    """Orders done."""

    def __post_init__(self) -> None:
        robots = self.problem.team_size
        self._order_of = np.full(robots, NO_ORDER, dtype=np.int64)
        self._next_cell = np.full(robots, NO_ORDER, dtype=np.int64)
        self._robot_of: dict[int, int] = {}
        # The program multiplies in 32 bits and drops the fraction.
        self._pool_size = int(np.float32(self.problem.reveal_ratio) * np.float32(robots))
        require("orders to reveal", self._pool_size, self._pool_size <= MAX_POOL,
                f"at most {MAX_POOL}")  # fmt: skip
        self.reveal(0)

    def cells(self, order: int) -> NDArray[np.int32]:
        """The errands of an order."""
        return self.problem.tasks[order % len(self.problem.tasks)]

    def reveal(self, tick: int) -> None:
        """Fill the pool."""
        while len(self.done) - self.num_finished < self._pool_size:
            self.done.append(0)
            self.revealed_ticks.append(tick)

    def assign(self, wishes: dict[int, int]) -> dict[int, str]:
        """Give orders to robots, all at once.

        Args:
            wishes: order, or -1, of every robot that shall have another one.

        Returns:
            For each robot whose wish is not allowed why not; it keeps an order that it has begun,
            and loses one that it has not.
        """
        reasons = {
            robot: reason
            for robot, order in wishes.items()
            if (reason := self._obstacle(robot, order))
        }
        for robot in wishes:
            if not self._has_begun(robot):
                self._give(robot, NO_ORDER)
        for robot, order in sorted(wishes.items()):
            if robot in reasons or order == self._order_of[robot]:
                continue
            if order in self._robot_of:
                reasons[robot] = f"task {order} is with robot {self._robot_of[order]}"
            else:
                self._give(robot, order)
        return reasons

    def _has_begun(self, robot: int) -> bool:
        order = int(self._order_of[robot])
        return order != NO_ORDER and self.done[order] > 0

    def _obstacle(self, robot: int, order: int) -> str | None:
        """Why a robot may not have an order, whatever the others get."""
        if order != self._order_of[robot] and self._has_begun(robot):
            return f"the robot has begun task {self._order_of[robot]}"
        if order == NO_ORDER:
            return None
        if order >= len(self.done):
            return f"task {order} is not revealed"
        if self.done[order] == len(self.cells(order)):
            return f"task {order} is finished"
        if self.done[order] > 0 and self._robot_of[order] != robot:
            return f"task {order} was begun by robot {self._robot_of[order]}"
        return None

    def _give(self, robot: int, order: int) -> None:
        self._robot_of.pop(int(self._order_of[robot]), None)
        self._order_of[robot] = order
        self._next_cell[robot] = NO_ORDER
        if order != NO_ORDER:
            self._robot_of[order] = robot
            self._next_cell[robot] = self.cells(order)[self.done[order]]

    def visit(self, tick: int, cells: NDArray[np.int64]) -> list[tuple[int, int, int, int]]:
        """Count the errands on which robots stand, one each, then fill the pool.

        Args:
            tick: after the move.
            cells: ``[N]`` where the robots are.

        Returns:
            Tick, robot, order and number of errands done for each, by robots.
        """
        events = []
        for robot in np.flatnonzero(cells == self._next_cell).tolist():
            order = int(self._order_of[robot])
            self.done[order] += 1
            events.append((tick, robot, order, self.done[order]))
            if self.done[order] == len(self.cells(order)):
                self.num_finished += 1
                self._give(robot, NO_ORDER)
            else:
                self._next_cell[robot] = self.cells(order)[self.done[order]]
        self.reveal(tick)
        return events
