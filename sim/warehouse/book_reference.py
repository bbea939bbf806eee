# SPDX-License-Identifier: Apache-2.0
"""The book in plain Python: one object per order, slow and obvious, for tests."""

from dataclasses import dataclass, field

import numpy as np

from sim.warehouse.book import ASSIGNED, BEGUN, DONE, HIDDEN, OPEN
from sim.warehouse.book_changes import FOREIGN, KEEPS, TWICE, UNKNOWN
from sim.warehouse.fleet import Int32s
from sim.warehouse.orders import Int64s, Orders


@dataclass(eq=False)
class OrderReference:
    """One order; ``ticks`` are those of ``Book.ticks``."""

    number: int
    cells: list[int]
    release_tick: int
    deadline_tick: int
    robot: int = -1
    errands_done: int = 0
    ticks: list[int] = field(default_factory=lambda: [-1] * 4)

    @property
    def state(self) -> int:
        """As in ``Book.state``, from what has happened."""
        if self.errands_done == len(self.cells):
            return DONE
        if self.errands_done:
            return BEGUN
        if self.robot >= 0:
            return ASSIGNED
        return HIDDEN if self.ticks[0] < 0 else OPEN


class BookReference:
    """Does what the kernels of ``book_changes.py`` do, by looking at all orders all the time."""

    def __init__(self, orders: Orders, num_robots: int) -> None:
        self.orders = [
            OrderReference(m, orders.errands(m).tolist(), int(release), int(deadline))
            for m, (release, deadline) in enumerate(
                zip(orders.release_tick, orders.deadline_tick, strict=True)
            )
        ]
        self.own: list[OrderReference | None] = [None] * num_robots
        self.events: list[tuple[int, int, int, int]] = []

    def known(self) -> list[OrderReference]:
        """The orders that are revealed and not done."""
        return [order for order in self.orders if order.state in (OPEN, ASSIGNED, BEGUN)]

    def reveal(self, tick: int, pool_size: int) -> None:
        """See ``book_changes.reveal``."""
        for order in self.orders:
            due = len(self.known()) < pool_size if pool_size else order.release_tick <= tick
            if order.state == HIDDEN and due:
                order.ticks[0] = tick

    def assign(self, order_for: list[int], tick: int) -> list[int]:
        """See ``book_changes.assign``: the league's four questions, one robot after another."""
        refusals = [0] * len(self.own)
        known = {order.number: order for order in self.known()}
        given: dict[int, OrderReference] = {}
        for robot, own in enumerate(self.own):
            order = known.get(order_for[robot])
            if order is None and order_for[robot] != -1:
                refusals[robot] |= UNKNOWN
            if order in given.values():
                refusals[robot] |= TWICE
                order = None
            if own is not None and own.state == BEGUN and order is not own:
                refusals[robot] |= KEEPS
                order = own
            if order is not None and order.state == BEGUN and order.robot != robot:
                refusals[robot] |= FOREIGN
                order = None
            if order is not None:
                given[robot] = order
        self._hand_over(given, tick)
        return refusals

    def _hand_over(self, given: dict[int, OrderReference], tick: int) -> None:
        before = [order.robot for order in self.orders]
        for order in self.known():
            order.robot = -1
        self.own = [given.get(robot) for robot in range(len(self.own))]
        for robot, order in given.items():
            order.robot = robot
            if before[order.number] != robot:
                order.ticks[1] = tick

    def visit(self, cell: list[int], tick: int) -> None:
        """See ``book_changes.visit``."""
        for robot, order in enumerate(self.own):
            if order is None or cell[robot] != order.cells[order.errands_done]:
                continue
            order.errands_done += 1
            self.events.append((tick, robot, order.number, order.errands_done))
            if order.errands_done == 1:
                order.ticks[2] = tick
            if order.errands_done == len(order.cells):
                order.ticks[3] = tick
                self.own[robot] = None

    def next_goals(self, depth: int) -> list[list[int]]:
        """See ``book_changes.next_goals``."""
        left = [order.cells[order.errands_done :] if order else [] for order in self.own]
        return [(cells + [-1] * depth)[:depth] for cells in left]

    def counters(self) -> list[int]:
        """As in ``Book.counters``."""
        states = [order.state for order in self.orders]
        late = [order for order in self.orders if order.ticks[3] > order.deadline_tick]
        errands = sum(order.errands_done for order in self.orders)
        revealed = len(states) - states.count(HIDDEN)
        return [revealed, states.count(OPEN), states.count(DONE), len(late), errands]

    def arrays(self) -> dict[str, Int32s | Int64s]:
        """What ``Book`` has under these names."""
        return {
            "state": np.array([order.state for order in self.orders]),
            "robot": np.array([order.robot for order in self.orders]),
            "errand": np.array([order.errands_done for order in self.orders]),
            "ticks": np.array([order.ticks for order in self.orders]).reshape(-1, 4),
            "order_of": np.array([-1 if order is None else order.number for order in self.own]),
            "counters": np.array(self.counters()),
        }
