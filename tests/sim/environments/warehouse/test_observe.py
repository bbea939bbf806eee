# SPDX-License-Identifier: Apache-2.0
"""What robots see, compiled and slowly."""

import numpy as np
import pytest

from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.observe import FEATURES
from sim.environments.warehouse.observe_reference import (
    edges_reference,
    floor_reference,
    local_reference,
    masks_reference,
    vector_reference,
)
from sim.environments.warehouse.options import Observation, options_of
from sim.warehouse.chance import world_keys
from sim.warehouse.rules import Gait

WORLDS, ROBOTS = 2, 6


def _living(observation: Observation, gait: Gait, ticks: int) -> WarehouseBatch:
    """Some robots have no goal, some are delayed, and where moves take time some drive."""
    options = options_of(
        observation=observation, gait=gait, ticks_per_action=ticks, robots=ROBOTS, radius=3,
        neighbours=7, pool_size=4, delays={"kind": "markov", "share": 0.2},
    )  # fmt: skip
    batch, rng = WarehouseBatch(options, world_keys(3, [0, 1])), np.random.default_rng(0)
    for _ in range(40):
        batch.step(rng.integers(0, options.rules.num_actions, batch.shape))
    return batch


@pytest.mark.parametrize("gait", Gait)
@pytest.mark.parametrize("ticks", [1, 3])
def test_compiled_observations_are_the_slow_ones(gait: Gait, ticks: int) -> None:
    for observation in Observation:
        batch = _living(observation, gait, ticks)
        rng, rules = np.random.default_rng(1), batch.options.rules
        for _ in range(20 if observation is Observation.LOCAL else 5):
            seen = batch.step(rng.integers(0, rules.num_actions, batch.shape)).observations
            for world in range(WORLDS):
                if "floor" in seen:
                    slow = floor_reference(batch.layout, rules, batch.view, world)
                    np.testing.assert_array_equal(seen["floor"][world], slow)
                for robot in range(ROBOTS):
                    _compare_robot(batch, seen, world, robot)


def _compare_robot(
    batch: WarehouseBatch, seen: dict[str, np.ndarray], world: int, robot: int
) -> None:
    layout, rules, view = batch.layout, batch.options.rules, batch.view
    place = world, robot
    if "planes" in seen:
        slow = local_reference(layout, rules, view, *place, batch.options.radius)
        np.testing.assert_array_equal(seen["planes"][place], slow)
    if "robots" in seen:
        vector = vector_reference(layout, rules, view, *place)
        np.testing.assert_allclose(seen["robots"][place], vector, atol=1e-6)
    if "neighbours" in seen:
        numbers, mask, offsets = edges_reference(layout, view, *place, 7)
        assert seen["neighbours"][place].tolist() == numbers
        assert seen["mask"][place].tolist() == mask == [1] * 5 + [0] * 2
        np.testing.assert_allclose(seen["offsets"][place], offsets, atol=1e-6)
    may = masks_reference(layout, rules, view, *place)
    np.testing.assert_array_equal(batch.action_masks()[place], may)


def test_the_comparison_has_seen_goals_claims_and_delays() -> None:
    batch, rng = _living(Observation.GRAPH, Gait.TURNING, 3), np.random.default_rng(1)
    seen, claims = [], 0
    for _ in range(20):
        seen.append(batch.step(rng.integers(0, 4, batch.shape)).observations["robots"])
        claims += int(batch.show.whole(batch.view)[:, batch.show.planes.index("claimed")].sum())
    assert claims > 0
    for name in ("has_goal", "delayed", "progress"):
        column = np.array(seen)[:, :, :, FEATURES.index(name)]
        assert 0 < (column > 0).sum() < column.size, name


def test_following_nearer_cells_leads_to_the_goal() -> None:
    options = options_of(robots=1, errand_reward=1.0, order_reward=0.0, step_cost=0.0)
    batch = WarehouseBatch(options, world_keys(0, [0]))
    planes, paid = batch.reset()["planes"], 0.0
    for _ in range(200):
        radius = options.radius
        beside = [(radius - 1, radius), (radius, radius + 1), (radius + 1, radius)]
        beside.append((radius, radius - 1))
        nearer = [planes[0, 0, 3][place] for place in beside]
        action = 1 + int(np.argmax(nearer)) if any(nearer) else 0
        steps = batch.step(np.array([[action]]))
        planes, paid = steps.observations["planes"], paid + float(steps.rewards.sum())
    assert paid > 20
