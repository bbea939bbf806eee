# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from agents.learning.evaluate import evaluate
from agents.learning.learner import Learner
from agents.learning.options import ActOptions, Algorithm, LearnOptions, Setup
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
    learn = LearnOptions(
        Algorithm(algorithm),
        learning_rate=3e-2 if algorithm == "vtrace" else 2e-2,
        discount=0.9,
        entropy=0.003,
        epochs=4,
        minibatches=2,
    )
    size = PolicyOptions(core, match_params=None if core.value.startswith("qfwp") else 300)
    return Setup(environment, steps, policy=size, act=ActOptions(1, 16, 16), learn=learn)


SOLVED = {"identity-4": 0.98, "bandit-5": 0.85}  # the optimum is 1, and 0.9 but for luck


@pytest.mark.parametrize("core", [CoreName.QFWP, CoreName.LSTM])
@pytest.mark.parametrize(
    ("environment", "algorithm", "steps"),
    [
        ("identity-4", "ppo", 6_000),
        ("identity-4", "vtrace", 16_000),
        ("bandit-5", "ppo", 2_000),
        ("bandit-5", "vtrace", 4_000),
    ],
)
def test_small_problems_are_solved_in_seconds(
    environment: str, algorithm: str, steps: int, core: CoreName
) -> None:
    setup = setup_for(environment, core, algorithm, steps)
    fresh = evaluate(Learner(setup).policy, environment, 512, seed=1, greedy=False)
    judged = evaluate(trained(setup).policy, environment, 512, seed=1)
    assert fresh.returns.mean() < 0.4
    assert judged.returns.mean() >= SOLVED[environment]


@pytest.mark.parametrize("core", [CoreName.FWP_GATED, CoreName.MLP])
def test_what_has_to_be_remembered_is_learnt_by_fast_weights_and_not_without(
    core: CoreName,
) -> None:
    learner = trained(setup_for("memory-length-3", core, "ppo", 12_000))
    mean = evaluate(learner.policy, "memory-length-3", 512, seed=1).returns.mean()
    assert mean >= 0.95 if core.remembers else abs(mean) < 0.25
