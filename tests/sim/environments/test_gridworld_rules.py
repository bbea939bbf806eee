# SPDX-License-Identifier: Apache-2.0
"""minigrid itself is the slow reference: the same rooms, the same actions, the same outcomes."""

from typing import Any

import gymnasium
import minigrid  # noqa: F401  (registers its worlds)
import numpy as np
import pytest

from sim.environments.gridworld import NAMES
from sim.environments.gridworld.lanes import FORWARD, VIEW, Lanes, Rules, make_lanes
from sim.environments.gridworld.steps import observe, step
from sim.environments.gridworld.worlds import interface_of, rules_of

MOVES = np.array([0.15, 0.15, 0.5, 0.05, 0.05, 0.05, 0.05])  # forward often, or nobody arrives


def _load(env: Any, lanes: Lanes) -> None:
    """Lane 0 stands where minigrid's environment stands."""
    lanes.cells[0] = env.grid.encode()[:, :, 0]
    lanes.agent[0] = *env.agent_pos, env.agent_dir
    goal = (env.width - 2, env.height - 2)
    lanes.success[0] = getattr(env, "success_pos", goal)
    lanes.failure[0] = getattr(env, "failure_pos", (-1, -1))
    lanes.steps[0], lanes.over[0] = env.step_count, False


def _observe(rules: Rules, lanes: Lanes) -> np.ndarray:
    image = np.full((VIEW, VIEW, 3), 255, dtype=np.uint8)
    observe(rules, lanes, 0, image)
    return image


def _put_anywhere(env: Any, rng: np.random.Generator) -> None:
    """Random actions alone rarely come far: half of the time into the last columns."""
    first = int(rng.choice([1, _last_column(env) - 2]))
    columns, rows = range(first, env.width), range(env.height)
    free = [(i, j) for i in columns for j in rows if not env.grid.get(i, j)]
    env.agent_pos, env.agent_dir = free[rng.integers(len(free))], int(rng.integers(4))


def _last_column(env: Any) -> int:
    """Where the episode can end well."""
    return getattr(env, "success_pos", (env.width - 2, 0))[0]


def _play(env: Any, rules: Rules, rng: np.random.Generator) -> str:
    """One episode in both, equal at each step; how it ended."""
    lanes = make_lanes(1, rules.size)
    while True:
        action = int(rng.choice(7, p=MOVES))
        if env.step_count == 0:
            _load(env, lanes)
            np.testing.assert_array_equal(_observe(rules, lanes), env.gen_obs()["image"])
        seen, reward, terminated, truncated, _ = env.step(action)
        assert step(rules, lanes, 0, action) == (reward, terminated, truncated)
        np.testing.assert_array_equal(_observe(rules, lanes), seen["image"])
        assert lanes.over[0] == (terminated or truncated)
        if terminated or truncated:
            return "success" if reward > 0 else "failure" if terminated else "cut off"


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_that_of_minigrid(name: str) -> None:
    env, rng = gymnasium.make(name).unwrapped, np.random.default_rng(7)
    rules = rules_of(name)._replace(max_steps=50)
    env.max_steps = 50
    ends = set()
    for seed in range(24):
        env.reset(seed=seed)
        if seed % 4:
            _put_anywhere(env, rng)
        ends.add(_play(env, rules, rng))
    possible = {"success", "cut off"} | ({"failure"} if "Memory" in name else set())
    assert ends == possible


@pytest.mark.parametrize("name", NAMES)
def test_the_interface_is_that_of_minigrid(name: str) -> None:
    env, interface = gymnasium.make(name), interface_of(rules_of(name))
    assert interface.shape == env.observation_space["image"].shape
    assert interface.dtype == env.observation_space["image"].dtype
    assert interface.actions == env.action_space.n
    assert interface.max_steps == env.unwrapped.max_steps


def test_nothing_can_be_picked_up_or_moved() -> None:
    env = gymnasium.make("MiniGrid-MemoryS7-v0").unwrapped
    env.reset(seed=0)
    env.agent_pos, env.agent_dir = (1, 3), 3
    assert env.grid.get(1, 2).can_pickup()
    before = env.grid.encode()
    for action in (3, 4, 5, FORWARD):
        env.step(action)
    assert env.carrying is None
    np.testing.assert_array_equal(env.grid.encode(), before)
