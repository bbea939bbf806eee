# SPDX-License-Identifier: Apache-2.0
"""Gymnasium's environments in one loop: the rows of their episodes, and exact continuation."""

import io
import logging
from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.interface import Observations, Steps, VectorEnvironment
from sim.environments.make import make_environments
from sim.environments.seeds import episode_seed
from sim.errors import InputError
from tests.sim.environments.failing import scripted

# By the time limit of a wrapper, by its own, with a dictionary to look at, by its own end.
NAMES = [
    "MountainCar-v0",
    "MiniGrid-DoorKey-5x5-v0",
    "popgym-AutoencodeEasy-v0",
    "CartPole-v1",
]
SEED = 11


def _make(name: str, lanes: range | list[int] = range(3), seed: int = SEED) -> VectorEnvironment:
    return make_environments(name, lanes, seed, "gymnasium")


def _actions(vector: VectorEnvironment, steps: int) -> NDArray[np.int64]:
    draws = np.random.default_rng(5).integers(0, vector.interface.actions, (steps, vector.count))
    return draws.astype(np.int64)


def _same(left: Steps, right: Steps) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


Row = tuple[object, float, bool, bool, bool]


def _by_hand(name: str, lane: int, actions: NDArray[np.int64]) -> Iterator[Row]:
    """The rows of one lane, from the environment that ``gymnasium.make`` builds."""
    environment = gymnasium.make(name)
    over, episode = True, 0
    for action in [0, *actions]:
        if over:
            shown, _ = environment.reset(seed=episode_seed(SEED, lane, episode))
            episode += 1
            yield shown, 0.0, False, False, True
            over = False
        else:
            shown, reward, end, cut, _ = environment.step(action)
            yield shown, float(reward), end, cut, False
            over = end or cut


def _flat(name: str, shown: object) -> Observations:
    if isinstance(shown, dict):
        return np.asarray(shown["image"])
    if name.startswith("popgym"):
        assert isinstance(shown, tuple)
        return np.concatenate([np.eye(2)[shown[0]], np.eye(4)[shown[1]]])
    return np.asarray(shown)


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_are_those_of_a_plain_loop(name: str) -> None:
    vector = _make(name)
    actions = _actions(vector, 260)
    hands = [list(_by_hand(name, lane, actions[:, lane])) for lane in range(3)]
    first = vector.reset()
    rows = [vector.step(action) for action in actions]
    for lane, hand in enumerate(hands):
        np.testing.assert_array_equal(first[lane], _flat(name, hand[0][0]))
        for row, (shown, reward, end, cut, begins) in zip(rows, hand[1:], strict=True):
            np.testing.assert_array_equal(row.observations[lane], _flat(name, shown))
            assert row.rewards[lane] == np.float32(reward)
            assert (row.terminated[lane], row.truncated[lane]) == (end, cut)
            assert row.begins[lane] == begins
    assert any(row.begins.any() for row in rows)
    assert not any(row.broken.any() for row in rows)


def test_a_lane_does_not_care_who_is_beside_it() -> None:
    together, alone = _make("CartPole-v1", [4, 9]), _make("CartPole-v1", [9])
    np.testing.assert_array_equal(together.reset()[1:], alone.reset())
    for action in _actions(together, 100):
        for a, b in zip(together.step(action), alone.step(action[1:]), strict=True):
            np.testing.assert_array_equal(a[1:], b)


def test_what_was_returned_stays_as_it_is() -> None:
    vector = _make("CartPole-v1")
    first = vector.reset()
    kept = first.copy()
    steps = vector.step(np.ones(3, np.int64))
    shown = steps.observations.copy()
    vector.step(np.ones(3, np.int64))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(steps.observations, shown)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [0, 7, 137])
def test_a_restored_vector_goes_on_exactly(name: str, at: int) -> None:
    vector = _make(name)
    vector.reset()
    actions = _actions(vector, 260)
    for action in actions[:at]:
        vector.step(action)
    file = io.BytesIO()
    np.savez(file, **vector.snapshot())  # type: ignore[arg-type]
    file.seek(0)
    after = [vector.step(action) for action in actions[at:]]
    with np.load(file, allow_pickle=False) as snapshot:
        other = _make(name)
        other.restore(dict(snapshot))
        for key, array in other.snapshot().items():
            np.testing.assert_array_equal(array, snapshot[key])
    for action, steps in zip(actions[at:], after, strict=True):
        _same(other.step(action), steps)


def test_a_vector_is_restored_between_two_episodes() -> None:
    vector = _make("bandit-2", [0])
    vector.reset()
    vector.step(np.array([0]))
    other = _make("bandit-2", [0])
    other.restore(vector.snapshot())
    assert other.step(np.array([0])).begins.all()
    _same(other.step(np.array([1])), (vector.step(np.array([0])), vector.step(np.array([1])))[1])


@pytest.mark.parametrize(("lanes", "seed", "named"), [([0, 2], SEED, "lanes"), ([0, 1], 5, "seed")])
def test_a_snapshot_of_others_is_refused(lanes: list[int], seed: int, named: str) -> None:
    with pytest.raises(InputError, match=named):
        _make("CartPole-v1", [0, 1]).restore(_make("CartPole-v1", lanes, seed).snapshot())


def test_a_snapshot_of_another_engine_is_refused() -> None:
    name = "MiniGrid-Empty-5x5-v0"
    with pytest.raises(InputError, match="digests"):
        _make(name).restore(make_environments(name, range(3), SEED, "compiled").snapshot())


def test_an_environment_that_ignores_its_seed_is_told_when_restored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    vector = scripted(lambda reset, step: (reset + step, 0.0))
    vector.reset()
    vector.step(np.array([0]))
    snapshot = vector.snapshot()
    with caplog.at_level(logging.WARNING):
        vector.restore(snapshot)
    assert "does not obey its seed; lane 7" in caplog.text
    steps = vector.step(np.array([0]))
    assert steps.begins.all()
    assert steps.broken.all()
    assert not vector.step(np.array([0])).broken.any()
