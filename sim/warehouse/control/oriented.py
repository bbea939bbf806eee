# SPDX-License-Identifier: Apache-2.0
"""Exact steps to a goal from every cell and heading, for robots that turn and robots that slide.

A step is one action: a move, or a quarter turn on the spot. The fields of goals are computed when
they are first asked for; those that were asked for least recently make room for new ones.
"""

import heapq
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours, neighbour_table
from sim.errors import require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.control.fields import free_places
from sim.warehouse.fleet import Int32s
from sim.warehouse.rules import Gait

UNREACHABLE = 65535
"""Stands for the steps from where there is no way; also the longest way that can be stored."""

Fields = NDArray[np.uint16]
"""``[R, places, 4]`` by heading, or ``[R, places, 1]`` where heading does not matter."""


class Steps(NamedTuple):
    """Fields as planners read them.

    Args:
        data: steps to the goal of each row.
        place: ``[cells]`` the place of each cell in ``data``: a number among the free cells, or in
            a box.
        width: of the floor.
    """

    data: Fields
    place: Int32s
    width: int


def planes(gait: Gait) -> int:
    """How many numbers a cell has in a field: one per heading that matters."""
    return 4 if gait is Gait.TURNING else 1


@kernel
def oriented_field(
    neighbours: Neighbours, goal: int, index: Int32s, field: NDArray[np.uint16]
) -> None:
    """Fill ``field`` with the steps to ``goal``, whatever the heading there: breadth first.

    Args:
        neighbours: ``[cells, 4]``.
        goal: a free cell.
        index: ``[cells]`` where cells are in the field.
        field: ``[places, 4]`` or ``[places, 1]``, overwritten.
    """
    headings = field.shape[1]
    field[:] = UNREACHABLE
    queue = np.empty(field.size, dtype=np.int32)
    tail = 0
    for heading in range(headings):
        field[index[goal], heading] = 0
        queue[tail] = goal * headings + heading
        tail += 1
    head = 0
    while head < tail:
        cell, heading = divmod(queue[head], headings)
        head += 1
        steps = field[index[cell], heading] + 1
        for choice in range(3 if headings == 4 else 4):
            # Where the robot was one step ago: it drove forward from behind, or turned here.
            before, turned = cell, heading
            if headings == 1:
                before = neighbours[cell, choice]
            elif choice == 0:
                before = neighbours[cell, heading ^ 2]
            else:
                turned = (heading + 2 * choice - 3) & 3
            if before >= 0 and field[index[before], turned] == UNREACHABLE:
                field[index[before], turned] = steps
                queue[tail] = before * headings + turned
                tail += 1


def oriented_field_reference(layout: Layout, gait: Gait, goal: int) -> Fields:
    """``[cells, planes]``: like ``oriented_field``, by Dijkstra over what a robot can do."""
    neighbours = neighbour_table(layout)
    headings = planes(gait)
    before: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for cell in layout.free_cells.tolist():
        for heading in range(headings):
            turns = [(cell, (heading + turn) % 4) for turn in (1, 3)] if headings == 4 else []
            drives = [neighbours[cell, heading]] if headings == 4 else neighbours[cell]
            for after in turns + [(int(next_), heading) for next_ in drives if next_ >= 0]:
                before.setdefault(after, []).append((cell, heading))
    field = np.full((layout.free.size, headings), UNREACHABLE, dtype=np.uint16)
    heap = [(0, (goal, heading)) for heading in range(headings)]
    while heap:
        steps, place = heapq.heappop(heap)
        if field[place] == UNREACHABLE:
            field[place] = steps
            for previous in before.get(place, []):
                heapq.heappush(heap, (steps + 1, previous))
    return field


class OrientedFields:
    """Fields of many goals, at most so many as fit into a capacity.

    Args:
        layout: the floor; at most 65,535 steps from one side to the other.
        gait: how robots move.
        capacity_mib: memory for fields, in MiB.

    Raises:
        InputError: not even one field fits.
    """

    def __init__(self, layout: Layout, gait: Gait, capacity_mib: float) -> None:
        self._neighbours = neighbour_table(layout)
        headings = planes(gait)
        places = len(layout.free_cells) + 1
        field_bytes = 2 * headings * places
        rows = int(capacity_mib * 2**20) // field_bytes
        require("capacity_mib", capacity_mib, rows >= 1,
                f"at least {field_bytes / 2**20:.3f}, for one goal")  # fmt: skip
        # Memory that is never written is never taken from the system; no more goals than cells.
        rows = min(rows, layout.free.size)
        self.layout, self.headings, self.capacity_mib = layout, headings, capacity_mib
        self._shape = rows, places, headings
        self.forget()

    @property
    def data(self) -> Fields:
        """``[R, places, planes]``: steps to the goal of each row; see ``rows``."""
        return self.steps.data

    def forget(self) -> None:
        """Give all memory back that fields took."""
        data: Fields = np.empty(self._shape, dtype=np.uint16)
        self.steps = Steps(data, free_places(self.layout), self.layout.width)
        self._row_of: OrderedDict[int, int] = OrderedDict()

    def fits(self, goals: Int32s) -> bool:
        """Whether there is room for so many different goals at once; below 0 is none."""
        return goals.size <= len(self.data) or len(np.unique(goals[goals >= 0])) <= len(self.data)

    def rows(self, goals: Int32s) -> Int32s:
        """Rows of ``data`` that hold the steps to these goals, until the next call.

        Args:
            goals: any shape, free cells; below 0: none.

        Returns:
            the same shape, -1 where there is no goal.

        Raises:
            InputError: more different goals than rows.
        """
        different, inverse = np.unique(goals, return_inverse=True)
        wanted = [int(goal) for goal in different if goal >= 0]
        require("different goals", len(wanted), len(wanted) <= len(self.data),
                f"at most {len(self.data)}; more capacity_mib allows for more")  # fmt: skip
        for goal in wanted:  # first those that are here, so that none of them makes room
            if goal in self._row_of:
                self._row_of.move_to_end(goal)
        rows = np.array(
            [self._row(int(goal)) if goal >= 0 else -1 for goal in different], dtype=np.int32
        )
        return rows[inverse].reshape(goals.shape)

    def _row(self, goal: int) -> int:
        if goal not in self._row_of:
            full = len(self._row_of) == len(self.data)
            row = self._row_of.popitem(last=False)[1] if full else len(self._row_of)
            oriented_field(self._neighbours, goal, self.steps.place, self.data[row])
            self._row_of[goal] = row
        return self._row_of[goal]
