# SPDX-License-Identifier: Apache-2.0
"""What an actor did, the learner can do again from the rows: the meaning of a rollout."""

import numpy as np
import pytest
import torch

from agents.learning.collecting import Row, counting
from agents.learning.learner import Learner
from agents.learning.rollout import Rollout, stack
from agents.policies.options import CoreName
from agents.policies.policy import Policy, load_arrays
from tests.agents.learning.cases import collected, decided, small
from tests.agents.learning.worlds import CUT_OFF, FAULTY, TERMINATES


def log_probs_again(policy: Policy, rollout: Rollout) -> np.ndarray:
    said = policy.unroll(
        torch.from_numpy(rollout.observations),
        torch.from_numpy(rollout.state),
        torch.from_numpy(rollout.begins),
        rollout.actions.shape[1] + 1,
    )
    every = said.logits[:, :-1].log_softmax(-1).detach().numpy()
    return np.take_along_axis(every, rollout.actions[..., None], -1)[..., 0]


@pytest.mark.parametrize("core", CoreName)
@pytest.mark.parametrize("state", ["stored", "burn_in", "episode"])
def test_unrolling_the_rows_gives_the_probabilities_of_acting(core: CoreName, state: str) -> None:
    setup = small(core, state=state, burn_in_steps=8)
    learner = Learner(setup)
    load_arrays(learner.policy, decided(learner))
    rollouts = collected(setup, learner.weights(), 4)
    inside = [one.begins[:, 1:] for one in rollouts]
    assert min(begins.any(1).sum() for begins in inside) >= 2  # boundaries in most lanes
    for rollout in rollouts:
        again = log_probs_again(learner.policy, rollout)
        assert again.std() > 0.1
        np.testing.assert_allclose(again, rollout.log_probs, atol=2e-5)


def test_rows_follow_one_another_through_rollouts() -> None:
    setup = small()
    first, second = collected(setup, Learner(setup).weights(), 2)
    np.testing.assert_array_equal(first.observations[:, -1], second.observations[:, 0])
    np.testing.assert_array_equal(first.begins[:, -1], second.begins[:, 0])
    begins = np.concatenate([first.begins[:, :-1], second.begins], 1)
    ended = np.concatenate([one.terminated | one.truncated for one in (first, second)], 1)
    valid = np.concatenate([first.valid, second.valid], 1)
    rewards = np.concatenate([first.rewards, second.rewards], 1)
    closing = np.concatenate([np.zeros((5, 1), bool), ended[:, :-1]], 1)
    np.testing.assert_array_equal(valid, ~closing)
    assert not rewards[closing].any()
    np.testing.assert_array_equal(begins[:, 0], True)
    np.testing.assert_array_equal(begins[:, 1:], closing)


def test_returns_and_lengths_are_those_of_whole_episodes() -> None:
    setup = small(environment=TERMINATES)
    rollouts = collected(setup, Learner(setup).weights(), 3)
    # 18 calls are 4 episodes of 3 actions and a closing row, and 2 actions more.
    assert [len(one.returns) for one in rollouts] == [5, 10, 5]
    for rollout in rollouts:
        assert set(rollout.returns) == {6.0}
        assert set(rollout.lengths) == {3}
    assert rollouts[0].steps == 5 * 5


