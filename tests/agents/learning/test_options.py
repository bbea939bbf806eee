# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any

import pytest

from agents.learning.options import (
    ActOptions,
    Algorithm,
    LearnOptions,
    Setup,
    StateMode,
    paper_setup,
)
from sim.errors import InputError


def test_the_paper_s_constants_are_those_of_its_code() -> None:
    """Specification, 3.1 to 3.3."""
    setup = paper_setup(Setup("MiniGrid-Empty-5x5-v0", 1000, seed=7))
    learn, act = setup.learn, setup.act
    assert (setup.environment, setup.steps, setup.seed) == ("MiniGrid-Empty-5x5-v0", 1000, 7)
    assert (learn.algorithm, learn.state) == (Algorithm.A3C, StateMode.ZERO)
    assert (learn.learning_rate, learn.beta1, learn.beta2) == (1e-4, 0.92, 0.999)
    assert (learn.discount, learn.value_weight, learn.entropy) == (0.9, 1.0, 0.0)
    assert (learn.clip_norm, learn.final_share) == (None, 1.0)
    assert (act.lanes, act.unroll_steps) == (1, 5)
    assert (setup.policy.grid_encoding, setup.policy.initial_std) == ("raw", 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "dqn"}, "algorithm is 'dqn'; allowed: vtrace, ppo, a3c"),
        ({"state": "old"}, "state is 'old'; allowed: zero, stored, burn_in, episode"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; allowed: a positive number"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"discount": 1.1}, "discount is 1.1; allowed: 0 to 1"),
        ({"discount": math.nan}, "discount is nan"),
        ({"beta1": 1.0}, "beta1 is 1.0"),
        ({"entropy": -1.0}, "entropy is -1.0; allowed: 0 or more"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0"),
        ({"epochs": 0}, "epochs is 0; allowed: 1 or more"),
        ({"burn_in_steps": 0}, "burn_in_steps is 0"),
    ],
)
def test_bad_learning_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LearnOptions(**options)


def test_bad_acting_and_bad_setups_are_refused() -> None:
    with pytest.raises(InputError, match="groups is 0; allowed: 1 to 4096"):
        ActOptions(groups=0)
    with pytest.raises(InputError, match="steps is 0; allowed: 1 or more"):
        Setup("bandit-2", 0)
    with pytest.raises(InputError, match="minibatches is 9; allowed: at most 8, the lanes"):
        Setup("bandit-2", 1, act=ActOptions(2, 4), learn=LearnOptions(minibatches=9))
    assert Setup(
        "bandit-2", 1, act=ActOptions(2, 4), learn=LearnOptions(Algorithm.VTRACE, minibatches=9)
    )
