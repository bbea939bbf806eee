# SPDX-License-Identifier: Apache-2.0
"""The best returns: known ones, ones found by trying every action, and ones that are played."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.gridworld import GridworldVector
from sim.environments.gridworld.lanes import BALL, EMPTY, KEY, WALL, make_lanes
from sim.environments.gridworld.optimum import optimal_returns
from sim.environments.gridworld.rooms import generate
from sim.environments.gridworld.steps import step
from sim.environments.gridworld.worlds import rules_of
from sim.environments.seeds import episode_seed
from sim.errors import InputError

LEFT, RIGHT, FORWARD = 0, 1, 2


@pytest.mark.parametrize(("size", "steps"), [(5, 5), (6, 7), (8, 11), (16, 27)])
def test_an_open_room_takes_its_two_sides_and_one_turn(size: int, steps: int) -> None:
    found = optimal_returns(f"MiniGrid-Empty-{size}x{size}-v0", 2, seed=0)
    np.testing.assert_allclose(found, 1 - 0.9 * steps / (4 * size**2))


def _best_by_trying(name: str, seed: int) -> float:
    """Spread through the rules themselves: every action from every pose reached, until paid."""
    rules = rules_of(name)
    lanes = make_lanes(1, rules.size)
    generate(rules, lanes, 0, seed)
    reached = {tuple(lanes.agent[0].tolist())}
    for taken in range(rules.max_steps):
        following = set()
        for pose in reached:
            for action in (LEFT, RIGHT, FORWARD):
                lanes.agent[0], lanes.steps[0] = pose, taken
                reward, terminated, _ = step(rules, lanes, 0, action)
                if reward > 0:
                    return reward
                if not terminated:
                    following.add(tuple(lanes.agent[0].tolist()))
        reached |= following
    raise AssertionError("never paid")


@pytest.mark.parametrize(
    "name",
    [
        "MiniGrid-Empty-Random-6x6-v0",
        "MiniGrid-SimpleCrossingS9N3-v0",
        "MiniGrid-SimpleCrossingS11N5-v0",
        "MiniGrid-MemoryS13Random-v0",
    ],
)
def test_informed_is_the_best_of_all_ways_to_play(name: str) -> None:
    expected = [_best_by_trying(name, episode_seed(3, 2, episode)) for episode in range(6)]
    np.testing.assert_allclose(optimal_returns(name, 6, seed=3, lane=2).informed, expected)


def _detour(x: int) -> int:
    """Actions that a look at the object costs from where the agent starts, facing right."""
    if x == 1:
        return 0  # beside it
    if x <= 4:
        return 2  # a glance to the left and back
    return 4 + 2 * max(0, x - 7)  # turn round twice, and walk until it is six cells ahead


def test_looking_costs_a_detour_from_most_starts() -> None:
    rules = rules_of("MiniGrid-MemoryS13-v0")
    found = optimal_returns("MiniGrid-MemoryS13-v0", 60, seed=1)
    lanes = make_lanes(1, rules.size)
    starts = []
    for episode in range(60):
        generate(rules, lanes, 0, episode_seed(1, 0, episode))
        starts.append(int(lanes.agent[0, 0]))
    assert set(starts) == set(range(1, 11))
    steps = np.array([(13 - 2 - x) + 2 for x in starts])
    np.testing.assert_allclose(found.informed, 1 - 0.9 * steps / rules.max_steps)
    longer = steps + [_detour(x) for x in starts]
    np.testing.assert_allclose(found.looking, 1 - 0.9 * longer / rules.max_steps)


def test_only_long_hallways_hide_the_object_from_the_fork() -> None:
    for size, hidden in [(7, False), (9, False), (11, True), (13, True)]:
        found = optimal_returns(f"MiniGrid-MemoryS{size}-v0", 20, seed=1)
        expected = found.informed / 2 if hidden else found.looking
        np.testing.assert_allclose(found.memoryless, expected)
    found = optimal_returns("MiniGrid-MemoryS17Random-v0", 60, seed=1)
    halves = np.isclose(found.memoryless, found.informed / 2)
    assert 0 < halves.sum() < 60
    np.testing.assert_allclose(found.memoryless[~halves], found.looking[~halves])


def _always_left(image: NDArray[np.uint8]) -> int:
    """Straight on, and up at the fork: this is no memory and no luck."""
    return FORWARD if image[3, 5, 0] == EMPTY else LEFT


def _look_back(image: NDArray[np.uint8], rng: np.random.Generator) -> int:
    """MemoryS7 by the present observation alone: turn round at the fork until it is clear."""
    kind = image[:, :, 0]
    if kind[3, 5] == WALL:
        return LEFT  # at the fork, facing the end wall
    if kind[1, 6] in (KEY, BALL) and kind[5, 6] in (KEY, BALL):  # at the fork, looking back
        return RIGHT if kind[4, 2] == kind[5, 6] else LEFT
    if kind[3, 4] in (KEY, BALL) and kind[2, 6] == EMPTY and rng.random() < 0.9:
        return LEFT  # at the fork, facing its upper end: mostly look back first
    return FORWARD


def _mean_return(name: str, policy, count: int = 256) -> float:
    vector = GridworldVector(name, range(count), seed=0)
    seen, total, running = vector.reset(), np.zeros(count), np.ones(count, dtype=bool)
    while running.any():
        steps = vector.step(np.array([policy(image) for image in seen]))
        total += np.where(running, steps.rewards, 0)
        running &= ~(steps.terminated | steps.truncated)
        seen = steps.observations
    return float(total.mean())


def test_the_memoryless_bound_of_a_long_hallway_is_reached_without_memory() -> None:
    bound = optimal_returns("MiniGrid-MemoryS11-v0", 200, seed=0).memoryless.mean()
    assert _mean_return("MiniGrid-MemoryS11-v0", _always_left) == pytest.approx(bound, abs=0.08)


def test_the_shortest_memory_world_is_solved_without_memory() -> None:
    rng = np.random.default_rng(0)
    assert _mean_return("MiniGrid-MemoryS7-v0", lambda image: _look_back(image, rng)) > 0.8


def test_no_episodes_are_refused() -> None:
    with pytest.raises(InputError, match="episodes is 0"):
        optimal_returns("MiniGrid-Empty-5x5-v0", 0, seed=0)
