# SPDX-License-Identifier: Apache-2.0
"""The warehouse in PettingZoo, by its own checkers."""

import warnings
from typing import Any

import numpy as np
import pytest

from sim.environments.warehouse.parallel import WarehouseParallelEnv, parallel_env
from sim.errors import InputError

with warnings.catch_warnings():
    # PettingZoo 1.27's own tests import one of its games by the way that it deprecates.
    warnings.filterwarnings("ignore", "The old environment creation API", DeprecationWarning)
    from pettingzoo.test import parallel_api_test
    from pettingzoo.test.seed_test import parallel_seed_test

VIEWS = ["local", "global", "graph"]


@pytest.mark.parametrize("observation", VIEWS)
def test_pettingzoo_checks_the_environment(observation: str) -> None:
    env = parallel_env(observation=observation, max_steps=30)
    parallel_api_test(env, num_cycles=100)


@pytest.mark.parametrize("gait", ["turning", "sliding"])
def test_pettingzoo_finds_it_repeats_by_seed(gait: str) -> None:
    def build() -> WarehouseParallelEnv:
        return parallel_env(gait=gait, delays={"kind": "independent"})

    parallel_seed_test(build, num_cycles=30)


@pytest.mark.parametrize("observation", VIEWS)
def test_observations_are_in_their_space_and_masks_of_use(observation: str) -> None:
    env = parallel_env(observation=observation, robots=3, max_steps=20)
    seen, infos = env.reset(seed=4)
    while env.agents:
        actions = {}
        for name in env.agents:
            assert seen[name] in env.observation_space(name)
            actions[name] = int(env.action_space(name).sample(infos[name]["action_mask"]))
        seen, paid, ended, cut, infos = env.step(actions)
        assert set(paid) == set(ended) == set(cut) == set(infos) == set(env.possible_agents)
    assert all(cut.values())
    assert not any(ended.values())
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_it_lives_like_the_team_of_gymnasium() -> None:
    import gymnasium

    from sim.environments.warehouse import ID

    apart, team = parallel_env(robots=3), gymnasium.make(ID, robots=3)
    apart.reset(seed=9)
    team.reset(seed=9)
    for action in np.random.default_rng(0).integers(0, 5, (50, 3)):
        seen, paid, *_ = apart.step(dict(zip(apart.agents, action.tolist(), strict=True)))
        planes, reward, *_ = team.step(action)
        np.testing.assert_array_equal(np.stack(list(seen.values())), planes)
        assert sum(paid.values()) == pytest.approx(reward)
    assert apart.state().shape == (4, 9, 13)


@pytest.mark.parametrize(
    "actions",
    [{}, {"robot_0": 0}, {"robot_0": 0, "robot_2": 0}, {"robot_0": 0, "robot_1": 5},
     {"robot_0": 0, "robot_1": float("nan")}, {"robot_0": 0, "robot_1": 0, "robot_2": 0}],
)  # fmt: skip
def test_garbage_actions_are_refused(actions: dict[str, Any]) -> None:
    env = parallel_env(robots=2)
    env.reset(seed=0)
    with pytest.raises(InputError, match="action"):
        env.step(actions)
