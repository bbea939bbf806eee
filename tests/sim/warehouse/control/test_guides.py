# SPDX-License-Identifier: Apache-2.0
"""Shortest ways one at a time, boxes along them, and controllers that must do with boxes."""

from dataclasses import replace

import numpy as np
import pytest

from sim.distances import NO_CELL, breadth_first, largest_component, neighbour_table
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import UNREACHABLE, Fields
from sim.warehouse.control.guides import Guides
from sim.warehouse.control.interface import Controller
from sim.warehouse.control.oriented import OrientedFields, oriented_field_reference
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.prioritised import PrioritisedController, PrioritisedOptions
from sim.warehouse.control.rolling import RollingController, RollingOptions
from sim.warehouse.control.route import find_route, landmarks_of, scratch_for
from sim.warehouse.control.window import WindowSettings
from sim.warehouse.dispatch import Dispatcher, DispatchOptions
from sim.warehouse.rules import GRID, Following, Gait, Rules, league
from sim.warehouse.simulation import Simulation
from sim.warehouse.tally import make_tally
from tests.sim.warehouse.living import Recipe, assert_same, worlds_of


def pillars(size: int) -> Layout:
    """A hall with short walls; no single cell cuts it."""
    free = np.ones((size, size), dtype=np.bool_)
    free[2:-2:3, 2:-3:4] = free[2:-2:3, 3:-2:4] = False
    return Layout("pillars", free)


WIDE = pillars(40)
KIB = 1 / 1024


def rugged(seed: int, size: int = 48) -> Layout:
    free = np.random.default_rng(seed).random((size, size + 5)) < 0.72
    return Layout("rugged", free)


@pytest.mark.parametrize("landmarks", [0, 3])
def test_routes_are_as_short_as_can_be_and_lead_to_the_goal(landmarks: int) -> None:
    for seed in range(4):
        layout = rugged(seed)
        table, rng = neighbour_table(layout), np.random.default_rng(seed)
        bounds = landmarks_of(table, int(largest_component(layout)[0]), 3)[:, :landmarks].copy()
        scratch, moves = scratch_for(layout.free.size), np.empty(9, dtype=np.uint8)
        every = np.empty(layout.free.size, dtype=np.uint8)
        for start, goal in rng.choice(layout.free_cells, (60, 2)):
            expected = breadth_first(table, int(goal), NO_CELL)[start]
            arguments = table, bounds, layout.width, int(start), int(goal), scratch
            length = find_route(*arguments, every)
            assert length == find_route(*arguments, moves) == expected
            assert length < 0 or np.array_equal(moves[:length], every[: min(9, length)])
            cell = start
            for move in every[: max(0, length)]:
                cell = table[cell, move]
            assert length < 0 or cell == goal


@pytest.mark.parametrize("reach", [1, 7])
def test_who_goes_down_by_boxes_goes_a_shortest_way(reach: int) -> None:
    layout = rugged(5, 70)
    table, floor = neighbour_table(layout), largest_component(layout)
    rng = np.random.default_rng(0)
    cells, goals = rng.choice(floor, 25), rng.choice(floor, 25)
    guides = Guides(layout, 25, 1, reach, 25 * 2 * 24**2 / 2**20)
    away = [breadth_first(table, int(goal), NO_CELL) for goal in goals]
    here = cells.astype(np.int32)
    for _ in range(max(way[cell] for way, cell in zip(away, cells, strict=True))):
        rows = guides.rows(here, goals)
        for robot, row in enumerate(rows):
            field = guides.data[row, :, 0]
            steps = [UNREACHABLE if c < 0 else field[guides.place[c]] for c in table[here[robot]]]
            assert field[guides.place[here[robot]]] == away[robot][here[robot]]
            if here[robot] != goals[robot]:
                here[robot] = table[here[robot], int(np.argmin(steps))]
    assert np.array_equal(here, goals)


