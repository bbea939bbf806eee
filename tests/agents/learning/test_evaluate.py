# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from agents.learning.evaluate import evaluate
from agents.learning.learner import Learner
from agents.policies.policy import Policy
from sim.errors import InputError
from tests.agents.learning.cases import small
from tests.agents.learning.worlds import CUT_OFF, FAULTY, RAGGED


def policy_for(environment: str) -> Policy:
    return Learner(small(environment=environment)).policy


def test_every_lane_plays_equally_many_episodes() -> None:
    """Counting the first that finish would prefer the short ones."""
    policy = policy_for(RAGGED)
    judged = evaluate(policy, RAGGED, 30, seed=1, lanes=10)
    assert len(judged.returns) == len(judged.lengths) == 30
    # Whoever plays them, and however many at a time, a lane has the episodes of its number.
    fewer = evaluate(policy, RAGGED, 10, seed=1, lanes=10)
    np.testing.assert_array_equal(fewer.lengths, judged.lengths.reshape(10, 3)[:, 0])
    many = evaluate(policy, RAGGED, 2000, seed=2, lanes=50)
    assert many.lengths.mean() == pytest.approx(5, abs=5 * many.lengths.std() / 2000**0.5)
    assert many.lengths.min() == 1
    assert many.lengths.max() == 9


def test_episodes_are_rounded_up_to_the_lanes_and_lanes_down_to_the_episodes() -> None:
    policy = policy_for(CUT_OFF)
    assert len(evaluate(policy, CUT_OFF, 11, seed=1, lanes=5).returns) == 15
    judged = evaluate(policy, CUT_OFF, 2, seed=1, lanes=5)
    assert judged.returns.tolist() == [6.0, 6.0]
    assert judged.lengths.tolist() == [3, 3]


def test_greedy_takes_the_best_and_sampling_what_is_likely() -> None:
    policy = policy_for("bandit-2")
    with torch.no_grad():
        policy.actor.weight.zero_()
        policy.actor.bias[:] = torch.tensor([0.0, np.log(3.0)])
    greedy = evaluate(policy, "bandit-2", 1000, seed=1).returns
    sampled = evaluate(policy, "bandit-2", 1000, seed=1, greedy=False).returns
    assert greedy.mean() == pytest.approx(0.9, abs=0.04)
    assert sampled.mean() == pytest.approx(0.75 * 0.9 + 0.25 * 0.1, abs=0.06)
    again = evaluate(policy, "bandit-2", 1000, seed=1, greedy=False).returns
    np.testing.assert_array_equal(sampled, again)


def test_an_episode_that_broke_is_no_return() -> None:
    judged = evaluate(policy_for(FAULTY), FAULTY, 60, seed=3, lanes=20)
    assert len(judged.returns) == 60
    assert np.isfinite(judged.returns).all()
    assert judged.lengths.min() >= 1
    assert judged.lengths.max() <= 9


def test_nothing_to_play_is_refused() -> None:
    with pytest.raises(InputError, match="episodes is 0; allowed: 1 or more"):
        evaluate(policy_for(CUT_OFF), CUT_OFF, 0, seed=1)
    with pytest.raises(InputError, match="lanes is 0; allowed: 1 or more"):
        evaluate(policy_for(CUT_OFF), CUT_OFF, 1, seed=1, lanes=0)
