# SPDX-License-Identifier: Apache-2.0
import dataclasses
import io

import numpy as np
import pytest

from agents.learning.actor import Actor
from agents.learning.learner import Learner
from agents.learning.options import StateMode
from agents.learning.rollout import Arrays, Rollout
from agents.policies.options import CoreName
from tests.agents.learning.cases import assert_same, decided, small
from tests.agents.learning.worlds import FAULTY, RAGGED


def through_a_file(arrays: Arrays) -> Arrays:
    """As plain arrays: what needs pickle is refused."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        return dict(loaded)


def fields(rollout: Rollout) -> Arrays:
    return {name: np.asarray(value) for name, value in dataclasses.asdict(rollout).items()}


@pytest.mark.parametrize(
    "environment", ["MiniGrid-Empty-5x5-v0", "CartPole-v1", RAGGED, FAULTY, "memory-length-3"]
)
@pytest.mark.parametrize("state", StateMode)
def test_an_actor_goes_on_from_the_position_of_another(environment: str, state: StateMode) -> None:
    setup = small(CoreName.FWP, environment, state=state, burn_in_steps=8)
    weights = decided(Learner(setup))
    first = Actor(setup, 1)
    for version in range(3):
        first.collect(weights, version)
    position = through_a_file(first.position)
    other = Actor(setup, 1)
    other.collect(weights, 0)  # wherever it stands
    other.restore(position)
    for version in range(3, 6):
        wanted, found = (fields(actor.collect(weights, version)) for actor in (first, other))
        assert_same(found, wanted)
    assert_same(other.position, first.position)


def test_a_position_is_not_changed_by_who_goes_on() -> None:
    setup = small(state="episode")
    weights = Learner(setup).weights()
    actor = Actor(setup, 0)
    actor.collect(weights, 0)
    position = actor.position
    kept = {name: value.copy() for name, value in position.items()}
    actor.collect(weights, 0)
    assert_same(position, kept)
    other = Actor(setup, 0)
    other.restore(position)
    other.collect(weights, 0)
    assert_same(position, kept)


def test_groups_have_environments_and_randomness_of_their_own() -> None:
    setup = small()
    weights = Learner(setup).weights()
    one, other = (Actor(setup, group).collect(weights, 0) for group in (0, 1))
    again = Actor(setup, 0).collect(weights, 0)
    assert_same(fields(again), fields(one))
    assert not np.array_equal(one.observations, other.observations)
    assert not np.array_equal(one.actions, other.actions)


def test_weights_in_a_shared_memory_cannot_be_written_and_need_not() -> None:
    setup = small()
    weights = decided(Learner(setup))
    wanted = Actor(setup, 0).collect(weights, 0)
    for value in weights.values():
        value.setflags(write=False)
    assert_same(fields(Actor(setup, 0).collect(weights, 0)), fields(wanted))


def test_a_rollout_does_not_change_when_its_actor_goes_on() -> None:
    setup = small(state="episode")
    weights = Learner(setup).weights()
    actor = Actor(setup, 0)
    rollout = actor.collect(weights, 0)
    kept = {name: value.copy() for name, value in fields(rollout).items()}
    actor.collect(weights, 1)
    assert_same(fields(rollout), kept)