@pytest.mark.parametrize("gait", Gait)
def test_a_box_is_exact_within_itself(gait: Gait) -> None:
    """What it shows equals the reference on the floor cut out, but for a constant."""
    layout = rugged(6)
    floor, headings = largest_component(layout), 4 if gait is Gait.TURNING else 1
    rng = np.random.default_rng(0)
    cells, goals = rng.choice(floor, 30), rng.choice(floor, 30)
    guides = Guides(layout, 30, headings, 4, 30 * 2 * headings * 16**2 / 2**20)
    rows, (side, width) = guides.rows(cells, goals), (16, layout.width)
    state = guides.snapshot()
    for robot, row in enumerate(rows):
        top, left = int(state["top"][robot]), int(state["left"][robot])
        free = np.zeros((side, side), dtype=np.bool_)
        inside = np.zeros_like(layout.free)
        inside[max(0, top) : top + side, max(0, left) : left + side] = True
        kept = np.flatnonzero(inside & layout.free)
        local = (kept // width - top) * side + kept % width - left
        free.ravel()[local] = True
        waypoint = int(state["waypoint"][robot])
        at = (waypoint // width - top) * side + waypoint % width - left
        expected = oriented_field_reference(Layout("box", free), gait, at)[local].astype(int)
        found = guides.data[row][guides.place[kept]].astype(int)
        known = expected < UNREACHABLE
        assert np.array_equal(found < UNREACHABLE, known)
        assert (found - expected == state["beyond"][robot])[known].all()
        assert known[kept == cells[robot]].all()


def test_a_goal_on_an_island_is_out_of_reach() -> None:
    layout = Layout("two", np.array([[True, True, False, True]]))
    guides = Guides(layout, 2, 1, 1, 1)
    rows = guides.rows(np.array([0, 1], dtype=np.int32), np.array([3, -1], dtype=np.int32))
    assert rows.tolist() == [0, -1]
    assert guides.data[0, guides.place[[0, 1]], 0].tolist() == [UNREACHABLE] * 2


def test_boxes_too_small_to_look_ahead_are_refused() -> None:
    with pytest.raises(InputError, match="for 100 boxes"):
        Guides(WIDE, 100, 4, 9, 0.1)
    guides = Guides(WIDE, 2, 1, 1, 1)
    with pytest.raises(InputError, match="other robots than 2"):
        guides.restore(Guides(WIDE, 3, 1, 1, 1).snapshot())


def driven(kind: str, recipe: Recipe, capacity_mib: float) -> Simulation:
    """Worlds whose controller has so much memory."""
    worlds, keys = worlds_of(recipe), world_keys(recipe.seed, list(recipe.numbers))
    layout, rules = recipe.layout, recipe.rules
    if rules.following is Following.STRAIGHT and kind != "rolling":
        rules = replace(rules, following=Following.NEVER)
    driver: Controller
    if kind == "pibt":
        driver = PibtController(layout, rules, keys, capacity_mib)
    elif kind == "prioritised":
        options = PrioritisedOptions(window_steps=6, replan_steps=3)
        driver = PrioritisedController(layout, rules, keys, options, capacity_mib)
    else:
        how = RollingOptions(every_ticks=4, window=WindowSettings(steps=5, iterations=20))
        fields = OrientedFields(layout, rules.gait, capacity_mib)
        driver = RollingController(layout, rules, how, worlds.fleet, keys, fields)
    orders = Dispatcher(layout, DispatchOptions(), Fields(layout), *worlds.shape)
    return Simulation(worlds, orders, driver, make_tally(worlds, recipe.ticks))


def capacity_of(kind: str, rules: Rules) -> float:
    """Room for boxes of 24 robots in two worlds, and not for their goals."""
    planes = 4 if kind == "rolling" and rules.gait is Gait.TURNING else 1
    return 48 * KIB * planes


@pytest.mark.parametrize("rules", [GRID, league(2)], ids=str)
@pytest.mark.parametrize("kind", ["pibt", "prioritised", "rolling"])
def test_with_boxes_as_much_is_done_and_a_run_goes_on_from_a_snapshot(
    kind: str, rules: Rules
) -> None:
    recipe = Recipe(rules=rules, robots=24, people=0, pool_size=40, layout=WIDE, ticks=400)
    plenty = driven(kind, recipe, 64)
    scarce = driven(kind, recipe, capacity_of(kind, rules))
    plenty.run(150)
    scarce.run(73)
    snapshot = scarce.snapshot()
    assert any("guides" in name for name in snapshot)
    successor = driven(kind, recipe, capacity_of(kind, rules))
    successor.restore(snapshot)
    for simulation in (scarce, successor):
        simulation.run(77)
    assert_same(scarce.snapshot(), successor.snapshot())
    done = [int(simulation.tally.counts.finished.sum()) for simulation in (plenty, scarce)]
    assert done[1] > 0.8 * done[0] > 10


def test_goals_that_come_later_are_left_out_first() -> None:
    """One field for each robot: no boxes, but plans end at the next goal."""
    recipe = Recipe(rules=league(1), robots=10, people=0, pool_size=40, layout=WIDE)
    row_mib = 8 * (len(WIDE.free_cells) + 1) / 2**20
    simulation = driven("rolling", recipe, 10.5 * row_mib)
    simulation.run(60)
    assert not any("guides" in name for name in simulation.snapshot())
    assert simulation.tally.counts.finished.sum() > 5
