# SPDX-License-Identifier: Apache-2.0
"""One tick of motion: compiled against plain Python, and what must never happen."""

import numpy as np
import pytest

from sim.distances import neighbour_table
from sim.errors import InputError
from sim.generate import generate_random
from sim.layout import Layout
from sim.warehouse.fleet import Fleet, fleet_at, random_starts, require_starts
from sim.warehouse.motion import Motion
from sim.warehouse.motion_reference import Robot, step_reference
from sim.warehouse.rules import GRID, Following, Gait, Rules, league

ALL_RULES = [
    GRID,
    league(3),
    league(1),
    Rules(Gait.TURNING, 1, Following.TOGETHER),
    Rules(Gait.TURNING, 2, Following.NEVER),
    Rules(Gait.SLIDING, 3, Following.STRAIGHT),
]


def open_floor(height: int, width: int) -> Layout:
    return Layout("open", np.ones((height, width), dtype=np.bool_))


def robots_of(fleet: Fleet, world: int) -> list[Robot]:
    return [Robot(*map(int, values)) for values in zip(*(a[world] for a in fleet), strict=True)]


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_the_compiled_motion_is_that_of_plain_python(rules: Rules, share: float) -> None:
    rng = np.random.default_rng(int(share * 10))
    layout = generate_random(6, 7, 0.15, rng)
    robots = max(2, int(share * layout.free.sum()))
    fleet = fleet_at(random_starts(layout, robots, 3, rng))
    fleet.heading[:] = rng.integers(0, 4, fleet.heading.shape)
    neighbours = neighbour_table(layout)
    motion = Motion(neighbours, rules)
    for _ in range(60):
        fleet.delay_ticks[:] = rng.random(fleet.cell.shape) < 0.1
        likely = [0.2] + [0.8 / (rules.num_actions - 1)] * (rules.num_actions - 1)
        actions = rng.choice(rules.num_actions, fleet.cell.shape, p=likely).astype(np.int8)
        closed = rng.random((3, len(neighbours))) < 0.05
        expected = [
            step_reference(
                neighbours, rules, robots_of(fleet, world), actions[world].tolist(),
                frozenset(np.flatnonzero(closed[world]).tolist()),
            )
            for world in range(3)
        ]  # fmt: skip
        moved = motion.step(fleet, actions, closed)
        for world, (after, executed, refused) in enumerate(expected):
            assert robots_of(fleet, world) == after
            assert moved.executed[world].tolist() == executed
            assert moved.refused[world].tolist() == refused


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
def test_bodies_never_touch(rules: Rules) -> None:
    """Each robot is a unit square somewhere between its cell and the next one."""
    rng = np.random.default_rng(3)
    layout = generate_random(8, 8, 0.1, rng)
    neighbours = neighbour_table(layout)
    fleet = fleet_at(random_starts(layout, 30, 1, rng))
    motion = Motion(neighbours, rules)
    drives = 0
    for _ in range(400):
        fleet.delay_ticks[:] = rng.random(fleet.cell.shape) < 0.1
        actions = rng.choice([0, 1, 1, 1, 1, 2, 3], fleet.cell.shape).astype(np.int8)
        before = _places(layout, fleet, rules)
        moved = motion.step(fleet, actions)
        drives += int((moved.executed > 0).sum())
        after = _places(layout, fleet, rules)
        if rules.following is not Following.TOGETHER:
            for share in (0.25, 0.5, 0.75, 1.0):
                _require_apart(before + share * (after - before))
        assert len(np.unique(fleet.cell)) == 30
    assert drives > 300


def _places(layout: Layout, fleet: Fleet, rules: Rules) -> np.ndarray:
    rows, columns = np.divmod(fleet.cell[0], layout.width)
    step = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])[fleet.heading[0]]
    driving = fleet.doing[0] == 1 if rules.gait is Gait.TURNING else fleet.doing[0] > 0
    share = np.where(driving, fleet.progress[0] / rules.ticks_per_action, 0.0)
    return np.stack([rows, columns], axis=1) + share[:, None] * step