@pytest.mark.parametrize(
    ("environment", "targets"), [(TERMINATES, (2.75, 3.5, 3.0)), (CUT_OFF, (3.25, 4.5, 5.0))]
)
@pytest.mark.parametrize("algorithm", ["ppo", "vtrace", "a3c"])
def test_a_terminated_episode_ends_at_nothing_and_a_cut_off_one_at_its_value(
    environment: str, targets: tuple[float, ...], algorithm: str
) -> None:
    """By hand: rewards 1, 2, 3, discount 1/2, every value 4.

    Terminated: 3, 2 + 3/2, 1 + 3.5/2. Cut off: 3 + 4/2, 2 + 5/2, 1 + 4.5/2.
    """
    learn = {"discount": 0.5, "gae_lambda": 1.0, "normalise": False, "entropy": 0.0}
    setup = small(environment=environment, algorithm=algorithm, **learn)
    learner = Learner(setup)
    with torch.no_grad():
        learner.policy.critic.weight.zero_()
        learner.policy.critic.bias.fill_(4.0)
        learner.policy.actor.weight.zero_()
    [rollout] = collected(setup, learner.weights(), 1)
    # Six rows: the episode, its closing row, and two rows of the next, which goes on at 4.
    going_on = (1 + (2 + 4 / 2) / 2, 2 + 4 / 2)
    advantages = np.array([*targets, *going_on]) - 4
    metrics = learner.update([rollout])
    # Each of two actions has the probability 1/2; the surrogate has ratio 1.
    weight = -1 if algorithm == "ppo" else np.log(2)
    half = 1.0 if algorithm == "a3c" else 0.5
    assert metrics.policy_loss == pytest.approx(weight * advantages.mean())
    assert metrics.value_loss == pytest.approx(half * (advantages**2).mean())


def test_what_broke_is_counted_and_not_learnt_from() -> None:
    setup = small(environment=FAULTY)
    rollouts = collected(setup, Learner(setup).weights(), 60)
    broken = 0
    for one in rollouts:
        assert np.isfinite(one.observations).all()
        assert np.isfinite(one.rewards).all()
        for lane, last in np.argwhere(one.begins[:, 1:]):
            if one.valid[lane, last]:  # an episode may only begin after a closing row
                pytest.fail(f"row {last} of lane {lane} broke and counts")
            before = one.terminated[lane, last - 1] | one.truncated[lane, last - 1]
            if last and not before:
                broken += 1
                begun = np.flatnonzero(one.begins[lane, : last + 1])
                first = begun[-1] if len(begun) else 0
                assert not one.valid[lane, first : last + 1].any()
    counted = sum(one.broken for one in rollouts)
    # Those of a first row cannot be told from closing rows here.
    assert counted >= broken > 10
    assert all(one.broken == 0 for one in rollouts if one.valid.all())


def test_a_fault_after_a_last_action_costs_the_next_episode_and_not_the_finished_one() -> None:
    def flags(*on: int) -> np.ndarray:
        return np.isin(np.arange(6), on)[None]

    nothing = np.zeros((1, 6))
    rows = Row(
        observations=nothing,
        begins=flags(0, 4),
        actions=nothing,
        log_probs=nothing,
        rewards=nothing,
        terminated=flags(2),
        truncated=flags(),
        closing=flags(3),
        broken=flags(3),
    )
    assert counting(rows).tolist() == [[True, True, True, False, True, True]]
    assert counting(rows._replace(broken=flags(5))).tolist() == [[True] * 3 + [False] * 3]
    early = rows._replace(begins=flags(4), closing=flags(), broken=flags(1))
    assert counting(early).tolist() == [[False, False, True, True, True, True]]


def test_shorter_histories_are_led_in_without_a_trace() -> None:
    setup = small(state="episode")
    learner = Learner(setup)
    load_arrays(learner.policy, decided(learner))
    rollouts = collected(setup, learner.weights(), 6)
    assert len({one.history for one in rollouts}) > 1
    batch = stack(rollouts)
    whole = Rollout(
        **{
            name: getattr(batch, name)
            for name in Rollout.__dataclass_fields__
            if hasattr(batch, name) and name != "history"
        },
        version=0,
        index=0,
        returns=np.zeros(0, np.float32),
        lengths=np.zeros(0, np.int64),
        broken=0,
    )
    assert whole.history == max(one.history for one in rollouts)
    again = log_probs_again(learner.policy, whole)
    np.testing.assert_allclose(again, batch.log_probs, atol=2e-5)
