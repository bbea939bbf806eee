# SPDX-License-Identifier: Apache-2.0
"""Batches of warehouses: seeds, episodes, masks, snapshots, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.distances import NO_CELL, breadth_first, neighbour_table
from sim.environments.warehouse.batch import WarehouseBatch, WarehouseSteps
from sim.environments.warehouse.options import WarehouseOptions, options_of
from sim.errors import InputError
from sim.warehouse.chance import world_keys
from sim.warehouse.rules import Gait

SHORT: dict[str, Any] = {
    "robots": 3, "max_steps": 12, "delays": {"kind": "fractional", "share": 0.2},
    "orders": {"orders_per_tick": 0.5, "hot_zones": 1},
}  # fmt: skip


def _batch(worlds: list[int], seed: int = 5, **chosen: Any) -> WarehouseBatch:
    return WarehouseBatch(options_of(**chosen), world_keys(seed, worlds))


def _actions(batch: WarehouseBatch, count: int, seed: int = 0) -> np.ndarray:
    most = batch.options.rules.num_actions
    return np.random.default_rng(seed).integers(0, most, (count, *batch.shape))


def _same(one: WarehouseSteps, other: WarehouseSteps) -> None:
    for name, array in one.observations.items():
        np.testing.assert_array_equal(array, other.observations[name])
    for left, right in zip(one[1:], other[1:], strict=True):
        np.testing.assert_array_equal(left, right)


def _world(steps: WarehouseSteps, world: int) -> WarehouseSteps:
    seen = {name: array[world : world + 1] for name, array in steps.observations.items()}
    return WarehouseSteps(seen, *(array[world : world + 1] for array in steps[1:]))


@pytest.mark.parametrize("gait", Gait)
@pytest.mark.parametrize("ticks", [1, 3])
def test_what_is_masked_out_is_refused(gait: Gait, ticks: int) -> None:
    batch = _batch([0, 1, 2, 3], gait=gait, ticks_per_action=ticks, robots=8, max_steps=100)
    masked = 0
    for actions in _actions(batch, 400):
        masks, busy = batch.action_masks(), batch.view.fleet.doing != 0
        steps = batch.step(actions)
        out = ~np.take_along_axis(masks, actions[:, :, None], 2)[:, :, 0]
        out &= ~busy & ~steps.begins[:, None]
        assert steps.refused[out].all()
        masked += int(out.sum())
    assert masked > 300


def test_in_mid_action_a_robot_may_go_on_or_wait() -> None:
    batch = _batch([0], gait="turning", ticks_per_action=4, robots=2)
    batch.step(np.array([[2, 3]]))
    np.testing.assert_array_equal(
        batch.action_masks()[0], [[True, False, True, False], [True, False, False, True]]
    )


def test_a_world_does_not_depend_on_its_neighbours() -> None:
    together, alone = _batch([0, 1, 2], **SHORT), _batch([1], **SHORT)
    ends = 0
    for actions in _actions(together, 40):
        many, one = together.step(actions), alone.step(actions[1:2])
        _same(_world(many, 1), one)
        ends += int(one.truncated.sum())
    assert ends == 3


def test_an_episode_does_not_depend_on_those_before_it() -> None:
    """A finite stream ends sooner or later, depending on the actions; the next begins the same."""
    work = {"orders_per_tick": 3.0, "errands_min": 1, "errands_max": 1, "backlog": True}
    chosen = {**SHORT, "order_ticks": 1, "orders": work, "max_steps": 5000}
    one, other = _batch([4], **chosen), _batch([4], **chosen)
    lengths = []
    for batch, seed in ((one, 1), (other, 2)):
        draws = iter(_actions(batch, 5000, seed))
        count = 0
        while not batch.step(next(draws)).terminated.any():
            count += 1
        lengths.append(count)
    assert lengths[0] != lengths[1]
    for actions in _actions(one, 25, 3):
        _same(one.step(actions), other.step(actions))


def test_other_seeds_and_other_episodes_begin_elsewhere() -> None:
    batch = _batch([0, 1], **SHORT)
    first = batch.view.fleet.cell.copy()
    assert (first[0] != first[1]).any()
    batch.next_episode()
    assert (batch.view.fleet.cell != first).any(1).all()
    batch.reset()
    np.testing.assert_array_equal(batch.view.fleet.cell, first)


def test_an_episode_ends_at_its_limit_and_begins_at_the_next_step() -> None:
    batch = _batch([0], **SHORT)
    steps = [batch.step(actions) for actions in _actions(batch, 26)]
    truncated = [bool(step.truncated[0]) for step in steps]
    begins = [bool(step.begins[0]) for step in steps]
    assert [n for n, flag in enumerate(truncated) if flag] == [11, 24]
    assert [n for n, flag in enumerate(begins) if flag] == [12, 25]
    assert not any(step.terminated[0] for step in steps)
    np.testing.assert_array_equal(steps[12].rewards, 0)


def test_rewards_are_of_errands_orders_and_steps() -> None:
    batch = _batch([0, 1], robots=4, errand_reward=8.0, order_reward=32.0, step_cost=0.25)
    rewards = np.concatenate([batch.step(actions).rewards for actions in _actions(batch, 400)])
    assert set(np.unique(rewards)) == {np.float32(x) for x in (-0.25, 7.75, 39.75)}


def test_ways_are_paid_by_how_much_shorter_they_get() -> None:
    paid = {"errand_reward": 0.0, "order_reward": 0.0, "step_cost": 0.0, "way_reward": 0.5}
    batch = _batch([0, 1], robots=4, max_steps=50, **paid)
    neighbours, moved = neighbour_table(batch.layout), set()
    for actions in _actions(batch, 120):
        goals, before = batch.view.goals[:, :, 0], batch.view.fleet.cell.copy()
        steps = batch.step(actions)
        for world, robot in np.ndindex(batch.shape):
            way = breadth_first(neighbours, int(goals[world, robot]), NO_CELL)
            after = batch.view.fleet.cell[world, robot]
            less = 0 if steps.begins[world] else way[before[world, robot]] - way[after]
            assert steps.rewards[world, robot] == 0.5 * less
            moved.add(int(less))
    assert moved == {-1, 0, 1}


@pytest.mark.parametrize("observation", ["local", "global", "graph"])
def test_a_snapshot_in_mid_episode_has_the_same_future(observation: str) -> None:
    chosen = {**SHORT, "observation": observation, "gait": "turning", "ticks_per_action": 2}
    batch, other = _batch([0, 1], **chosen), _batch([0, 1], **chosen)
    draws = _actions(batch, 60)
    for actions in draws[:19]:
        batch.step(actions)
    other.restore(batch.snapshot())
    np.testing.assert_array_equal(other.action_masks(), batch.action_masks())
    for actions in draws[19:]:
        _same(batch.step(actions), other.step(actions))


def test_a_snapshot_of_another_batch_is_refused() -> None:
    batch = _batch([0, 1], **SHORT)
    shot = batch.snapshot()
    for other in (_batch([0], **SHORT), _batch([0, 1], seed=6, **SHORT)):
        with pytest.raises(InputError, match="keys"):
            other.restore(shot)
    with pytest.raises(InputError, match="episode"):
        batch.restore({name: array for name, array in shot.items() if name != "episode"})


@pytest.mark.parametrize(
    "actions",
    [
        np.zeros((2, 4), int), np.zeros((1, 3), int), np.zeros(3, int), np.full((2, 3), 5),
        np.full((2, 3), -1), np.full((2, 3), 1000), np.full((2, 3), np.nan), np.zeros((2, 3)),
        np.full((2, 3), None), np.full((2, 3), "1"),
    ],
)  # fmt: skip
def test_garbage_actions_are_refused_and_nothing_changes(actions: np.ndarray) -> None:
    batch, other = _batch([0, 1], **SHORT), _batch([0, 1], **SHORT)
    with pytest.raises(InputError, match="action"):
        batch.step(actions)
    good = _actions(batch, 1)[0]
    _same(batch.step(good), other.step(good))


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"robots": 0}, "robots is 0"),
        ({"robots": 2.5}, "robots is 2.5"),
        ({"robots": 1000}, "robots is 1000; allowed: 1 to 59, the cells"),
        ({"gait": "hopping"}, "gait is 'hopping'; allowed: turning, sliding"),
        ({"ticks_per_action": 0}, "ticks_per_action is 0"),
        ({"observation": "all"}, "observation is 'all'; allowed: local, global, graph"),
        ({"radius": 65}, "radius is 65"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"order_ticks": -1}, "order_ticks is -1"),
        ({"pool_size": -1}, "pool_size is -1"),
        ({"step_cost": float("nan")}, "step_cost is nan"),
        ({"errand_reward": "1"}, "errand_reward is '1'"),
        ({"robot": 3}, "option is 'robot'; allowed: map, floor"),
        ({"orders": {"rate": 3}}, "option is 'orders.rate'"),
        ({"orders": {"orders_per_tick": float("nan")}}, "orders_per_tick is nan"),
        ({"delays": {"kind": "rare"}}, "delays.kind is 'rare'"),
        ({"delays": {"share": 2.0}}, "share is 2.0"),
        ({"delays": {"share": "x"}}, "delays.* are"),
        ({"delays": 3}, "delays is 3"),
        ({"floor": {"rack_rows": 0}}, "rack_rows is 0"),
    ],
)
def test_bad_options_are_named(chosen: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        _batch([0], **chosen)


def test_a_map_file_is_read_and_its_largest_area_used(tmp_path: Path) -> None:
    path = tmp_path / "two-rooms.map"
    path.write_text("type octile\nheight 2\nwidth 5\nmap\n..@..\n@.@..\n")
    batch = _batch([0], map=str(path), robots=4)
    assert sorted(batch.view.fleet.cell[0].tolist()) == [3, 4, 8, 9]
    with pytest.raises(InputError, match="robots is 5"):
        _batch([0], map=str(path), robots=5)
    with pytest.raises(InputError, match=r"missing\.map"):
        _batch([0], map=str(tmp_path / "missing.map"))


def test_no_keys_are_refused() -> None:
    with pytest.raises(InputError, match="worlds is 0"):
        WarehouseBatch(WarehouseOptions(), world_keys(0, []))
