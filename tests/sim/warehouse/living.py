# SPDX-License-Identifier: Apache-2.0
"""Small worlds with all that can live in them, for the tests."""

from dataclasses import dataclass, replace

import numpy as np

from sim.coordinators.insertion import rank_insertion
from sim.layout import Layout
from sim.warehouse.book import new_book
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import Controller
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.prioritised import PrioritisedController
from sim.warehouse.control.rolling import RollingController, RollingOptions
from sim.warehouse.control.window import WindowSettings
from sim.warehouse.delays.options import DelayKind, TickDelayOptions
from sim.warehouse.delays.process import DelayProcess
from sim.warehouse.dispatch import Dispatcher, DispatchOptions
from sim.warehouse.film import Film
from sim.warehouse.fleet import Int8s, random_starts
from sim.warehouse.people.options import PeopleOptions
from sim.warehouse.people.people import People
from sim.warehouse.rules import GRID, Following, Rules
from sim.warehouse.simulation import Simulation
from sim.warehouse.streams import OrderOptions, draw_orders
from sim.warehouse.tally import make_tally
from sim.warehouse.world import Setting, Snapshot, Worlds
from tests.sim.warehouse.control.driving import biconnected_floor

CONTROLLERS = (
    "pibt", "prioritised", "rolling", "rolling late", "coordinated", "coordinated late"
)  # fmt: skip
FLOOR = biconnected_floor(8, np.random.default_rng(0))
YARD = biconnected_floor(4, np.random.default_rng(0))
"""So small that robots get somewhere by chance."""
ROLLING = RollingOptions(every_ticks=4, commit_steps=3, window=WindowSettings(iterations=30))


@dataclass(frozen=True)
class Recipe:
    """Some worlds."""

    numbers: tuple[int, ...] = (0, 1)
    rules: Rules = GRID
    robots: int = 12
    delays: DelayKind = DelayKind.INDEPENDENT
    people: int = 2
    pool_size: int = 15
    late: bool = False
    seed: int = 0
    ticks: int = 100
    layout: Layout = FLOOR


def worlds_of(recipe: Recipe) -> Worlds:
    layout, keys = recipe.layout, world_keys(recipe.seed, list(recipe.numbers))
    books, starts = [], []
    for number in recipe.numbers:
        rng = np.random.default_rng([recipe.seed, number])
        starts.append(random_starts(layout, recipe.robots, 1, rng)[0])
        backlog = recipe.pool_size > 0
        options = OrderOptions(orders_per_tick=2.0, backlog=backlog, errands_max=3)
        books.append(new_book(draw_orders(layout, options, recipe.ticks, rng), recipe.robots))
    delays = None
    if recipe.delays is not DelayKind.NONE:
        how = TickDelayOptions(recipe.delays, share=0.1, mean_ticks=4.0)
        delays = DelayProcess(how, keys, recipe.robots)
    people = None
    if recipe.people:
        people = People(layout, PeopleOptions(recipe.people, tick_s=1.0, stop_radius_m=0.4), keys)
    setting = Setting(layout, recipe.rules, recipe.pool_size)
    return Worlds(setting, np.stack(starts), books, delays, people)


def alive(recipe: Recipe, controller: str = "pibt") -> Simulation:
    worlds = worlds_of(recipe)
    late = 3 if recipe.late else 0
    options = DispatchOptions(every_ticks=max(1, late), after_ticks=late)
    dispatcher = Dispatcher(recipe.layout, options, Fields(recipe.layout, 1), *worlds.shape)
    driver = controller_of(controller, recipe, worlds)
    return Simulation(
        worlds, dispatcher, driver, make_tally(worlds, recipe.ticks), {"film": Film(worlds, 60, 9)}
    )


def controller_of(name: str, recipe: Recipe, worlds: Worlds) -> Controller:
    layout, rules = recipe.layout, recipe.rules
    keys = world_keys(recipe.seed, list(recipe.numbers))
    if name in ("pibt", "prioritised"):
        if rules.following is Following.STRAIGHT:
            rules = replace(rules, following=Following.NEVER)
        kind = PibtController if name == "pibt" else PrioritisedController
        return kind(layout, rules, keys)
    options = replace(ROLLING, after_ticks=ROLLING.every_ticks) if "late" in name else ROLLING
    coordinator = rank_insertion if name.startswith("coordinated") else None
    fields = OrientedFields(layout, rules.gait, 1)
    return RollingController(layout, rules, options, worlds.fleet, keys, fields, coordinator)


def at_random(rules: Rules, shape: tuple[int, int], rng: np.random.Generator) -> Int8s:
    """Actions, half of them forward where robots turn."""
    likely = [0.1, 0.5, 0.2, 0.2] if rules.num_actions == 4 else [0.2] * 5
    return rng.choice(rules.num_actions, shape, p=likely).astype(np.int8)


def assert_same(one: Snapshot, other: Snapshot) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
