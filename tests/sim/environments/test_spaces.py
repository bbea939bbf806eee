# SPDX-License-Identifier: Apache-2.0
"""What a policy sees of each kind of space, and which are refused."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sim.environments.interface import ObservationKind
from sim.environments.spaces import MINIGRID_CATEGORIES, Translation, translate
from sim.errors import InputError


class _Spaces(gymnasium.Env[Any, Any]):
    """Spaces, and nothing else."""

    def __init__(self, seen: spaces.Space[Any], moves: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = seen, moves


def _translate(
    seen: spaces.Space[Any] | None = None, moves: spaces.Space[Any] | None = None
) -> Translation:
    plain = spaces.Discrete(2)
    # Not by `or`: an empty Tuple is false.
    environment = _Spaces(plain if seen is None else seen, plain if moves is None else moves)
    return translate(environment, "Test-v0", 9)


PLANE = spaces.Box(-1.0, 1.0, (2, 2), np.float64)
COINS = spaces.MultiBinary(3)
DICE = spaces.MultiDiscrete([2, 3], start=[0, 1])
WEEK = spaces.Discrete(3, start=1)


@pytest.mark.parametrize(
    ("space", "seen", "expected"),
    [
        (PLANE, np.array([[1.0, 2.0], [3.0, 4.0]]), [1, 2, 3, 4]),
        (spaces.Box(-1.0, 1.0, (2,), np.float32), [0.5, -0.5], [0.5, -0.5]),
        (spaces.Box(-1.0, 1.0, (), np.float32), 0.5, [0.5]),
        (WEEK, 1, [1, 0, 0]),
        (WEEK, np.int64(3), [0, 0, 1]),
        (COINS, np.array([0, 1, 1]), [0, 1, 1]),
        (DICE, np.array([1, 3]), [0, 1, 0, 0, 1]),
        (spaces.Tuple([WEEK, COINS]), (2, np.array([1, 0, 0])), [0, 1, 0, 1, 0, 0]),
        (spaces.Dict({"b": WEEK, "a": COINS}), {"a": [0, 1, 0], "b": 3}, [0, 1, 0, 0, 0, 1]),
    ],
)
def test_a_vector_holds_measurements_and_one_hot_codes(
    space: spaces.Space[Any], seen: Any, expected: list[float]
) -> None:
    translation = _translate(space)
    assert translation.interface.kind is ObservationKind.VECTOR
    assert translation.interface.shape == (len(expected),)
    assert translation.interface.dtype == np.float32
    np.testing.assert_array_equal(translation.observe(seen), expected)


@pytest.mark.parametrize("seen", [0, 4, -1])
def test_a_code_outside_of_its_space_is_an_error(seen: int) -> None:
    with pytest.raises(ValueError, match="outside of its space"):
        _translate(WEEK).observe(seen)


def test_a_vector_of_another_length_is_an_error() -> None:
    observe = _translate(spaces.Box(-1.0, 1.0, (4,), np.float32)).observe
    with pytest.raises(ValueError, match="reshape"):
        observe(np.zeros(1, np.float32))  # would spread over all four otherwise


@pytest.mark.parametrize(("shape", "expected"), [((8, 6, 3), (8, 6, 3)), ((8, 6), (8, 6, 1))])
def test_bytes_in_a_plane_are_pixels(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    translation = _translate(spaces.Box(0, 255, shape, np.uint8))
    assert translation.interface.kind is ObservationKind.IMAGE
    assert translation.interface.shape == expected
    assert translation.observe(np.ones(shape, np.uint8)).shape == expected


def test_of_minigrid_the_view_alone_is_seen() -> None:
    view = spaces.Box(0, 255, (7, 7, 3), np.uint8)
    seen = spaces.Dict({"image": view, "direction": spaces.Discrete(4), "mission": spaces.Text(9)})
    translation = _translate(seen)
    assert translation.interface.kind is ObservationKind.GRID
    assert translation.interface.shape == (7, 7, 3)
    image = np.arange(147, dtype=np.uint8).reshape(7, 7, 3)
    shown = translation.observe({"image": image, "direction": 1, "mission": "go"})
    np.testing.assert_array_equal(shown, image)


def test_the_categories_are_those_of_minigrid() -> None:
    from minigrid.core import constants

    states = max(len(constants.STATE_TO_IDX), len(constants.DIR_TO_VEC))
    kinds = len(constants.OBJECT_TO_IDX), len(constants.COLOR_TO_IDX), states
    assert kinds == MINIGRID_CATEGORIES


def test_discrete_actions_count_from_their_start() -> None:
    translation = _translate(moves=WEEK)
    assert translation.interface.actions == 3
    assert translation.moves == (1, 2, 3)


def test_combinations_are_counted_with_the_last_number_first() -> None:
    translation = _translate(moves=DICE)
    assert translation.interface.actions == 6
    moves = [move.tolist() for move in translation.moves]
    assert moves == [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3]]
    assert all(move in DICE for move in translation.moves)


@pytest.mark.parametrize(
    "moves", [PLANE, spaces.MultiDiscrete([5, 13]), spaces.MultiDiscrete([2**40] * 9), COINS]
)
def test_other_actions_are_refused(moves: spaces.Space[Any]) -> None:
    with pytest.raises(InputError, match=r"'Test-v0' takes the actions .*; allowed: Discrete"):
        _translate(moves=moves)


@pytest.mark.parametrize(
    "seen",
    [
        spaces.Text(5),
        spaces.Tuple([WEEK, spaces.Text(5)]),
        spaces.Sequence(WEEK),
        spaces.Discrete(10**6),
        spaces.Tuple([]),
    ],
)
def test_other_observations_are_refused(seen: spaces.Space[Any]) -> None:
    with pytest.raises(InputError, match=r"'Test-v0' shows .*; allowed: Box"):
        _translate(seen)
