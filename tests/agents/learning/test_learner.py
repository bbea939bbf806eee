# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.learning.learner import Learner
from agents.learning.options import Setup, StateMode, paper_setup
from agents.learning.rollout import stack
from agents.learning.tensors import tensors_of
from agents.policies.options import CoreName
from agents.policies.policy import load_arrays
from sim.errors import InputError
from tests.agents.learning.cases import assert_same, collected, decided, small
from tests.agents.learning.test_actor import through_a_file


@pytest.mark.parametrize("core", [CoreName.QFWP_GATED, CoreName.LSTM])
@pytest.mark.parametrize("algorithm", ["ppo", "vtrace"])
def test_a_learner_goes_on_from_a_checkpoint(core: CoreName, algorithm: str) -> None:
    setup = small(core, algorithm=algorithm, epochs=2, minibatches=2)
    whole = Learner(setup)
    rollouts = collected(setup, whole.weights(), 5)
    for rollout in rollouts[:2]:
        whole.update([rollout])
    checkpoint = through_a_file(whole.checkpoint())
    resumed = Learner(setup)
    resumed.update([rollouts[4]])  # wherever it stands
    resumed.restore(checkpoint)
    assert_same(resumed.checkpoint(), checkpoint)
    for rollout in rollouts[2:]:
        assert whole.update([rollout]) == resumed.update([rollout])
    assert_same(resumed.checkpoint(), whole.checkpoint())


def test_a_fresh_learner_has_a_checkpoint_too() -> None:
    setup = small()
    one, other = Learner(setup), Learner(setup)
    [rollout] = collected(setup, one.weights(), 1)
    other.update([rollout])
    other.restore(one.checkpoint())
    assert one.update([rollout]) == other.update([rollout])
    assert_same(one.checkpoint(), other.checkpoint())


def test_a_checkpoint_of_another_policy_is_refused() -> None:
    checkpoint = Learner(small(CoreName.LSTM)).checkpoint()
    with pytest.raises(InputError, match=r"arrays do not fit this policy: without .*gru"):
        Learner(small(CoreName.GRU)).restore(checkpoint)


def test_learning_rate_and_entropy_bonus_fall_with_the_steps_learnt_from() -> None:
    setup = Setup(**{**vars(small(final_share=0.2, learning_rate=1e-2)), "steps": 60})
    learner = Learner(setup)
    rates = []
    for rollout in collected(setup, learner.weights(), 5):
        done = learner.steps
        learner.update([rollout])
        [group] = learner.optimizer.param_groups
        rates.append(group["lr"])
        assert group["lr"] == pytest.approx(1e-2 * (1 - 0.8 * min(1, done / 60)))
    assert rates[0] == 1e-2
    assert rates[-1] == pytest.approx(2e-3)


def test_lag_is_counted_in_updates() -> None:
    setup = small()
    learner = Learner(setup)
    old, new = collected(setup, learner.weights(), 2)
    learner.update([old])
    learner.update([old])
    found = learner.update([new, old])
    assert (found.lag, found.most_lag) == (2.0, 2)
    assert abs(found.kl) > 1e-6


def test_circuits_are_counted_whoever_needs_them() -> None:
    setup = small(CoreName.QFWP, epochs=3, minibatches=2)
    learner = Learner(setup)
    rollouts = collected(setup, learner.weights(), 2)
    # Once for the advantages and once per epoch, and each of 5 lanes has 6 rows and the one after.
    assert learner.update([rollouts[0]]).circuits == 4 * 5 * 7
    assert learner.update([rollouts[1]]).circuits == 4 * 5 * 7
    assert learner.circuits == 8 * 5 * 7


def test_the_paper_s_loss_is_the_one_of_its_code() -> None:
    """mean(td^2 - log pi(a) td), td the n-step return less the value (specification, 3.2)."""
    constants = paper_setup(small()).learn
    setup = replace(small(), learn=replace(constants, state=StateMode.STORED))
    learner = Learner(setup)
    load_arrays(learner.policy, decided(learner))
    [rollout] = collected(setup, learner.weights(), 1)
    tensors = tensors_of(stack([rollout]))
    said = learner.policy.unroll(tensors.observations, tensors.state, tensors.begins)
    values, log_probs = said.values.detach().numpy(), said.logits.log_softmax(-1).detach().numpy()
    terms = []
    for lane, row in np.argwhere(rollout.valid):
        total, factor, at = 0.0, 1.0, row
        while True:
            total, factor = total + factor * rollout.rewards[lane, at], factor * 0.9
            if rollout.terminated[lane, at]:
                break
            at += 1
            if rollout.truncated[lane, at - 1] or at == 6:
                total += factor * values[lane, at]
                break
        td = total - values[lane, row]
        terms.append(td**2 - log_probs[lane, row, rollout.actions[lane, row]] * td)
    assert learner.update([rollout]).loss == pytest.approx(np.mean(terms), rel=1e-5)


def test_a_batch_without_a_row_to_learn_from_leaves_numbers() -> None:
    setup = small(entropy=0.0)
    learner = Learner(setup)
    [rollout] = collected(setup, learner.weights(), 1)
    rollout.valid[:] = False
    before = learner.weights()
    found = learner.update([rollout])
    assert found.finite
    assert not math.isnan(found.loss)
    assert found.steps == 0
    assert_same(learner.weights(), before)


def test_parameters_that_are_no_numbers_are_told() -> None:
    setup = small()
    learner = Learner(setup)
    [rollout] = collected(setup, learner.weights(), 1)
    with torch.no_grad():
        learner.policy.critic.bias.fill_(math.nan)
    assert not learner.update([rollout]).finite
