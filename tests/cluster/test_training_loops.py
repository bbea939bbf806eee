# SPDX-License-Identifier: Apache-2.0
"""Who waits for whom, with actors and a learner that do nothing and answer in any order."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agents.learning.options import ActOptions, Setup
from cluster.training.asynchronous import asynchronous
from cluster.training.crew import Collected
from cluster.training.synchronous import synchronous

STEPS = 5
"""Of a rollout."""
SETUP = Setup("CartPole-v1", steps=300, act=ActOptions(groups=4))
Rollout = tuple[int, int]
"""The group, and the version of the parameters that acted."""


class Players:
    """A crew and a learner: at each wait one of all who are asked answers, drawn at random.

    Args:
        slow: how many times as long as others the learner takes.
    """

    def __init__(self, seed: int, slow: float = 1.0, diverges_at: int | None = None) -> None:
        self.rng, self.slow, self.diverges_at = np.random.default_rng(seed), slow, diverges_at
        self.asked: list[Rollout] = []
        self.answered: list[Rollout] = []
        self.learnt: list[list[Rollout]] = []
        self.running: object = None
        self.is_done = False
        self.version = self.updates = 0
        self.weights = "weights 0"
        self.most = 0

    def ask(self, groups: Any) -> None:
        self.asked += [(group, self.version) for group in groups]
        assert len({group for group, _ in self.asked}) == len(self.asked), "one at a time"
        self.most = max(self.most, len(self.asked) + len(self.answered))

    def act_by(self, weights: str, version: int) -> None:
        assert weights == f"weights {version}"
        self.version = version

    def wait(self, other: object = None) -> list[Collected]:
        assert self.asked or other is not None, "it would wait for ever"
        learner = 1 / self.slow if other is not None else 0
        if self.rng.random() < learner / (learner + len(self.asked)):
            self.is_done = True
            return []
        one = self.asked.pop(int(self.rng.integers(len(self.asked))))
        self.answered.append(one)
        return [Collected(one[0], one)]

    def start(self, rollouts: list[Rollout]) -> None:
        assert self.running is None
        for one in rollouts:
            self.answered.remove(one)
        self.learnt.append(list(rollouts))
        self.running = object()

    def finish(self) -> Any:
        self.running, self.is_done = None, False
        self.updates += 1
        self.weights = f"weights {self.updates}"
        steps = STEPS * sum(map(len, self.learnt))
        finite = self.updates != self.diverges_at
        return SimpleNamespace(metrics=SimpleNamespace(steps=steps, finite=finite))

    @property
    def lags(self) -> list[int]:
        return [update - v for update, batch in enumerate(self.learnt) for _, v in batch]


def run(loop: Iterator[Any]) -> int:
    return len(list(loop))


def free(players: Any, rollouts: int, setup: Setup = SETUP) -> int:
    return run(asynchronous(players, players, setup, rollouts))


def bound(players: Any, setup: Setup = SETUP) -> int:
    return run(synchronous(players, players, setup))


@pytest.mark.parametrize("seed", range(5))
def test_whoever_answers_first_the_learner_sees_the_groups_in_their_order(seed: int) -> None:
    players = Players(seed)
    assert bound(players) == 300 / (4 * STEPS)
    assert players.learnt == [[(group, v) for group in range(4)] for v in range(15)]
    assert set(players.lags) == {0}


@pytest.mark.parametrize("rollouts", [1, 2, 4, 7])
@pytest.mark.parametrize("slow", [0.01, 1, 100])
def test_without_waiting_no_more_exists_than_is_learnt_soon(rollouts: int, slow: float) -> None:
    players = Players(3, slow)
    assert free(players, rollouts) == -(-300 // (rollouts * STEPS))
    assert {len(batch) for batch in players.learnt} == {rollouts}
    assert players.most <= rollouts + 4 - 1
    assert min(players.lags) >= 0


def test_behind_a_slow_learner_nothing_grows_older_than_behind_a_quick_one() -> None:
    """Every rollout meets the updates by the three other groups, whoever is slow."""
    quick, slow = Players(1, slow=0.01), Players(1, slow=100)
    assert free(quick, 1) == free(slow, 1)
    assert np.mean(slow.lags) <= np.mean(quick.lags)
    assert np.mean(quick.lags) == pytest.approx(3, abs=1)


def test_all_groups_are_heard() -> None:
    players = Players(2)
    free(players, 2)
    counts = np.bincount([group for batch in players.learnt for group, _ in batch])
    assert counts.min() > 0.5 * counts.max()


@pytest.mark.parametrize("loop", [bound, lambda players: free(players, 3)])
def test_it_ends_when_a_parameter_is_no_number(loop: Any) -> None:
    assert loop(Players(0, diverges_at=2)) == 2


def test_the_update_that_reaches_the_steps_is_the_last() -> None:
    assert bound(Players(0), replace(SETUP, steps=301)) == 16
    assert free(Players(0), 4, replace(SETUP, steps=299)) == 15
