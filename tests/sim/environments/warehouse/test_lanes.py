# SPDX-License-Identifier: Apache-2.0
"""Robots as lanes of our own training."""

import numpy as np
import pytest

from sim.environments.interface import ObservationKind
from sim.environments.make import interface_of, is_compiled, make_environments
from sim.environments.names import resolve
from sim.environments.warehouse.lanes import WarehouseLanes
from sim.errors import InputError


def test_a_policy_is_told_of_planes_as_channels_of_a_grid() -> None:
    found = interface_of("warehouse-4")
    assert found.kind is ObservationKind.GRID
    assert (found.shape, found.actions, found.categories) == ((7, 7, 4), 5, (2, 2, 2, 2))
    lanes = make_environments("warehouse-4", range(8), 0)
    assert isinstance(lanes, WarehouseLanes)
    assert lanes.interface == found
    seen = lanes.reset()
    assert (seen.shape, seen.dtype) == ((8, 7, 7, 4), np.uint8)


def test_a_world_is_the_same_in_any_group() -> None:
    both, second = (make_environments("warehouse-2", lanes, 7) for lanes in (range(4), range(2, 4)))
    np.testing.assert_array_equal(both.reset()[2:], second.reset())
    rng = np.random.default_rng(0)
    for _ in range(250):
        actions = rng.integers(0, 5, 4)
        for many, one in zip(both.step(actions), second.step(actions[2:]), strict=True):
            np.testing.assert_array_equal(many[2:], one)


def test_lanes_of_a_world_end_together_and_go_on_from_a_snapshot() -> None:
    lanes, other = (make_environments("warehouse-4", range(8), 1) for _ in range(2))
    lanes.reset()
    rng, begun = np.random.default_rng(0), 0
    for step in range(203):
        if step == 150:
            other.restore(lanes.snapshot())
        actions = rng.integers(0, 5, 8)
        steps = lanes.step(actions)
        if step >= 150:
            for one, two in zip(steps, other.step(actions), strict=True):
                np.testing.assert_array_equal(one, two)
        assert steps.truncated.reshape(2, 4).all(1).tolist() == [step == 199] * 2
        begun += int(steps.begins.sum())
    assert begun == 8


@pytest.mark.parametrize("lanes", [range(3), range(6), [0, 1, 3, 4], [1, 0, 2, 3]])
def test_parts_of_worlds_are_refused(lanes: list[int]) -> None:
    with pytest.raises(InputError, match="warehouse-4: neighbouring ones, a multiple of 4"):
        make_environments("warehouse-4", lanes, 0)


def test_names_and_actions_that_there_are_not_are_refused() -> None:
    with pytest.raises(InputError, match=r"warehouse-3.*allowed: warehouse-1, warehouse-2"):
        interface_of("warehouse-3")
    with pytest.raises(InputError, match="its robots are lanes"):
        resolve("warehouse-4")
    with pytest.raises(InputError, match="every robot of a warehouse is a lane"):
        is_compiled("warehouse-4", "gymnasium")
    lanes = make_environments("warehouse-2", range(2), 0)
    lanes.reset()
    for actions in (np.zeros(3, int), np.array([0, 5]), np.array([0.0, np.nan])):
        with pytest.raises(InputError, match="action"):
            lanes.step(actions)
