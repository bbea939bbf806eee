# SPDX-License-Identifier: Apache-2.0
"""Pictures of the episodes that a policy plays."""

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.film import film
from sim.environments.interface import Observations
from sim.environments.make import make_environments
from sim.errors import InputError

SEED, LANE = 3, 5


def leftwards(_: Observations, begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.zeros(len(begins), np.int64)


def lengths(name: str, episodes: int) -> list[int]:
    """Of the first episodes of the lane."""
    vector = make_environments(name, [LANE], SEED, "gymnasium")
    vector.reset()
    found, count = [], 0
    while len(found) < episodes:
        steps = vector.step(np.zeros(1, np.int64))
        count += not steps.begins[0]
        if steps.terminated[0] or steps.truncated[0]:
            found.append(count)
            count = 0
    return found


def test_the_episodes_are_those_of_the_lane_with_a_picture_before_each_action() -> None:
    shown = film("CartPole-v1", leftwards, 3, SEED, LANE, 1000)
    assert [len(pictures) - 1 for pictures in shown.episodes] == lengths("CartPole-v1", 3)
    assert shown.per_s == 50
    picture = shown.episodes[0][0]
    assert (picture.shape, picture.dtype) == ((400, 600, 3), np.uint8)
    assert not np.array_equal(picture, shown.episodes[0][-1])


def test_the_player_sees_what_a_policy_sees() -> None:
    seen: list[Observations] = []

    def look(observations: Observations, begins: NDArray[np.bool_]) -> NDArray[np.int64]:
        seen.append(observations)
        assert begins[0] == (len(seen) == 1)
        return np.array([2])

    shown = film("MiniGrid-Empty-5x5-v0", look, 1, SEED, LANE, 6)
    assert len(shown.episodes[0]) == 6
    vector = make_environments("MiniGrid-Empty-5x5-v0", [LANE], SEED, "gymnasium")
    np.testing.assert_array_equal(seen[0], vector.reset())
    np.testing.assert_array_equal(seen[1], vector.step(np.array([2])).observations)


def test_no_episode_begins_when_there_are_enough_pictures() -> None:
    first = lengths("CartPole-v1", 1)[0]
    assert len(film("CartPole-v1", leftwards, 3, SEED, LANE, first + 1).episodes) == 1
    cut = film("CartPole-v1", leftwards, 3, SEED, LANE, first + 3).episodes
    assert [len(pictures) for pictures in cut] == [first + 1, 2]


@pytest.mark.parametrize("name", ["bandit-4", "popgym-RepeatFirstEasy-v0"])
def test_what_cannot_be_drawn_is_said_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' cannot be drawn: it has no pictures"):
        film(name, leftwards, 1, SEED, LANE, 10)


class Blank(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Draws words."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (as Gymnasium has it)
    observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, object] | None = None,
    ) -> tuple[NDArray[np.float32], dict[str, object]]:
        super().reset(seed=seed, options=options)
        return np.zeros(1, np.float32), {}

    def render(self) -> str:  # type: ignore[override]
        return "a room"


def test_words_are_no_picture() -> None:
    gymnasium.register("Blank-v0", Blank)
    try:
        with pytest.raises(InputError, match="cannot be drawn: it draws str, not pixels"):
            film("Blank-v0", leftwards, 1, SEED, LANE, 10)
    finally:
        del gymnasium.registry["Blank-v0"]
