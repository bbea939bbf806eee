# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from agents.learning.evaluate import evaluate
from agents.learning.learner import Learner
from agents.learning.options import ActOptions, LearnOptions, Setup
from agents.learning.rollout import Arrays
from agents.learning.training import train_here
from agents.policies.options import CoreName, PolicyOptions
from tests.agents.learning.cases import assert_same
from tests.agents.learning.worlds import RAGGED


def trained(setup: Setup) -> Learner:
    learner, updates = train_here(setup)
    for one in updates:
        assert one.metrics.finite
        assert one.metrics.lag == 0
    return learner


def short(core: CoreName, seed: int) -> Arrays:
    setup = Setup(RAGGED, 200, seed, policy=PolicyOptions(core), act=ActOptions(2, 4, 8))
    return trained(setup).checkpoint()


@pytest.mark.parametrize("core", [CoreName.QFWP, CoreName.LSTM])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(core: CoreName) -> None:
    once, again, other = short(core, 3), short(core, 3), short(core, 4)
    assert_same(once, again)
    assert not np.array_equal(once["policy/actor.bias"], other["policy/actor.bias"])


def test_training_ends_with_the_steps_of_the_setup() -> None:
    setup = Setup("bandit-2", 100, act=ActOptions(2, 4, 8), policy=PolicyOptions(CoreName.MLP))
    learner, updates = train_here(setup)
    every = list(updates)
    # Every second row of a bandit is a closing one: 2 groups, 4 lanes and 8 rows are 32 actions.
    assert [one.metrics.steps for one in every] == [32, 64, 96, 128]
    assert [len(one.returns) for one in every] == [32] * 4
    assert {length for one in every for length in one.lengths} == {1}
    assert learner.updates == 4


def setup_for(environment: str, core: CoreName, algorithm: str, steps: int) -> Setup:
    rate = {"ppo": 1e-2, "vtrace": 3e-2}[algorithm]
    learn = LearnOptions(algorithm, learning_rate=rate, discount=0.9, entropy=0.003)  # type: ignore[arg-type]
    size = PolicyOptions(core, match_params=None if "qfwp" in core else 300)
    return Setup(environment, steps, 0, "auto", size, ActOptions(1, 16, 16), learn)


@pytest.mark.parametrize("core", [CoreName.QFWP, CoreName.LSTM])
@pytest.mark.parametrize("algorithm", ["ppo", "vtrace"])
@pytest.mark.parametrize(("environment", "steps"), [("identity-4", 16_000), ("bandit-5", 6_000)])
def test_small_problems_are_solved_in_seconds(
    environment: str, steps: int, core: CoreName, algorithm: str
) -> None:
    learner = trained(setup_for(environment, core, algorithm, steps))
    judged = evaluate(learner.policy, environment, 256, seed=1)
    optimum = {"identity-4": 1.0, "bandit-5": 0.9}[environment]
    error = math.sqrt(0.09 / 256)  # of a mean of the bandit's coin
    assert judged.returns.mean() >= optimum - (3 * error if environment == "bandit-5" else 0.02)


@pytest.mark.parametrize("core", [CoreName.QFWP_GATED, CoreName.MLP])
def test_what_has_to_be_remembered_is_learnt_by_fast_weights_and_not_without(
    core: CoreName,
) -> None:
    learner = trained(setup_for("memory-length-3", core, "ppo", 24_000))
    mean = evaluate(learner.policy, "memory-length-3", 256, seed=1).returns.mean()
    assert mean >= 0.95 if core.remembers else abs(mean) < 0.25
