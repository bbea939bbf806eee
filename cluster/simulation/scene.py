# SPDX-License-Identifier: Apache-2.0
"""Where worlds take place: the floor, the rules, the robots' starts and their orders."""

import math
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from cluster.simulation_options import Simulate
from cluster.trials import trial_rng
from sim.distances import NO_CELL, breadth_first, largest_component, neighbour_table
from sim.errors import InputError, require
from sim.generate import generate_warehouse
from sim.layout import Layout
from sim.lorr import Problem, read_problem
from sim.readers import read_map
from sim.warehouse.fleet import Int32s
from sim.warehouse.orders import MAX_ORDERS, Orders, orders_of, repeated
from sim.warehouse.rules import Rules, league
from sim.warehouse.streams import OrderOptions, draw_orders

GENERATE = "generate"
LEAGUE_THINK_TICKS = 10
DEFAULT_ROBOTS = 100
DRAWN_PER_ROBOT = 20
SAMPLES = 32


@dataclass(frozen=True, eq=False)
class Scene:
    """What all worlds of a run share.

    Args:
        layout, rules: of all worlds.
        robots: N.
        pool_size: orders that are kept known and not done; 0: known as they come in.
        orders: how they come in, where there is no problem.
        think_ticks: the time to think.
        problem: of the league, or None.
        digest: changes with the content of the files.
    """

    layout: Layout
    rules: Rules
    robots: int
    pool_size: int
    orders: OrderOptions
    think_ticks: int
    problem: Problem | None
    digest: str


def read_scene(options: Simulate) -> Scene:
    """Read or generate what ``--map`` names.

    Raises:
        InputError: a file is missing or damaged, or more robots than cells that hang together.
    """
    path = Path(options.map)
    if options.map != GENERATE and not path.exists():
        raise InputError(f"map is {options.map!r}; allowed: a file, a folder, or {GENERATE}")
    if path.suffix == ".json" or path.is_dir():
        return _league_scene(options, read_problem(path))
    if options.map == GENERATE:
        layout = generate_warehouse(options.warehouse, trial_rng(options.seed, "layout"))
    else:
        layout = read_map(path)
    robots = DEFAULT_ROBOTS if options.robots is None else options.robots
    most = len(largest_component(layout))
    require("robots", robots, robots <= most, f"1 to {most}, the connected cells of {layout.name}")
    return Scene(
        layout=layout,
        rules=options.rules,
        robots=robots,
        pool_size=math.ceil(options.pool * robots),
        orders=options.orders,
        think_ticks=options.think_ticks or 0,
        problem=None,
        digest=_digest(layout),
    )


def _league_scene(options: Simulate, problem: Problem) -> Scene:
    robots = problem.team_size if options.robots is None else options.robots
    require(
        "robots", robots, 1 <= robots <= problem.team_size, f"1 to {problem.team_size}, the team"
    )
    think = LEAGUE_THINK_TICKS if options.think_ticks is None else options.think_ticks
    problem = replace(problem, starts=problem.starts[:robots])
    return Scene(
        layout=problem.layout,
        rules=league(problem.ticks_per_action),
        robots=robots,
        pool_size=int(np.float32(problem.reveal_ratio) * robots),
        orders=options.orders,
        think_ticks=think,
        problem=problem,
        digest=_digest(problem.layout, problem.starts, *problem.tasks),
    )


def starts_of(scene: Scene, seed: int, worlds: list[int]) -> Int32s:
    """``[W, N]`` where the robots of each world start."""
    if scene.problem is not None:
        return np.stack([scene.problem.starts] * len(worlds))
    area = largest_component(scene.layout)
    return np.stack(
        [trial_rng(seed, f"starts {world}").permutation(area)[: scene.robots] for world in worlds]
    )


def orders_in(scene: Scene, seed: int, world: int, ticks: int) -> Orders:
    """The orders of one world, enough for the run.

    With a pool they are drawn once and come again and again, as in the league.
    """
    rng = trial_rng(seed, f"orders {world}")
    if scene.problem is not None:
        base = orders_of(scene.problem.tasks)
    elif scene.pool_size == 0:
        return draw_orders(scene.layout, scene.orders, ticks, rng)
    else:
        count = max(1000, DRAWN_PER_ROBOT * scene.robots)
        backlog = replace(scene.orders, backlog=True, orders_per_tick=1.0, deadline_slack=None)
        base = draw_orders(scene.layout, backlog, count, rng)
    count = scene.pool_size + _most_done(scene, base, ticks, rng)
    require("ticks", ticks, count <= MAX_ORDERS,
            f"fewer, or fewer robots: {count} orders are more than {MAX_ORDERS}")  # fmt: skip
    return repeated(base, count)


def _most_done(scene: Scene, orders: Orders, ticks: int, rng: np.random.Generator) -> int:
    """About twice the orders that robots could do in the time if nobody was in anybody's way."""
    neighbours = neighbour_table(scene.layout)
    moves = []
    for cell in rng.choice(orders.errand_cells, SAMPLES):
        away = breadth_first(neighbours, int(cell), NO_CELL)
        moves.append(max(1.0, float(away[rng.choice(orders.errand_cells, SAMPLES)].mean())))
    errands = len(orders.errand_cells) / len(orders)
    order_ticks = np.mean(moves) * errands * scene.rules.ticks_per_action
    # Short orders are done first where they can be chosen.
    return math.ceil(4 * scene.robots * ticks / order_ticks) + scene.robots


def _digest(layout: Layout, *arrays: Int32s) -> str:
    parts = [layout.free, layout.emitters, layout.service_points, *arrays]
    return sha256(b"".join(f"{p.shape}".encode() + p.tobytes() for p in parts)).hexdigest()[:16]
