# SPDX-License-Identifier: Apache-2.0
"""PIBT: equal to the recursion of the paper, without conflicts, and nobody is left behind."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from sim.errors import InputError
from sim.generate import generate_random
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import View
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.pibt_kernel import plan_worlds
from sim.warehouse.control.pibt_reference import plan_reference
from sim.warehouse.control.pibt_state import FREE, HOLDS, LEAVES, Robots
from sim.warehouse.fleet import random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.rules import GRID, Rules, league
from tests.sim.warehouse.control.driving import ALL_RULES, WORLDS, Drive, drive


@dataclass
class Case:
    """A random situation of the kernel."""

    fields: Fields
    robots: Robots
    closed: NDArray[np.bool_]
    rings: bool


def random_case(number: int) -> Case:
    """Floors of up to 64 cells, every fourth one full; fixed robots, closed cells, headings."""
    rng = np.random.default_rng(number)
    height, width = rng.integers(2, 9, 2).tolist()
    layout = generate_random(height, width, rng.random() * 0.4, rng)
    free = layout.free_cells
    count = len(free) if number % 4 == 0 else int(rng.integers(1, len(free) + 1))
    fields, cell = Fields(layout, 1), random_starts(layout, count, WORLDS, rng)
    goals = np.where(rng.random(cell.shape) < 0.1, -1, rng.choice(free, cell.shape))
    entering, fixed = bound(fields, cell, rng) if number % 2 else (cell, np.zeros_like(cell))
    robots = Robots(
        cell=cell,
        entering=entering,
        fixed=fixed.astype(np.int8),
        row=fields.rows(goals.astype(np.int32)),
        priority=rng.permutation(cell.size).reshape(cell.shape).astype(float),
        facing=rng.integers(0 if number % 3 else -1, 4 if number % 3 else 0, cell.shape, np.int8),
        kept=fields.neighbours[cell, rng.integers(0, 4, cell.shape)],
        wanted=fields.neighbours[cell, rng.integers(0, 4, cell.shape)],
    )
    closed = rng.random((WORLDS, layout.free.size if number % 5 == 0 else 0)) < 0.2
    return Case(fields, robots, closed, rings=number % 8 < 4)


def bound(
    fields: Fields, cell: NDArray[np.int32], rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Some are delayed, some drive into free cells, some do both."""
    entering, fixed = cell.copy(), np.where(rng.random(cell.shape) < 0.2, HOLDS, FREE)
    for world in range(WORLDS):
        used = set(cell[world].tolist())
        for robot, place in enumerate(cell[world]):
            target = int(fields.neighbours[place, rng.integers(4)])
            if target >= 0 and target not in used and rng.random() < 0.3:
                used.add(target)
                entering[world, robot] = target
                fixed[world, robot] = rng.choice([LEAVES, HOLDS])
    return entering, fixed


def order_of(robots: Robots) -> NDArray[np.int32]:
    worlds, count = robots.cell.shape
    return np.tile(np.arange(count, dtype=np.int32), (worlds, 1))


def follows_in_a_ring(cell: list[int], planned: list[int]) -> bool:
    holder = {place: robot for robot, place in enumerate(cell)}
    moves = [(c, p) for c, p in zip(cell, planned, strict=True) if c != p and p in holder]
    return not nx.is_directed_acyclic_graph(nx.DiGraph(moves))


def test_the_kernel_equals_the_recursion_of_the_paper_and_has_no_conflicts() -> None:
    rotated = 0
    for number in range(250):
        case, keys = random_case(number), world_keys(number, [0, 1])
        neighbours, arrays = case.fields.neighbours, case.fields.arrays
        planned = plan_worlds(
            neighbours, arrays, case.robots, case.closed, keys, number, case.rings,
            order_of(case.robots),
        )  # fmt: skip
        for world in range(WORLDS):
            one = Robots(*(array[world] for array in case.robots))
            expected = plan_reference(
                neighbours, arrays, one, case.closed[world], keys[world], number, case.rings
            )
            assert planned[world].tolist() == expected
            moves = list(zip(one.cell.tolist(), expected, strict=True))
            assert len(set(expected)) == len(expected)
            assert not any(a != b and (b, a) in moves for a, b in moves)
            ring = follows_in_a_ring(one.cell.tolist(), expected)
            assert case.rings or not ring
            rotated += ring
    assert rotated > 20


def setup(rules: Rules, seed: int, share: float) -> tuple[Drive, PibtController]:
    world = drive(rules, seed, share)
    return world, PibtController(world.layout, rules, world_keys(seed, [0, 1]), 1)


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_every_robot_keeps_reaching_goals_and_nothing_is_refused(
    rules: Rules, share: float
) -> None:
    world, controller = setup(rules, 5, share)
    for _ in range(2):
        reached = world.run(controller, 700 * rules.ticks_per_action)
        assert reached.min() >= 1


def test_on_a_full_floor_rings_rotate() -> None:
    world, controller = setup(GRID, 3, 1.0)
    world.delays = 0.0
    assert world.run(controller, 2000).min() >= 1


def test_from_a_snapshot_it_goes_on_in_the_same_way() -> None:
    first, one = setup(league(2), 1, 0.5)
    second, two = setup(league(2), 1, 0.5)
    first.run(one, 100)
    second.run(two, 100)
    third = PibtController(first.layout, first.rules, one.keys, 1)
    third.restore(one.snapshot())
    first.run(third, 100, begin=100)
    second.run(two, 100, begin=100)
    assert (first.fleet.cell == second.fleet.cell).all()


def test_a_snapshot_of_something_else_is_refused() -> None:
    _, controller = setup(GRID, 1, 0.5)
    with pytest.raises(InputError, match="snapshot of PIBT"):
        controller.restore({"aim": np.zeros((2, 3))})


def test_nobody_enters_a_closed_cell() -> None:
    world, controller = setup(GRID, 2, 0.3)
    closed = world.rng.random((WORLDS, world.layout.free.size)) < 0.3
    inside = np.take_along_axis(closed, world.fleet.cell, 1)
    for tick in range(200):
        view = View(tick, world.fleet, world.goals[:, :, None], closed)
        Motion(controller.fields.neighbours, GRID).step(world.fleet, controller.act(view))
        now = np.take_along_axis(closed, world.fleet.cell, 1)
        assert not (now & ~inside).any()
        inside = now
