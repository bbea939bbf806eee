# SPDX-License-Identifier: Apache-2.0
"""The warehouse in Gymnasium, by its own checkers."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from sim.environments.warehouse import ID
from sim.environments.warehouse.vector import WarehouseVectorEnv
from sim.errors import InputError

BUSY: dict[str, Any] = {"robots": 3, "max_steps": 15, "orders": {"orders_per_tick": 0.5}}
VIEWS = ["local", "global", "graph"]


@pytest.mark.parametrize("observation", VIEWS)
@pytest.mark.parametrize("gait", ["turning", "sliding"])
def test_gymnasium_checks_the_environment(observation: str, gait: str) -> None:
    check_env(gymnasium.make(ID, observation=observation, gait=gait, robots=3).unwrapped)


def test_one_robot_is_a_team_too() -> None:
    check_env(gymnasium.make(ID, observation="graph", robots=1).unwrapped)


@pytest.mark.parametrize("observation", VIEWS)
def test_the_vector_does_what_its_worlds_do_alone(observation: str) -> None:
    """Gymnasium's own vector of single worlds is the reference; both reset at the next step."""
    chosen = {**BUSY, "observation": observation}
    own = gymnasium.make_vec(ID, num_envs=3, **chosen)
    plain = gymnasium.make_vec(ID, num_envs=3, vectorization_mode="sync", **chosen)
    assert isinstance(own, WarehouseVectorEnv)
    assert own.metadata["autoreset_mode"] is plain.metadata["autoreset_mode"]
    for name in ("observation_space", "action_space"):
        assert getattr(own, name) == getattr(plain, name)
        assert getattr(own, f"single_{name}") == getattr(plain, f"single_{name}")
    _same(own.reset(seed=11), plain.reset(seed=11))
    own.action_space.seed(0)
    for _ in range(40):
        actions = own.action_space.sample()
        _same(own.step(actions), plain.step(actions))
    _same(own.reset(), plain.reset())
    _same(own.reset(seed=[3, 1, 4]), plain.reset(seed=[3, 1, 4]))
    own.close()
    plain.close()


def _same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            _same(one[key], other[key])
    elif isinstance(one, tuple):
        for left, right in zip(one, other, strict=True):
            _same(left, right)
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_observations_are_in_their_space_over_episodes() -> None:
    for observation in VIEWS:
        envs = gymnasium.make_vec(ID, num_envs=2, observation=observation, **BUSY)
        seen, infos = envs.reset(seed=1)
        for _ in range(35):
            assert seen in envs.observation_space
            masks = infos["action_mask"]
            assert masks.shape == (2, 3, 5)
            assert masks[:, :, 0].all()
            seen, _, _, _, infos = envs.step(envs.action_space.sample())


def test_the_mask_is_one_for_sample() -> None:
    env = gymnasium.make(ID, robots=4)
    _, info = env.reset(seed=0)
    for _ in range(50):
        action = env.action_space.sample(mask=tuple(info["action_mask"]))
        assert info["action_mask"][np.arange(4), action].all()
        info = env.step(action)[4]


def test_terminated_is_not_truncated() -> None:
    work = {"orders_per_tick": 0.5, "errands_min": 1, "errands_max": 1, "backlog": True}
    env = gymnasium.make(ID, robots=4, order_ticks=2, orders=work, max_steps=5000)
    env.reset(seed=0)
    env.action_space.seed(0)
    ended = cut = False
    while not (ended or cut):
        _, _, ended, cut, _ = env.step(env.action_space.sample())
    assert ended
    assert not cut
    with pytest.raises(ResetNeeded):
        env.unwrapped.step(env.action_space.sample())


def test_a_picture_shows_robots_and_goals() -> None:
    env = gymnasium.make(ID, robots=4, render_mode="rgb_array")
    env.reset(seed=0)
    drawn = env.render()
    assert isinstance(drawn, np.ndarray)
    assert drawn.shape == (9 * 12, 13 * 12, 3)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 5


def test_bad_options_and_seeds_are_named() -> None:
    with pytest.raises(InputError, match="option is 'robot'"):
        gymnasium.make(ID, robot=3)
    with pytest.raises(InputError, match="render_mode is 'human'"):
        gymnasium.make(ID, disable_env_checker=True).unwrapped.__class__(render_mode="human")
    with pytest.raises(InputError, match="num_envs is 0"):
        gymnasium.make_vec(ID, num_envs=0)
    with pytest.raises(InputError, match="seed"):
        gymnasium.make_vec(ID, num_envs=2).reset(seed=[1, 2, 3])  # type: ignore[arg-type]
