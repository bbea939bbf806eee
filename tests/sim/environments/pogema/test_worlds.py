# SPDX-License-Identifier: Apache-2.0
"""The kernels equal the reference; what is drawn, kept and refused."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.pogema import (
    Collision,
    ObservationType,
    OnTarget,
    PogemaOptions,
    PogemaStep,
    PogemaWorlds,
)
from sim.environments.pogema.draws import another_target, episode_key
from sim.environments.pogema.floors import make_floors
from sim.environments.pogema.reference import World, observation, step
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import world_keys

UINT8 = ObservationType.UINT8


def _layout(seed: int, height: int = 9, width: int = 7, density: float = 0.15) -> Layout:
    free = np.random.default_rng(seed).random((height, width)) >= density
    return Layout(f"random {seed}", free)


def _open(height: int, width: int) -> Layout:
    return Layout("open", np.ones((height, width), dtype=np.bool_))


def _actions(steps: int, worlds: PogemaWorlds, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, 5, (steps, *worlds.positions.shape))


def _same(left: PogemaStep, right: PogemaStep) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("radius", [1, 4, 6, 9])
@pytest.mark.parametrize(("collision", "on_target"), list(itertools.product(Collision, OnTarget)))
def test_worlds_equal_the_reference(collision: Collision, on_target: OnTarget, radius: int) -> None:
    layouts, keys = [_layout(seed) for seed in range(3)], world_keys(5, [0, 1, 2])
    options = PogemaOptions(14, on_target, collision, radius, 50, UINT8)
    worlds = PogemaWorlds(layouts, options, keys)
    worlds.reset()
    twins = [_twin(worlds, w, layout) for w, layout in enumerate(layouts)]
    for actions in _actions(50, worlds):
        found = worlds.step(actions)
        for w, twin in enumerate(twins):
            # The draws have their own test; here the twin is told what was drawn.
            twin.another = lambda robot, _, w=w: _pairs(layouts[w], worlds.targets[w])[robot]
            rewards, terminated = step(twin, actions[w].tolist())
            assert twin.at == _pairs(layouts[w], worlds.positions[w])
            assert twin.target == _pairs(layouts[w], worlds.targets[w])
            assert found.rewards[w].tolist() == rewards
            assert found.terminated[w].tolist() == terminated
            for robot in range(0, 14, 5):
                seen = observation(twin, robot)
                np.testing.assert_array_equal(found.observations[w, robot], seen)


def _twin(worlds: PogemaWorlds, w: int, layout: Layout) -> World:
    at, target = _pairs(layout, worlds.positions[w]), _pairs(layout, worlds.targets[w])
    return World(worlds.options, layout.free, at, target, lambda _, position: position)


def _pairs(layout: Layout, cells: NDArray[np.int32]) -> list[tuple[int, int]]:
    return [layout.row_column(cell) for cell in cells.tolist()]


def test_starts_and_targets_are_distinct_and_can_be_reached() -> None:
    free = np.ones((5, 9), dtype=np.bool_)
    free[:, 4] = False  # two rooms of 20 cells each
    worlds = PogemaWorlds(Layout("rooms", free), PogemaOptions(20), world_keys(1, list(range(40))))
    worlds.reset()
    starts, targets = worlds.positions, worlds.targets
    everything = np.sort(np.concatenate([starts, targets], axis=1), axis=1)
    assert (np.diff(everything, axis=1) > 0).all()
    assert ((starts % 9 < 4) == (targets % 9 < 4)).all()
    assert len(np.unique(starts[:, 0])) > 15


def test_another_target_is_any_other_cell_of_the_component_alike() -> None:
    floors = make_floors([_open(2, 3)], margin=1)
    key = np.uint64(episode_key(world_keys(0, [0])[0], 0))  # out of a kernel it comes as an int
    members = floors.members[0].tolist()
    here = members[2]
    drawn = [another_target(floors, 0, key, i, 0, here) for i in range(1, 5001)]
    counts = [drawn.count(cell) for cell in members]
    assert counts[2] == 0
    assert sum(counts) == 5000
    assert all(850 < count < 1150 for i, count in enumerate(counts) if i != 2)


def test_a_world_does_not_depend_on_its_neighbours() -> None:
    options = PogemaOptions(6, OnTarget.RESTART, max_episode_steps=20)
    many = PogemaWorlds(_layout(3), options, world_keys(2, [4, 5, 6]))
    alone = PogemaWorlds(_layout(3), options, world_keys(2, [5]))
    np.testing.assert_array_equal(many.reset()[1], alone.reset()[0])
    for actions in _actions(70, many):
        together, single = many.step(actions), alone.step(actions[1:2])
        for one, other in zip(together, single, strict=True):
            np.testing.assert_array_equal(one[1], other[0])


def test_an_episode_is_cut_off_and_the_next_step_begins_another_one() -> None:
    worlds = PogemaWorlds(_layout(3), PogemaOptions(6, OnTarget.RESTART, max_episode_steps=3),
                          world_keys(0, [0, 1]))  # fmt: skip
    first = worlds.reset()
    steps = [worlds.step(actions) for actions in _actions(4, worlds)]
    assert [step.truncated.tolist() for step in steps] == [[False] * 2] * 2 + [
        [True] * 2,
        [False] * 2,
    ]
    assert [step.begins.tolist() for step in steps] == [[False] * 2] * 3 + [[True] * 2]
    assert not steps[3].rewards.any()
    assert (steps[3].observations != first).any()  # other starts
    np.testing.assert_array_equal(worlds.reset(), first)


@pytest.mark.parametrize(("collision", "on_target"), list(itertools.product(Collision, OnTarget)))
def test_restored_worlds_go_on_exactly(collision: Collision, on_target: OnTarget) -> None:
    options = PogemaOptions(12, on_target, collision, 3, 40)
    worlds, later = (PogemaWorlds(_layout(2), options, world_keys(9, [3, 4])) for _ in range(2))
    worlds.reset()
    for actions in _actions(95, worlds):
        worlds.step(actions)
    later.restore(worlds.snapshot())
    for actions in _actions(60, worlds, seed=1):
        _same(worlds.step(actions), later.step(actions))


def test_what_is_returned_stays_as_it_is() -> None:
    worlds = PogemaWorlds(_layout(3), PogemaOptions(6), world_keys(0, [0]))
    first = worlds.reset()
    kept = first.copy()
    for actions in _actions(5, worlds):
        worlds.step(actions)
    np.testing.assert_array_equal(first, kept)


def test_moves_only_are_the_same_moves() -> None:
    def make(observations: ObservationType) -> PogemaWorlds:
        options = PogemaOptions(6, OnTarget.RESTART, observations=observations)
        return PogemaWorlds(_layout(3), options, world_keys(0, [0, 1]))

    worlds, moving = make(ObservationType.FLOAT32), make(ObservationType.NONE)
    worlds.reset()
    assert moving.reset().shape == (2, 6, 0)
    for actions in _actions(80, worlds):
        np.testing.assert_array_equal(worlds.step(actions).rewards, moving.step(actions).rewards)
        np.testing.assert_array_equal(worlds.positions, moving.positions)


def test_masks_forbid_obstacles_and_nothing_else() -> None:
    starts = np.array([[0, 5]], dtype=np.int32)
    worlds = PogemaWorlds(_open(2, 3), PogemaOptions(2), world_keys(0, [0]), starts,
                          np.array([[[1], [2]]], dtype=np.int32))  # fmt: skip
    worlds.reset()
    wanted = [[True, False, True, False, True], [True, True, False, True, False]]
    assert worlds.action_masks()[0].tolist() == wanted
    worlds.step(np.array([[4, 0]]))  # robot 0 has arrived and leaves
    assert worlds.action_masks()[0].tolist() == [[True] + [False] * 4, wanted[1]]


def test_a_ring_rotates_where_conflicts_are_soft() -> None:
    starts = np.array([[0, 1, 3, 2]], dtype=np.int32)
    options = PogemaOptions(4, OnTarget.RESTART, Collision.SOFT)
    targets = np.full((1, 4, 1), 3, dtype=np.int32)
    worlds = PogemaWorlds(_open(2, 2), options, world_keys(0, [0]), starts, targets)
    worlds.reset()
    worlds.step(np.array([[4, 2, 3, 1]]))
    assert worlds.positions.tolist() == [[1, 3, 2, 0]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"robots": 0}, "robots is 0; allowed: whole numbers from 1"),
        ({"robots": 2.5}, "robots is 2.5"),
        ({"obs_radius": 129}, "obs_radius is 129; allowed: whole numbers from 1 to 128"),
        ({"max_episode_steps": float("nan")}, "max_episode_steps is nan"),
        ({"on_target": "stay"}, "on_target is 'stay'; allowed: finish, nothing, restart"),
        ({"collision": "hard"}, "collision is 'hard'; allowed: block_both, priority, soft"),
        ({"observations": "POMAPF"}, "allowed: float32, uint8, none"),
    ],
)
def test_bad_options_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PogemaOptions(**values)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((2, 3), dtype=np.int64), r"shape \(2, 3\) .* allowed: \(1, 2\)"),
        (np.zeros((1, 2)), "float64; allowed"),
        (np.array([[0, 5]]), "robot 1 in world 0 is 5; allowed: 0 to 4"),
        (np.array([[-1, 0]]), "robot 0 in world 0 is -1"),
    ],
)
def test_bad_actions_are_refused_and_change_nothing(actions: Any, message: str) -> None:
    worlds = PogemaWorlds(_open(2, 3), PogemaOptions(2), world_keys(0, [0]))
    worlds.reset()
    before = worlds.positions
    with pytest.raises(InputError, match=message):
        worlds.step(actions)
    np.testing.assert_array_equal(worlds.positions, before)


@pytest.mark.parametrize(
    ("starts", "targets", "message"),
    [
        ([[0, 0]], [[[1], [2]]], "hold a cell twice"),
        ([[0, 6]], [[[1], [2]]], "starts of world 0: cell 6"),
        ([[0, 1]], [[[1], [-1]]], "targets of world 0: cell -1"),
        ([[0]], [[[1], [2]]], r"starts is \(1, 1\); allowed: \(1, 2\)"),
        ([[0, 1]], [[[1, 2], [2, 3]]], "one for each robot"),
    ],
)
def test_bad_starts_and_targets_are_refused(starts: Any, targets: Any, message: str) -> None:
    given = np.array(starts, dtype=np.int32), np.array(targets, dtype=np.int32)
    with pytest.raises(InputError, match=message):
        PogemaWorlds(_open(2, 3), PogemaOptions(2), world_keys(0, [0]), *given)


def test_more_robots_than_pairs_of_cells_and_layouts_that_do_not_match_are_refused() -> None:
    with pytest.raises(InputError, match="robots is 4; allowed: 1 to 3"):
        PogemaWorlds(_open(2, 3), PogemaOptions(4), world_keys(0, [0]))
    with pytest.raises(InputError, match=r"shape \(3, 2\); allowed: \(2, 3\)"):
        PogemaWorlds([_open(2, 3), _open(3, 2)], PogemaOptions(), world_keys(0, [0, 1]))
    with pytest.raises(InputError, match="layouts is 2; allowed: 1 or 3"):
        PogemaWorlds([_open(2, 3)] * 2, PogemaOptions(), world_keys(0, [0, 1, 2]))


def test_a_snapshot_of_other_worlds_or_with_robots_in_one_cell_is_refused() -> None:
    worlds = PogemaWorlds(_open(2, 3), PogemaOptions(2), world_keys(0, [0]))
    other = PogemaWorlds(_open(2, 3), PogemaOptions(3), world_keys(0, [0]))
    worlds.reset()
    with pytest.raises(InputError, match="snapshot"):
        worlds.restore(other.snapshot())
    doubled = worlds.snapshot()
    doubled["cell"][0] = doubled["cell"][0, 0]
    with pytest.raises(InputError, match="one robot in each"):
        worlds.restore(doubled)
    with pytest.raises(InputError, match="free cells"):
        worlds.restore(worlds.snapshot() | {"cell": np.zeros((1, 2), dtype=np.int32)})
