# SPDX-License-Identifier: Apache-2.0
"""A small problem of the league and a run of it, by a slow and careful driver of robots.

A robot enters a cell only once nobody is on it or on the way to it; so nothing here needs the rules
of following that the checker knows.
"""

from pathlib import Path

import numpy as np

from sim.delays import LorrDelayOptions
from sim.distances import distances_to, neighbour_table
from sim.layout import Layout
from sim.lorr import Problem
from sim.warehouse.league.delays import LeagueDelays
from sim.warehouse.league.record import LeagueRecord

TICKS = 450
PLANNING_TICKS = 10
MAP = ["......", ".@.@..", "......", "..@...", "......"]


def tiny_problem(robots: int = 4, parts: int = 3, event_model: str = "bernoulli") -> Problem:
    rng = np.random.default_rng(5)
    layout = Layout("tiny", np.array([[cell == "." for cell in row] for row in MAP]))
    cells = rng.permutation(layout.free_cells).astype(np.int32)
    return Problem(
        layout=layout,
        starts=cells[:robots],
        tasks=tuple(rng.permutation(cells)[: rng.integers(1, 4)] for _ in range(9)),
        reveal_ratio=1.4,
        ticks_per_action=parts,
        delays=LorrDelayOptions(seed=3, max_delay_ticks=6, event_model=event_model, p_delay=0.02),
    )


def written_problem(folder: Path, problem: Problem) -> Path:
    """The folder of the problem, as the league's file reader wants it."""
    height, width = problem.layout.free.shape
    rows = ["".join(row) for row in np.where(problem.layout.free, ".", "@")]
    (folder / "floor.map").write_text(
        "\n".join(["type octile", f"height {height}", f"width {width}", "map", *rows])
    )
    starts = "\n".join(map(str, problem.starts))
    (folder / "robots").write_text(f"{problem.team_size}\n{starts}\n")
    tasks = "\n".join(",".join(map(str, cells)) for cells in problem.tasks)
    (folder / "tasks").write_text(f"{len(problem.tasks)}\n{tasks}\n")
    delays = problem.delays
    (folder / "problem.json").write_text(
        f'{{"mapFile": "floor.map", "agentFile": "robots", "teamSize": {problem.team_size},'
        f'"taskFile": "tasks", "numTasksReveal": {problem.reveal_ratio},'
        f'"agentCounter": {problem.ticks_per_action}, "delayConfig": {{"seed": {delays.seed},'
        f'"minDelay": {delays.min_delay_ticks}, "maxDelay": {delays.max_delay_ticks},'
        f'"eventModel": "{delays.event_model}", "pDelay": {delays.p_delay},'
        f'"durationModel": "{delays.duration_model}"}}}}'
    )
    return folder


class Driver:
    """Drives the robots of a problem and keeps the book, one robot after the other."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = neighbour_table(problem.layout)
        self.rng = np.random.default_rng(1)
        robots = problem.team_size
        self.cell = problem.starts.tolist()
        self.target = problem.starts.tolist()
        self.heading, self.detour = [1] * robots, [-1] * robots
        self.doing, self.progress, self.order = [0] * robots, [0] * robots, [-1] * robots
        self.orders: list[np.ndarray] = []
        self.revealed: list[int] = []
        self.done: list[int] = []
        self.events: list[tuple[int, ...]] = []
        self.assignments: list[tuple[int, ...]] = []

    def reveal(self, tick: int) -> None:
        open_orders = sum(
            done < len(cells) for done, cells in zip(self.done, self.orders, strict=True)
        )
        for _ in range(int(self.problem.reveal_ratio * len(self.cell)) - open_orders):
            self.orders.append(self.problem.tasks[len(self.orders) % len(self.problem.tasks)])
            self.revealed.append(tick)
            self.done.append(0)

    def assign(self, tick: int) -> None:
        for robot, order in enumerate(self.order):
            if order == -1:
                free = set(range(len(self.orders))) - set(self.order)
                chosen = min(o for o in free if self.done[o] < len(self.orders[o]))
                self.order[robot] = chosen
                self.assignments.append((tick, robot, chosen))

    def wish(self, robot: int) -> int:
        if self.doing[robot]:
            return self.doing[robot]
        order = self.order[robot]
        if order == -1:
            return 0
        distance = distances_to(self.problem.layout, self.orders[order][self.done[order]])
        if distance[self.cell[robot]] == 0:
            return 0
        ways = [d for d in range(4) if self.table[self.cell[robot], d] >= 0]
        best = min(ways, key=lambda d: distance[self.table[self.cell[robot], d]])
        if self.detour[robot] in ways:
            best = self.detour[robot]
        return (1, 2, 2, 3)[(best - self.heading[robot]) % 4]

    def act(self, robot: int, action: int) -> int:
        """The action; where somebody is in the way, a wait and then a detour."""
        if action == 1 and not self.doing[robot]:
            ahead = int(self.table[self.cell[robot], self.heading[robot]])
            others = [r for r in range(len(self.cell)) if r != robot]
            if any(ahead in (self.cell[other], self.target[other]) for other in others):
                self.detour[robot] = int(self.rng.integers(4))
                return 0
            self.target[robot] = ahead
            self.detour[robot] = -1
        self.doing[robot] = action
        self.progress[robot] += 1
        return action

    def finish(self, robot: int) -> None:
        if self.progress[robot] == self.problem.ticks_per_action:
            if self.doing[robot] == 1:
                self.cell[robot] = self.target[robot]
            else:
                self.heading[robot] = (self.heading[robot] + (1, 3)[self.doing[robot] - 2]) % 4
            self.doing[robot] = self.progress[robot] = 0

    def visit(self, tick: int, robot: int) -> None:
        order = self.order[robot]
        if order >= 0 and self.orders[order][self.done[order]] == self.cell[robot]:
            self.done[order] += 1
            self.events.append((tick, robot, order, self.done[order]))
            if self.done[order] == len(self.orders[order]):
                self.order[robot] = -1


def tiny_run(problem: Problem, ticks: int = TICKS) -> LeagueRecord:
    driver = Driver(problem)
    robots = range(problem.team_size)
    delays = LeagueDelays(problem.delays, problem.team_size)
    delay_ticks = np.zeros((1, problem.team_size), dtype=np.int32)
    executed = np.zeros((ticks, problem.team_size), dtype=np.int8)
    planned = np.zeros_like(executed)
    driver.reveal(0)
    for tick in range(ticks):
        if tick % PLANNING_TICKS == 0:
            driver.assign(tick)
        delays.advance(tick, delay_ticks)
        for robot in robots:
            planned[tick, robot] = driver.wish(robot)
            if planned[tick, robot] and not delay_ticks[0, robot]:
                executed[tick, robot] = driver.act(robot, int(planned[tick, robot]))
        for robot in robots:
            driver.finish(robot)
        for robot in robots:
            driver.visit(tick + 1, robot)
        driver.reveal(tick + 1)
    return LeagueRecord(
        starts=problem.starts,
        executed=executed,
        planned=planned,
        delay_intervals=delays.intervals(),
        events=np.array(driver.events, dtype=np.int64),
        assignments=np.array(driver.assignments, dtype=np.int64),
        revealed_ticks=np.array(driver.revealed, dtype=np.int64),
        orders=tuple(driver.orders),
        planner_seconds=np.zeros(ticks // PLANNING_TICKS),
    )
