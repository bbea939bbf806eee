# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim.layout import Layout
from sim.warehouse.chance import world_keys
from sim.warehouse.people.ground import ground_of
from sim.warehouse.people.options import PeopleKind, PeopleOptions
from sim.warehouse.people.people import People
from sim.warehouse.people.social_force import (
    acceleration,
    push_of_person,
    push_of_walls,
    walk_by_forces,
)
from sim.warehouse.people.social_force_reference import (
    acceleration_reference,
    walk_reference,
)
from sim.warehouse.people.walkers import Walkers
from tests.sim.warehouse.people.floors import floor

KEYS = world_keys(3, [0])
OPEN = "\n".join(["." * 12] * 12)


def copied(walkers: Walkers) -> Walkers:
    return Walkers(*(array.copy() for array in walkers))


def scattered(layout: Layout, options: PeopleOptions, rng: np.random.Generator) -> Walkers:
    """People anywhere on the floor, not too near to walls and each other."""
    ground, count = ground_of(layout, options), options.count
    cells = rng.permutation(ground.cells)[:count]
    centres = np.stack([cells % layout.width, cells // layout.width], axis=1) + 0.5
    inner = centres + rng.uniform(-0.3, 0.3, (count, 2))
    return Walkers(
        position_m=options.cell_m * inner[None],
        velocity_m_s=rng.normal(0, 0.5, (1, count, 2)),
        cell=cells[None].astype(np.int32),
        goal=rng.integers(0, len(ground.places), (1, count)).astype(np.int32),
        pause_ticks=(rng.random((1, count)) < 0.2).astype(np.int32),
        speed_m_s=rng.uniform(0.9, 1.8, (1, count)),
    )


def test_acceleration_is_the_slope_of_the_potentials() -> None:
    options, rng = PeopleOptions(8, PeopleKind.SOCIAL_FORCE, cell_m=1.2), np.random.default_rng(0)
    ground = ground_of(floor(), options)
    for _ in range(30):
        walkers = scattered(floor(), options, rng)
        for walker in range(8):
            fast = acceleration(walkers, 0, walker, ground.way, ground.blocked, ground.cell_m)
            slow = acceleration_reference(walkers, ground, walker)
            np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-5)


def test_a_tick_is_equal_to_the_reference() -> None:
    options, rng = PeopleOptions(5, PeopleKind.SOCIAL_FORCE), np.random.default_rng(1)
    ground = ground_of(floor(OPEN), options)
    for tick in range(40):
        walkers = scattered(floor(OPEN), options, rng)
        twin = copied(walkers)
        walk_by_forces(KEYS, tick, 0.1, 8.0, ground.way, ground.blocked, 1.0, walkers)
        walk_reference(KEYS[0], tick, 0.1, 8.0, ground, twin)
        for fast, slow in zip(walkers, twin, strict=True):
            np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("count", "speed_m_s"), [(1, 0.6), (1, 1.34), (25, 1.34)])
def test_nobody_is_ever_in_a_rack_or_too_fast(count: int, speed_m_s: float) -> None:
    """And everybody gets around: walls do not shut the mouths of aisles."""
    layout = floor()
    options = PeopleOptions(
        count, PeopleKind.SOCIAL_FORCE, speed_m_s, 0.1 * speed_m_s, pause_s=0.5, cell_m=0.8
    )
    people = People(layout, options, KEYS)
    visited = np.zeros(layout.free.shape, dtype=bool)
    for tick in range(10_000):
        people.advance(tick)
        column, row = np.floor(people.positions[0] / 0.8).astype(int).T
        assert layout.free[row, column].all()
        speed = np.hypot(*people.velocities[0].T)
        assert (speed <= 1.3 * people.desired_speeds[0] * (1 + 1e-9)).all()
        visited[row, column] = True
    assert visited.sum() > 0.8 * layout.free.sum()


def test_a_lone_walker_reaches_its_speed_in_the_relaxation_time() -> None:
    """On a long way: 1 - exp(-t / 0.5 s) of the desired speed."""
    layout = floor("\n".join(["." * 200] * 9))
    options = PeopleOptions(1, PeopleKind.SOCIAL_FORCE, speed_deviation_m_s=0.0, places=1000)
    ground = ground_of(layout, options)
    east = int(np.argmax(ground.places % 200))
    cell = 4 * 200 + 50
    ground.way[east, 4 * 200 : 5 * 200] = 1
    walkers = Walkers(
        np.array([[[50.5, 4.5]]]), np.zeros((1, 1, 2)), np.array([[cell]], dtype=np.int32),
        np.array([[east]], dtype=np.int32), np.zeros((1, 1), np.int32), np.full((1, 1), 1.34),
    )  # fmt: skip
    for tick in range(10):
        walk_by_forces(KEYS, tick, 0.05, 0.0, ground.way, ground.blocked, 1.0, walkers)
    assert walkers.velocity_m_s[0, 0, 0] == pytest.approx(1.34 * (1 - np.exp(-1)), abs=0.06)


def test_people_and_walls_push_away_with_the_constants_of_the_paper() -> None:
    at_rest = push_of_person(0.6, 0.0, 0.0, 0.0)  # b is the distance then
    np.testing.assert_allclose(at_rest, [2.1 / 0.3 * np.exp(-0.6 / 0.3), 0], rtol=0.02)
    coming = push_of_person(2.0, 0.1, 1.34, 0.0)
    leaving = push_of_person(2.0, 0.1, -1.34, 0.0)
    assert np.hypot(*coming) > 10 * np.hypot(*leaving)
    blocked = np.ones((3, 4), dtype=bool)
    blocked[1, 1:3] = False
    for cell_m, reach_m in ((3.0, 0.2), (1.2, 0.1)):
        wall = 10 / reach_m
        sideways = wall * (np.exp(-0.3 / reach_m) - np.exp(-(cell_m - 0.3) / reach_m))
        push = push_of_walls(0.4, 0.3, blocked, cell_m)
        np.testing.assert_allclose(push, [wall * np.exp(-0.4 / reach_m), sideways], rtol=1e-12)


def test_two_who_meet_keep_a_distance() -> None:
    layout = floor("\n".join(["." * 30] * 5))
    options = PeopleOptions(2, PeopleKind.SOCIAL_FORCE, places=150)
    ground = ground_of(layout, options)
    row = 2 * 30
    goal = [int(np.flatnonzero(ground.places == row + end)[0]) for end in (29, 0)]
    ground.way[goal[0], row : row + 29], ground.way[goal[1], row + 1 : row + 30] = 1, 3
    walkers = Walkers(
        np.array([[[5.5, 2.55], [15.5, 2.45]]]), np.zeros((1, 2, 2)),
        np.array([[row + 5, row + 15]], dtype=np.int32), np.array([goal], dtype=np.int32),
        np.zeros((1, 2), np.int32), np.full((1, 2), 1.34),
    )  # fmt: skip
    nearest_m = np.inf
    for tick in range(120):
        walk_by_forces(KEYS, tick, 0.1, 1e6, ground.way, ground.blocked, 1.0, walkers)
        nearest_m = min(
            nearest_m, float(np.hypot(*(walkers.position_m[0, 0] - walkers.position_m[0, 1])))
        )
    assert walkers.position_m[0, 0, 0] > walkers.position_m[0, 1, 0]
    assert 0.3 < nearest_m < 1.5
