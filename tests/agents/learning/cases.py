# SPDX-License-Identifier: Apache-2.0
"""Small setups, and policies that are far from indifferent."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.learning.actor import Actor
from agents.learning.learner import Learner
from agents.learning.options import ActOptions, LearnOptions, Setup
from agents.learning.rollout import Arrays, Rollout
from agents.policies.options import CoreName, PolicyOptions
from tests.agents.learning.worlds import RAGGED


def small(core: CoreName = CoreName.LSTM, environment: str = RAGGED, **learn: Any) -> Setup:
    """One group of five lanes, rollouts of six rows, one step of the optimizer per update."""
    return Setup(
        environment,
        steps=10_000,
        policy=PolicyOptions(core=core, match_params=200),
        act=ActOptions(groups=1, lanes=5, unroll_steps=6),
        learn=replace(LearnOptions(epochs=1, minibatches=1), **learn),
    )


def decided(learner: Learner) -> Arrays:
    """Its weights, moved far enough from the first ones that every action has its own odds."""
    rng = np.random.default_rng(1)
    return {
        name: value + rng.normal(0, 0.5, value.shape).astype(np.float32)
        for name, value in learner.weights().items()
    }


def collected(setup: Setup, weights: Arrays, count: int) -> list[Rollout]:
    """The first rollouts of group 0."""
    actor = Actor(setup, 0)
    return [actor.collect(weights, 0) for _ in range(count)]


def assert_same(left: dict[str, NDArray[Any]], right: dict[str, NDArray[Any]]) -> None:
    """Bit for bit."""
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert value.dtype == right[name].dtype
        np.testing.assert_array_equal(value, right[name], err_msg=name)
