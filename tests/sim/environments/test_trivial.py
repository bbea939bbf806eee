# SPDX-License-Identifier: Apache-2.0
"""What can be had without training."""

import numpy as np
import pytest

from sim.environments.gridworld.optimum import optimal_returns
from sim.environments.players import Known
from sim.environments.trivial import (
    _kind,
    best_constant,
    optimum_or_heuristic,
    play_trivial,
    random_return,
)
from sim.errors import InputError


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("CartPole-v1", 500),
        ("popgym-PositionOnlyCartPoleEasy-v0", 1),
        ("popgym-RepeatPreviousEasy-v0", 1),
        ("popgym-RepeatPreviousMedium-v0", 1),
        ("popgym-RepeatPreviousHard-v0", 1),
        ("popgym-RepeatFirstEasy-v0", 1),
        ("popgym-AutoencodeEasy-v0", 1),
        ("popgym-AutoencodeMedium-v0", 1),
        ("popgym-CountRecallEasy-v0", 1),
        ("popgym-CountRecallMedium-v0", 1),
        ("popgym-CountRecallHard-v0", 1),
        ("memory-length-6", 1),
        ("identity-5", 1),
    ],
)
def test_the_known_player_gets_all_there_is(name: str, most: float) -> None:
    played = optimum_or_heuristic(name, 8, 1)
    assert played is not None
    assert played.kind == "optimum"
    np.testing.assert_allclose(played.returns, np.full(8, most), rtol=1e-5)


def test_who_counts_cards_wins_half_of_the_bets() -> None:
    # By the rules alone: E|P(higher) - P(lower)| over the decks that are left, by simulation.
    rng, bets = np.random.default_rng(0), []
    for _ in range(300):
        deck = rng.permutation(np.repeat(np.arange(13), 4))
        for shown in range(1, 52):
            left = deck[shown:]
            here = deck[shown - 1]
            bets.append(abs((left > here).mean() - (left < here).mean()) * 51 / 52)
    played = optimum_or_heuristic("popgym-HigherLowerEasy-v0", 64, 1)
    assert played is not None
    assert played.returns.mean() == pytest.approx(np.mean(bets), abs=0.05)  # three standard errors


def test_a_ceiling_that_is_missed_proves_nothing() -> None:
    known = Known("a player", lambda: lambda _: 0, ceiling=1.0)
    assert _kind(known, np.array([1.0, 1.0])) == "optimum"
    assert _kind(known, np.array([1.0, 0.9])) == "heuristic"


def test_the_best_arm_is_found_and_judged_by_other_episodes() -> None:
    action, returns = best_constant("bandit-6", 200, 1)
    assert action == 5
    assert len(returns) == 224  # whole rounds of 32 lanes
    assert returns.mean() == pytest.approx(0.9, abs=0.08)  # four standard errors


def test_among_equal_actions_the_winner_is_not_overrated() -> None:
    # Each of 8 actions is right one time in eight; the luckiest of 8 means of 16 episodes is not.
    returns = [best_constant("identity-8", 32, seed)[1].mean() for seed in range(8)]
    assert np.mean(returns) == pytest.approx(1 / 8, abs=0.03)


def test_random_actions_are_paid_by_chance() -> None:
    assert random_return("identity-4", 320, 1).mean() == pytest.approx(0.25, abs=0.04)
    np.testing.assert_array_equal(random_return("bandit-3", 9, 5), random_return("bandit-3", 9, 5))
    assert (random_return("bandit-3", 40, 5) != random_return("bandit-3", 40, 6)).any()


def test_short_episodes_are_not_preferred() -> None:
    # Lengths of CartPole differ by ten times; half of the first to finish would be the short ones.
    few, many = random_return("CartPole-v1", 64, 3), random_return("CartPole-v1", 640, 3)
    assert few.mean() == pytest.approx(many.mean(), abs=4.5)  # three standard errors


def test_the_compiled_worlds_have_their_optimum() -> None:
    played = optimum_or_heuristic("MiniGrid-Empty-5x5-v0", 5, 1)
    assert played is not None
    np.testing.assert_allclose(played.returns, 0.955)
    played = optimum_or_heuristic("MiniGrid-MemoryS7-v0", 5, 1)
    assert played is not None
    bound = optimal_returns("MiniGrid-MemoryS7-v0", 200, 0).looking.mean()
    assert played.returns.mean() == pytest.approx(bound, abs=0.01)


def test_all_players_in_their_order() -> None:
    names = [played.kind for played in play_trivial("bandit-2", 16, 0)]
    assert names == ["random", "constant", "optimum"]
    names = [played.kind for played in play_trivial("FrozenLake-v1", 16, 0)]
    assert names == ["random", "constant"]


def test_no_episodes_are_refused() -> None:
    with pytest.raises(InputError, match="episodes is 0; allowed: 1 or more"):
        random_return("bandit-2", 0, 0)
