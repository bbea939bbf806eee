# SPDX-License-Identifier: Apache-2.0
"""Plans for the next steps of all robots of one world, found together."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.distances import Neighbours
from sim.errors import require
from sim.warehouse.control.oriented import Steps
from sim.warehouse.control.window_path import BUCKETS, Search
from sim.warehouse.control.window_search import polish
from sim.warehouse.control.window_start import begin, vacate
from sim.warehouse.control.window_state import NOBODY, Attempt, Plan, Problem
from sim.warehouse.fleet import Int8s, Int32s


@dataclass(frozen=True)
class WindowSettings:
    """How a window is planned."""

    steps: int = 10
    """S, steps of a window, 1 to 64."""

    iterations: int = 1000
    """Attempts to improve the plan after each robot had its turn, from 0."""

    straight_only: bool = True
    """Whether a robot may enter a cell in the step in which another one leaves it only straight
    behind it; otherwise in any direction. Rings never turn."""

    penalty_steps: int = 1
    """What driving through another robot must win, for that one to be sent another way, from 0."""

    together: int = 12
    """Robots that an attempt may plan anew, from 1."""

    places: int = 1 << 14
    """Places that the search for one path may look at, from 64."""

    def __post_init__(self) -> None:
        require("steps", self.steps, 1 <= self.steps <= 64, "1 to 64")
        lows = {"iterations": 0, "penalty_steps": 0, "together": 1, "places": 64}  # fmt: skip
        for name, low in lows.items():
            value = getattr(self, name)
            require(name, value, value >= low, f"from {low}")


class Window(NamedTuple):
    """What N robots do in the next S steps.

    Args:
        actions: ``[N, S]`` of ``sim.warehouse.rules``.
        cells: ``[N, S + 1]``.
        headings: ``[N, S + 1]``.
        loss: steps that the robots lose to each other, weighted; 0 if nobody is in anyone's way.
    """

    actions: Int8s
    cells: Int32s
    headings: Int8s
    loss: int


class Room(NamedTuple):
    """What windows are written on, the larger the floor.

    Args:
        occupant: ``[S + 1, cells]`` of ``Plan``, nobody anywhere before and after a window.
        search: scratch.
    """

    occupant: Int32s
    search: Search


def plan_window(
    neighbours: Neighbours,
    fields: Steps,
    cell: Int32s,
    heading: Int8s,
    rows: Int32s,
    goals: Int32s,
    tails: Int32s,
    priority: Int32s,
    settings: WindowSettings,
    key: np.uint64,
    tick: int,
    late: Int32s | None = None,
    earlier: Int8s | None = None,
    room: Room | None = None,
) -> Window:
    """Plan the next steps of all robots; a function of its arguments alone.

    Args:
        neighbours: ``[cells, 4]``; without the cells that robots must not enter.
        fields: steps to goals, as of ``OrientedFields``; four planes: robots turn, one: they slide.
        cell, heading: ``[N]`` where the robots stand, in distinct cells.
        rows: ``[N, K]`` of ``fields`` for the next goals, -1 beyond the last.
        goals: ``[N, K]`` their cells; a robot that gets to one goes on to the next.
        tails: ``[N, K]`` steps that remain after each goal.
        priority: ``[N]`` what a step of each robot counts, from 1; higher ones plan first.
        settings: how.
        key, tick: of the world, for chance.
        late: ``[N]`` first steps in which each robot must wait where it stands, as it is not there
            yet; None: 0.
        earlier: ``[N, any]`` actions to begin with, such as the rest of the last window; what does
            not fit is left out. None: all wait.
        room: for such windows, used again and again; None: new.

    Returns:
        a window in which no two robots are in one cell, swap or turn in a ring.
    """
    planes = fields.data.shape[2]
    if room is None:
        room = room_for(settings, fields.width, len(neighbours), planes)
    problem = Problem(
        neighbours, fields.data, fields.place, cell, heading, rows, goals, tails, priority,
        settings.straight_only,
        np.zeros(len(cell), dtype=np.int32) if late is None else late,
    )  # fmt: skip
    plan = empty_plan(len(cell), room.occupant)
    attempt = empty_attempt(len(cell), settings.steps, settings.together)
    search = room.search
    if earlier is None:
        earlier = np.zeros((len(cell), 0), dtype=np.int8)
    begin(problem, plan, attempt, search, earlier, np.empty(len(cell), dtype=np.int32))
    order = np.argsort(-priority.astype(np.int64), kind="stable")
    polish(
        problem, plan, attempt, search, order, settings.penalty_steps,
        settings.iterations, np.uint64(key), tick,
    )  # fmt: skip
    vacate(plan)
    loss = int(((plan.cost - plan.least) * priority).sum())
    return Window(plan.actions, plan.cells, plan.headings, loss)


def room_for(settings: WindowSettings, width: int, cells: int, planes: int) -> Room:
    """Room for windows of one floor.

    Args:
        settings: of the windows.
        width, cells: of the floor.
        planes: of the fields.
    """
    return Room(
        occupant=np.full((settings.steps + 1, cells), NOBODY, dtype=np.int32),
        search=empty_search(settings.steps, width, cells, planes, settings.places),
    )


def empty_plan(robots: int, occupant: Int32s) -> Plan:
    """Room for a plan of S steps; ``occupant`` is ``[S + 1, cells]``, nobody anywhere."""
    steps = len(occupant) - 1
    return Plan(
        occupant=occupant,
        cells=np.empty((robots, steps + 1), dtype=np.int32),
        headings=np.empty((robots, steps + 1), dtype=np.int8),
        actions=np.empty((robots, steps), dtype=np.int8),
        drives=np.empty((robots, steps), dtype=np.int8),
        cost=np.empty(robots, dtype=np.int64),
        least=np.empty(robots, dtype=np.int64),
    )


def empty_attempt(robots: int, steps: int, together: int) -> Attempt:
    """Room for attempts that plan at most ``together`` robots anew."""
    return Attempt(
        robots=np.empty(together, dtype=np.int32),
        number=np.zeros(2, dtype=np.int64),
        taken=np.zeros(robots, dtype=np.int64),
        settled=np.zeros(robots, dtype=np.int64),
        cells=np.empty((together, steps + 1), dtype=np.int32),
        headings=np.empty((together, steps + 1), dtype=np.int8),
        actions=np.empty((together, steps), dtype=np.int8),
        drives=np.empty((together, steps), dtype=np.int8),
        cost=np.empty(together, dtype=np.int64),
    )


def empty_search(steps: int, width: int, cells: int, planes: int, nodes: int) -> Search:
    """Room for a search that looks at no more than ``nodes`` places."""
    side = 2 * steps + 1  # no two cells in reach are so many rows or columns apart
    row, column = np.divmod(np.arange(cells), width)
    return Search(
        wrap=(row % side * side + column % side).astype(np.int32),
        seen=np.zeros((steps + 1, side * side, planes), dtype=np.int32),
        number=np.zeros(1, dtype=np.int64),
        first=np.empty(BUCKETS, dtype=np.int32),
        next=np.empty(nodes, dtype=np.int32),
        nodes=np.empty((nodes, 8), dtype=np.int32),
    )
