# SPDX-License-Identifier: Apache-2.0
"""B compiled worlds in one call: episodes follow each other, lanes do not touch."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.gridworld import NAMES, GridworldVector
from sim.environments.gridworld.draws import below, compiled_episode_seed, make_word
from sim.environments.interface import Steps, VectorEnvironment
from sim.environments.seeds import episode_seed
from sim.errors import InputError

EMPTY = "MiniGrid-Empty-5x5-v0"
TO_THE_GOAL = (2, 2, 1, 2, 2)  # of Empty-5x5


def _actions(steps: int, count: int, seed: int = 5) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, 7, (steps, count))


def _same(left: Steps, right: Steps) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_after_the_final_observation_the_next_step_begins_an_episode() -> None:
    vector: VectorEnvironment = GridworldVector(EMPTY, [0, 1], seed=3)
    first = vector.reset()
    for action in TO_THE_GOAL:
        steps = vector.step(np.array([action, 6]))
    np.testing.assert_array_equal(steps.terminated, [True, False])
    np.testing.assert_allclose(steps.rewards, [1 - 0.9 * 5 / 100, 0])
    assert not steps.begins.any()
    after = vector.step(np.array([2, 6]))  # the first action is ignored
    np.testing.assert_array_equal(after.begins, [True, False])
    np.testing.assert_array_equal(after.observations, first)
    assert not after.rewards.any()
    assert not after.terminated.any()
    assert not after.broken.any()


def test_an_episode_is_cut_off_at_its_last_step() -> None:
    vector = GridworldVector(EMPTY, [0], seed=3)
    vector.reset()
    ends = [vector.step(np.array([6])) for _ in range(101)]
    assert [int(steps.truncated[0]) for steps in ends] == [0] * 99 + [1, 0]
    assert ends[100].begins[0]


def test_reset_goes_back_to_episode_zero() -> None:
    vector = GridworldVector("MiniGrid-MemoryS7-v0", range(5), seed=3)
    first = vector.reset()
    for actions in _actions(600, 5):
        vector.step(actions)
    np.testing.assert_array_equal(vector.reset(), first)


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_vector_goes_on_exactly(name: str) -> None:
    vector, later = (GridworldVector(name, range(4, 12), seed=9) for _ in range(2))
    vector.reset()
    for actions in _actions(700, 8):
        vector.step(actions)
    later.restore(vector.snapshot())
    for actions in _actions(700, 8, seed=6):
        _same(vector.step(actions), later.step(actions))


def test_a_snapshot_before_the_first_reset_and_one_taken_earlier_both_hold() -> None:
    vector = GridworldVector(EMPTY, [0], seed=9)
    fresh = vector.snapshot()
    first = vector.reset()
    vector.restore(fresh)
    steps = vector.step(np.array([0]))
    assert steps.begins[0]
    np.testing.assert_array_equal(steps.observations, first)


def test_a_lane_does_not_depend_on_its_neighbours() -> None:
    name = "MiniGrid-SimpleCrossingS9N3-v0"
    many, few = GridworldVector(name, range(8), 2), GridworldVector(name, [6, 1], 2)
    np.testing.assert_array_equal(many.reset()[[6, 1]], few.reset())
    for actions in _actions(800, 8):
        expected = Steps(*(array[[6, 1]] for array in many.step(actions)))
        _same(few.step(actions[[6, 1]]), expected)


def test_what_was_returned_stays_as_it_is() -> None:
    vector = GridworldVector(EMPTY, [0], seed=3)
    kept = vector.reset()
    copy = kept.copy()
    vector.step(np.array([1]))
    np.testing.assert_array_equal(kept, copy)


def test_an_unknown_action_is_refused_and_changes_nothing() -> None:
    vector = GridworldVector(EMPTY, [0, 1], seed=3)
    vector.reset()
    before = vector.snapshot()
    with pytest.raises(InputError, match="lane 1 is 7; allowed: 0 to 6"):
        vector.step(np.array([2, 7]))
    for name, array in vector.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match=r"'CartPole-v1'; compiled are: MiniGrid-Empty-5x5-v0"):
        GridworldVector("CartPole-v1", [0], 0)
    with pytest.raises(InputError, match="seed is -1"):
        GridworldVector(EMPTY, [0], -1)
    with pytest.raises(InputError, match="lanes is"):
        GridworldVector(EMPTY, [], 0)
    vector = GridworldVector(EMPTY, [0, 1], seed=3)
    with pytest.raises(InputError, match=r"shape \(3,\); allowed: \(2,\)"):
        vector.step(np.zeros(3, dtype=np.int64))
    with pytest.raises(InputError, match="snapshot is"):
        vector.restore(GridworldVector(EMPTY, [0], seed=3).snapshot())


def test_the_compiled_seed_is_that_of_numpy() -> None:
    draws = np.random.default_rng(1).integers(0, 2**32, (300, 3)).tolist()
    for numbers in [[0, 0, 0], [1, 2, 3], [2**32 - 1] * 3, *draws]:
        assert compiled_episode_seed(*numbers) == episode_seed(*numbers)


def test_draws_are_those_of_splitmix64() -> None:
    word = make_word(1234567)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    for number in published:  # of the seed 1234567, after Vigna's splitmix64.c
        assert below(word, 1000) == (number >> 32) * 1000 >> 32