def _require_apart(places: np.ndarray) -> None:
    gaps = np.abs(places[:, None] - places[None]).max(axis=2)
    np.fill_diagonal(gaps, 9)
    assert gaps.min() > 1 - 1e-9


def test_rings_rotate_and_two_robots_do_not_change_places() -> None:
    layout = open_floor(2, 2)
    motion = Motion(neighbour_table(layout), GRID)
    ring = fleet_at(np.array([[0, 1, 3, 2]], dtype=np.int32))
    motion.step(ring, np.array([[2, 3, 4, 1]], dtype=np.int8))
    assert ring.cell.tolist() == [[1, 3, 2, 0]]
    pair = fleet_at(np.array([[0, 1]], dtype=np.int32))
    moved = motion.step(pair, np.array([[2, 4]], dtype=np.int8))
    assert pair.cell.tolist() == [[0, 1]]
    assert moved.refused.all()


def test_a_full_ring_of_one_way_cells_keeps_moving_while_an_outsider_waits() -> None:
    """The trap of rules in which the longest waiting robot wins each cell."""
    free = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1, 0]], dtype=np.bool_)
    motion = Motion(neighbour_table(Layout("ring", free)), GRID)
    circle = [0, 1, 2, 5, 8, 7, 6, 3]
    fleet = fleet_at(np.array([[10, *circle]], dtype=np.int32))
    way = {0: 2, 1: 2, 2: 3, 5: 3, 8: 4, 7: 4, 6: 1, 3: 1, 10: 1}
    for _ in range(20):
        actions = np.array([[way[int(cell)] for cell in fleet.cell[0]]], dtype=np.int8)
        moved = motion.step(fleet, actions)
        assert (moved.executed[0, 1:] > 0).all()


def test_a_follower_in_straight_line_lags_one_tick() -> None:
    layout = open_floor(1, 5)
    motion = Motion(neighbour_table(layout), league(3))
    fleet = fleet_at(np.array([[0, 1]], dtype=np.int32))
    forward = np.array([[1, 1]], dtype=np.int8)
    assert motion.step(fleet, forward).refused.tolist() == [[True, False]]
    for _ in range(3):
        assert not motion.step(fleet, forward).refused.any()
    assert fleet.cell.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (np.zeros((1, 3), np.int8), r"shape \(1, 3\); allowed: \(1, 2\)"),
        (np.array([[0, 4]], np.int8), "robot 1 in world 0 is 4; allowed: 0 to 3"),
        (np.array([[0, -1]], np.int8), "is -1; allowed"),
        (np.array([[0, np.nan]]), "float64; allowed: whole numbers"),
    ],
)
def test_actions_that_mean_nothing_are_refused(actions: np.ndarray, words: str) -> None:
    layout = open_floor(1, 5)
    fleet = fleet_at(np.array([[0, 1]], dtype=np.int32))
    with pytest.raises(InputError, match=words):
        Motion(neighbour_table(layout), league(3)).step(fleet, actions)


def test_bad_starts_and_rules_are_refused() -> None:
    layout = Layout("wall", np.array([[1, 1, 0]], dtype=np.bool_))
    with pytest.raises(InputError, match="robots is 3; allowed: at most 2"):
        require_starts(layout, np.array([[0, 1, 1]], dtype=np.int32))
    with pytest.raises(InputError, match="robot 1 in world 0 is cell 2; allowed: free cells"):
        require_starts(layout, np.array([[0, 2]], dtype=np.int32))
    with pytest.raises(InputError, match="two robots of world 0"):
        require_starts(layout, np.array([[1, 1]], dtype=np.int32))
    with pytest.raises(InputError, match="together only with ticks_per_action 1"):
        Rules(ticks_per_action=2, following=Following.TOGETHER)
    with pytest.raises(InputError, match="ticks_per_action is 0; allowed: 1 to 1000"):
        Rules(ticks_per_action=0)
