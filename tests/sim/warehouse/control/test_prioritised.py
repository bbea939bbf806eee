# SPDX-License-Identifier: Apache-2.0
"""Prioritised planning: each plan is the best around those before it, and nobody is left behind."""

from itertools import pairwise

import numpy as np
import pytest

from sim.errors import InputError
from sim.generate import generate_random
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields, distance
from sim.warehouse.control.prioritised import PrioritisedController, PrioritisedOptions
from sim.warehouse.control.prioritised_kernel import Begin, plan_window, search_for
from sim.warehouse.control.prioritised_reference import least_cost_reference
from sim.warehouse.fleet import random_starts
from sim.warehouse.rules import Rules, league
from tests.sim.warehouse.control.driving import ALL_RULES, Drive, drive

STEPS = 8


@pytest.mark.parametrize("turning", [False, True])
def test_each_plan_is_the_best_around_those_before_it(turning: bool) -> None:
    found = 0
    for number in range(40):
        rng = np.random.default_rng(number)
        layout = generate_random(6, 6, 0.25, rng)
        fields, count = Fields(layout, 1), int(rng.integers(1, 12))
        cell = random_starts(layout, count, 1, rng)[0]
        rows = fields.rows(rng.choice(layout.free_cells, (count, 1)))
        heading = rng.integers(0, 4, count, np.int8) if turning else np.full(count, -1, np.int8)
        busy = (rng.integers(0, 4, count) * (rng.random(count) < 0.2)).astype(np.int32)
        order = rng.permutation(count).astype(np.int32)
        begin = Begin(cell, cell, heading, busy)
        search = search_for(STEPS, layout.free.size, turning)
        none = np.zeros(0, dtype=np.bool_)
        paths = plan_window(fields.neighbours, fields.arrays, begin, rows, order, none, search)
        assert (search.reserved == -1).all()
        known = {robot: fixed_part(cell[robot], busy[robot]) for robot in range(count)}
        for robot in order.tolist():
            others = [path for other, path in known.items() if other != robot]
            start = (int(busy[robot]), (int(cell[robot]), int(heading[robot])))
            row = int(rows[robot, 0])
            expected = least_cost_reference(
                fields.neighbours, fields.arrays, row, start, STEPS, others
            )
            path = paths[robot].tolist()
            end = max(step for step in range(STEPS + 1) if path[step] >= 0)
            cost = end + distance(fields.arrays, row, path[end])
            assert expected is None or cost == expected
            assert expected is not None or end == busy[robot]
            found += expected is not None
            known[robot] = path
    assert found > 100


def fixed_part(cell: int, busy: int) -> list[int]:
    return [int(cell) if step <= busy else -1 for step in range(STEPS + 1)]


def test_plans_to_several_goals_meet_nobody() -> None:
    layout = generate_random(9, 9, 0.2, np.random.default_rng(0))
    rng, fields = np.random.default_rng(1), Fields(layout, 1)
    cell = random_starts(layout, 15, 1, rng)[0]
    rows = fields.rows(rng.choice(layout.free_cells, (15, 3)))
    begin = Begin(cell, cell, np.full(15, -1, np.int8), np.zeros(15, np.int32))
    search = search_for(20, layout.free.size, turning=False)
    order, none = np.arange(15, dtype=np.int32), np.zeros(0, dtype=np.bool_)
    paths = plan_window(fields.neighbours, fields.arrays, begin, rows, order, none, search)
    for before, after in pairwise(paths.T.tolist()):
        there = [cell for cell in after if cell >= 0]
        assert len(set(there)) == len(there)
        moves = {(a, b) for a, b in zip(before, after, strict=True) if a != b and b >= 0}
        assert not any((b, a) in moves for a, b in moves)
    assert (paths[:, -1] >= 0).sum() > 5


def setup(rules: Rules, seed: int, share: float) -> tuple[Drive, PrioritisedController]:
    world, keys = drive(rules, seed, share), world_keys(seed, [0, 1])
    return world, PrioritisedController(
        world.layout, rules, keys, PrioritisedOptions(8, 3), capacity_mib=1
    )


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_every_robot_keeps_reaching_goals_and_nothing_is_refused(
    rules: Rules, share: float
) -> None:
    world, controller = setup(rules, 5, share)
    for _ in range(2):
        assert world.run(controller, 700 * rules.ticks_per_action).min() >= 1


def test_from_a_snapshot_it_goes_on_in_the_same_way() -> None:
    first, one = setup(league(2), 1, 0.5)
    second, two = setup(league(2), 1, 0.5)
    first.run(one, 101)
    second.run(two, 101)
    _, third = setup(league(2), 1, 0.5)
    third.restore(one.snapshot())
    first.run(third, 100, begin=101)
    second.run(two, 100, begin=101)
    assert (first.fleet.cell == second.fleet.cell).all()


def test_a_snapshot_of_another_window_is_refused() -> None:
    world, controller = setup(league(1), 1, 0.5)
    world.run(controller, 3)
    other = PrioritisedController(world.layout, world.rules, world_keys(1, [0, 1]))
    with pytest.raises(InputError, match="snapshot has paths"):
        other.restore(controller.snapshot())


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="replan_steps"):
        PrioritisedOptions(window_steps=4, replan_steps=5)
