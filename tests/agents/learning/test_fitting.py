# SPDX-License-Identifier: Apache-2.0
"""Training and judging for a budget: the same arguments give the same, and nothing is kept."""

from dataclasses import replace

import numpy as np
import pytest

from agents.learning.fitting import Place, begin, fit, judge, unlearned
from agents.learning.options import ActOptions, LearnOptions, Setup
from agents.learning.rollout import Arrays
from agents.policies.options import CoreName, PolicyOptions
from sim.errors import InputError

SETUP = Setup(
    "identity-3",
    steps=1,
    policy=PolicyOptions(CoreName.MLP, match_params=100),
    act=ActOptions(1, 8, 16),
    learn=LearnOptions(learning_rate=0.03, final_share=1.0, minibatches=2),
)
HERE = [Place("identity-3", 8)]


def same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


def distance(one: Arrays, other: Arrays) -> float:
    return float(np.sqrt(sum(((one[name] - other[name]) ** 2).sum() for name in one)))


def test_a_budget_teaches_and_is_judged_by_other_episodes() -> None:
    weights = begin(SETUP)
    before = judge(SETUP, weights, HERE, episodes=4).returns.mean()
    found = fit(SETUP, weights, HERE, updates=12)
    after = judge(SETUP, found.arrays, HERE, episodes=4)
    assert after.returns.shape == (32,)
    assert before < 0.7
    assert after.returns.mean() > 0.95
    assert before < found.mean_return < after.returns.mean()
    assert (found.acted, found.learnt) == (0, 0)  # no circuits


def test_the_same_arguments_give_the_same_and_the_seed_counts() -> None:
    weights = begin(SETUP)
    kept = {name: value.copy() for name, value in weights.items()}
    first = fit(SETUP, weights, HERE, updates=2)
    again = fit(SETUP, weights, HERE, updates=2)
    assert same(first.arrays, again.arrays)
    assert first[1:] == again[1:]
    assert same(weights, kept)
    other = fit(replace(SETUP, seed=1), weights, HERE, updates=2)
    assert not same(first.arrays, other.arrays)


def test_a_return_is_that_of_the_episodes_that_began() -> None:
    """One update of an unlearned policy in a world whose episodes pay nothing but at the goal."""
    place = Place("MiniGrid-Empty-5x5-v0", 4)
    setup = replace(SETUP, environment=place.environment, act=ActOptions(1, 4, 16))
    found = fit(setup, unlearned(setup, 0), [place], updates=1)  # turns on the spot
    assert found.mean_return == 0.0
    assert found.steps == 64


def test_several_places_are_one_batch() -> None:
    worlds = [Place("MiniGrid-Empty-5x5-v0", 3), Place("MiniGrid-SimpleCrossingS9N1-v0", 5)]
    setup = replace(SETUP, environment=worlds[0].environment)
    found = fit(setup, begin(setup), worlds, updates=2)
    assert 8 * 30 < found.steps <= 8 * 32  # rows after a last action are not learnt from
    played = judge(setup, found.arrays, worlds, episodes=2)
    assert played.returns.shape == (16,)
    assert (played.lengths[6:].max(), played.lengths[:6].max()) <= (324, 100)


def test_the_proximal_term_holds_the_policy_back() -> None:
    weights = begin(SETUP)
    moved = [distance(fit(SETUP, weights, HERE, 4, mu).arrays, weights) for mu in (0, 10, 1000)]
    assert moved[0] > moved[1] > moved[2] > 0


def test_circuits_are_counted_forward() -> None:
    policy = PolicyOptions(CoreName.QFWP)
    setup = replace(SETUP, policy=policy, act=ActOptions(1, 8, 4))
    found = fit(setup, begin(setup), HERE, updates=2)
    epochs = setup.learn.epochs
    assert found.acted == 8 * 4 * 2
    assert found.learnt == (1 + epochs) * 8 * (4 + 1) * 2  # and the row after the last


def test_who_looks_at_nothing_takes_one_action_or_any() -> None:
    """In the identity world every observation wants another of the three actions."""
    always, never = unlearned(SETUP, 1), unlearned(SETUP, None)
    for arrays in (always, never):
        played = judge(SETUP, arrays, HERE, 8, greedy=False)
        assert 0.25 < played.returns.mean() < 0.42
        likeliest = judge(SETUP, arrays, HERE, 8, greedy=True)
        assert np.array_equal(played.returns, likeliest.returns) == (arrays is always)


def test_what_cannot_be_is_refused() -> None:
    weights = begin(SETUP)
    with pytest.raises(InputError, match="updates is 0; allowed: 1 or more"):
        fit(SETUP, weights, HERE, 0)
    with pytest.raises(InputError, match="places is 0; allowed: one or more"):
        fit(SETUP, weights, [], 1)
    with pytest.raises(InputError, match="lanes is 0"):
        Place("identity-3", 0)
    with pytest.raises(InputError, match=r"'identity-4' has .*; allowed beside identity-3: "):
        fit(SETUP, weights, [Place("identity-4", 2)], 1)
    with pytest.raises(InputError, match="episodes is 0"):
        judge(SETUP, weights, HERE, 0)
    fast = replace(SETUP, learn=replace(SETUP.learn, learning_rate=1e38))
    with pytest.raises(InputError, match="learning_rate is too high"):
        fit(fast, weights, HERE, 3)
