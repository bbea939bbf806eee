# SPDX-License-Identifier: Apache-2.0
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from agents.learning.learner import Learner
from agents.learning.metrics import Metrics
from agents.learning.options import StateMode
from agents.learning.rollout import Rollout
from agents.policies.options import CoreName
from agents.policies.policy import load_arrays
from tests.agents.learning.cases import collected, decided, small

MEMORIES = [CoreName.QFWP, CoreName.QFWP_BOUNDED, CoreName.FWP_GATED, CoreName.DELTA, CoreName.LSTM]


class Learnt(NamedTuple):
    metrics: Metrics
    actor: torch.Tensor  # gradients of the heads
    critic: torch.Tensor
    rollout: Rollout


def learnt(core: CoreName, state: str, algorithm: str = "vtrace", moved: float = 0.0) -> Learnt:
    """One update from the fourth rollout; the parameters may have moved since they acted."""
    setup = small(core, state=state, algorithm=algorithm, burn_in_steps=8, clip_norm=None)
    learner = Learner(setup)
    load_arrays(learner.policy, decided(learner))
    rollout = collected(setup, learner.weights(), 4)[-1]
    with torch.no_grad():
        for parameter in learner.policy.parameters():
            parameter.add_(moved)
    metrics = learner.update([rollout])
    gradients = [learner.policy.actor.weight.grad, learner.policy.critic.weight.grad]
    assert all(gradient is not None for gradient in gradients)
    return Learnt(metrics, gradients[0].clone(), gradients[1].clone(), rollout)  # type: ignore[union-attr]


def losses(metrics: Metrics) -> list[float]:
    return [metrics.policy_loss, metrics.value_loss, metrics.entropy]


@pytest.mark.parametrize("core", MEMORIES)
@pytest.mark.parametrize("algorithm", ["vtrace", "ppo"])
def test_without_lag_all_memories_but_none_are_that_of_the_actor(
    core: CoreName, algorithm: str
) -> None:
    stored, *others = (learnt(core, mode, algorithm) for mode in ("stored", "burn_in", "episode"))
    assert abs(stored.metrics.kl) < 1e-6
    for other in others:
        assert abs(other.metrics.kl) < 1e-6
        assert other.metrics.staleness == pytest.approx(0, abs=1e-6)
        assert losses(other.metrics) == pytest.approx(losses(stored.metrics), abs=1e-5)
        torch.testing.assert_close(other.actor, stored.actor, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(other.critic, stored.critic, rtol=1e-4, atol=1e-5)
    zero = learnt(core, "zero", algorithm)
    assert abs(zero.metrics.kl) > 1e-4
    assert losses(zero.metrics) != pytest.approx(losses(stored.metrics), abs=1e-4)
    assert zero.metrics.staleness is stored.metrics.staleness is None


@pytest.mark.parametrize("core", MEMORIES)
@pytest.mark.parametrize("state", ["burn_in", "episode"])
def test_a_memory_is_stale_once_the_parameters_have_moved(core: CoreName, state: str) -> None:
    found = learnt(core, state, moved=0.1).metrics
    assert found.staleness is not None
    assert 1e-3 < found.staleness < 10
    assert abs(found.kl) > 1e-5


def test_gradients_of_the_core_reach_back_only_in_episode_mode() -> None:
    norms = [learnt(CoreName.LSTM, mode).metrics.gradient_norm for mode in ("stored", "episode")]
    assert norms[0] != pytest.approx(norms[1], rel=1e-3)


@pytest.mark.parametrize("state", [StateMode.ZERO, StateMode.STORED])
def test_the_modes_that_run_nothing_again_send_no_history(state: StateMode) -> None:
    assert {one.history for one in histories(state=state)} == {0}


def test_burn_in_is_rounded_up_to_whole_rollouts() -> None:
    for steps, wanted in ((1, 6), (6, 6), (7, 12), (13, 18)):
        found = [one.history for one in histories(state="burn_in", burn_in_steps=steps)]
        assert found == [min(6 * number, wanted) for number in range(6)]


def test_the_history_of_an_episode_is_where_the_longest_running_one_began() -> None:
    lengths = set()
    for one in histories(state="episode"):
        lead, running = one.begins[:, : one.history], ~one.begins[:, one.history]
        begun = [np.flatnonzero(lead[lane])[-1] for lane in np.flatnonzero(running)]
        assert min(begun, default=0) == 0
        assert one.history == 0 or running.any()
        assert not one.state.any() or one.history == 0
        lengths.add(one.history)
    assert len(lengths) > 2


def histories(**learn: Any) -> list[Rollout]:
    setup = small(**learn)
    return collected(setup, Learner(setup).weights(), 6)
