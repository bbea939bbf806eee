# SPDX-License-Identifier: Apache-2.0
"""A controller that plans windows for one robot after another, and leaves safety to PIBT.

Every few steps all robots plan by cooperative A*; who reached a goal longest ago plans first. In
each tick PIBT takes a robot to the next cell of its plan where it can; a robot that was delayed
goes on with its plan without waiting, and one that found none goes as PIBT likes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.distances import Neighbours
from sim.errors import InputError, require
from sim.jit import kernel
from sim.layout import Layout
from sim.warehouse.chance import Keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import View
from sim.warehouse.control.pibt import REACH, PibtController
from sim.warehouse.control.pibt_kernel import quarter_turns
from sim.warehouse.control.prioritised_kernel import Begin, plan_window, search_for
from sim.warehouse.fleet import Fleet, Int8s, Int32s
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, WAIT, Gait, Rules


@dataclass(frozen=True)
class PrioritisedOptions:
    """How far and how often prioritised planning looks ahead."""

    window_steps: int = 16
    """Actions that are planned ahead, 1 to 256."""

    replan_steps: int = 4
    """Actions after which all robots plan anew, 1 to window_steps."""

    def __post_init__(self) -> None:
        require("window_steps", self.window_steps, 1 <= self.window_steps <= 256, "1 to 256")
        require("replan_steps", self.replan_steps, 1 <= self.replan_steps <= self.window_steps,
                f"1 to {self.window_steps}, the window")  # fmt: skip


class PrioritisedController:
    """Windowed prioritised planning for all rules.

    Args:
        layout: the floor.
        rules: of all worlds.
        keys: ``[W]`` of the worlds, for ties.
        options: how far and how often to plan.
        capacity_mib: memory for distances; if those to the goals after the first do not fit, plans
            end at the first.

    Raises:
        InputError: not even one goal fits into the memory.
    """

    def __init__(
        self,
        layout: Layout,
        rules: Rules,
        keys: Keys,
        options: PrioritisedOptions | None = None,
        capacity_mib: float = 1024,
    ) -> None:
        self.options = options or PrioritisedOptions()
        reach = max(REACH, self.options.window_steps + 1)
        self.reactive = PibtController(layout, rules, keys, capacity_mib, reach)
        self.rules = rules
        self._turning = rules.gait is Gait.TURNING
        self._paths: Int32s = np.empty((len(keys), 0, self.options.window_steps + 1), np.int32)
        self._begun = 0

    @property
    def fields(self) -> Fields:
        """Distances to the goals in use."""
        return self.reactive.fields

    def act(self, view: View) -> Int8s:
        """``[W, N]``: an action for each robot.

        Raises:
            InputError: as of ``PibtController.act``; a goal beyond the first counts too.
        """
        ticks, count = self.rules.ticks_per_action, view.fleet.cell.shape[1]
        self.reactive.prepare(*view.fleet.cell.shape)
        anew = self._paths.shape[1] != count
        if anew or view.tick - self._begun >= self.options.replan_steps * ticks:
            self._plan(view)
        wanted = wishes(
            self.reactive.fields.neighbours, self._turning, view.fleet, self._paths,
            (view.tick - self._begun) // ticks,
        )  # fmt: skip
        return self.reactive.act(view, wanted)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """That of PIBT, and the plans, ``[W, N, S + 1]``, with the tick in which they began."""
        plans = {"paths": self._paths.copy(), "begun": np.array(self._begun)}
        return self.reactive.snapshot() | plans

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a controller with such a window.
        """
        paths, begun = (snapshot.get(name, np.empty(0)) for name in ("paths", "begun"))
        worlds, steps = len(self.reactive.keys), self.options.window_steps
        fits = paths.ndim == 3 and paths.shape[::2] == (worlds, steps + 1)
        if not fits or paths.dtype != np.int32 or begun.shape != () or begun.dtype != np.int64:
            raise InputError(
                f"snapshot has paths {paths.dtype} {paths.shape} and begun {begun.dtype} "
                f"{begun.shape}; allowed: int32 ({worlds}, robots, {steps + 1}) and int64 ()"
            )
        rest = {name: a for name, a in snapshot.items() if name not in ("paths", "begun")}
        self.reactive.restore(rest)
        self._paths, self._begun = paths.copy(), int(begun)

    def _plan(self, view: View) -> None:
        fields = self.reactive.fields
        rows, distances = self.reactive.distances(view.fleet.cell, view.goals)
        none = np.zeros((len(view.goals), 0), np.bool_)
        order = np.argsort(-self.reactive.priority, axis=1, kind="stable").astype(np.int32)
        shape = view.fleet.cell.shape
        begin = Begin(
            cell=np.empty(shape, dtype=np.int32),
            entering=np.empty(shape, dtype=np.int32),
            heading=np.empty(shape, dtype=np.int8),
            busy=np.empty(shape, dtype=np.int32),
        )
        beginnings(fields.neighbours, self._turning, self.rules.ticks_per_action, view.fleet, begin)
        search = search_for(self.options.window_steps, len(fields.neighbours), self._turning)
        closed = none if view.closed is None else view.closed
        plans = [
            plan_window(fields.neighbours, distances, Begin(*(a[world] for a in begin)),
                        rows[world], order[world], closed[world], search)
            for world in range(len(rows))
        ]  # fmt: skip
        self._paths, self._begun = np.stack(plans), view.tick


@kernel
def beginnings(
    neighbours: Neighbours, turning: bool, ticks: int, fleet: Fleet, begin: Begin
) -> None:
    """Fill in where plans begin, ``[W, N]``: after the action under way, and after delays."""
    num_worlds, num_robots = fleet.cell.shape
    for world in range(num_worlds):
        for robot in range(num_robots):
            cell, doing = fleet.cell[world, robot], fleet.doing[world, robot]
            heading = fleet.heading[world, robot]
            drives = doing == FORWARD if turning else doing != WAIT
            way = heading if turning else doing - 1
            turned = (doing == TURN_RIGHT) + 3 * (doing == TURN_LEFT)
            begin.cell[world, robot] = cell
            begin.entering[world, robot] = neighbours[cell, way] if drives else cell
            begin.heading[world, robot] = (heading + turned) & 3 if turning else -1
            left = fleet.delay_ticks[world, robot]
            if doing != WAIT:
                left += ticks - fleet.progress[world, robot]
            begin.busy[world, robot] = (left + ticks - 1) // ticks


@kernel
def wishes(neighbours: Neighbours, turning: bool, fleet: Fleet, paths: Int32s, step: int) -> Int32s:
    """``[W, N]`` the cell that each robot is to go to now; -1: it is not on its plan.

    Args:
        paths: ``[W, N, S + 1]`` of ``plan_window``.
        step: of the plan.
    """
    num_worlds, num_robots = fleet.cell.shape
    wanted = np.full((num_worlds, num_robots), -1, dtype=np.int32)
    for world in range(num_worlds):
        for robot in range(num_robots):
            cell, path = fleet.cell[world, robot], paths[world, robot]
            at = min(step, len(path) - 1)
            while at >= 0 and path[at] != cell:
                at -= 1
            move = at + 1
            while 0 < move < len(path) and path[move] == cell:
                move += 1
            if move == 0 or move == len(path) or path[move] < 0:
                continue
            way = 0
            while way < 4 and neighbours[cell, way] != path[move]:
                way += 1
            turns = quarter_turns(fleet.heading[world, robot], way) if turning else 0
            wanted[world, robot] = path[move] if move - 1 - step <= turns else cell
    return wanted
