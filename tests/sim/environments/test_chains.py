# SPDX-License-Identifier: Apache-2.0
"""The small environments pay the right action, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest

from sim.environments.interface import Observations
from sim.environments.make import make_environments


def _returns(name: str, choose: Callable[[list[Observations]], int], episodes: int) -> list[float]:
    """Of a player that sees all observations of its episode."""
    vector = make_environments(name, [0], 3)
    seen, total, finished = [vector.reset()[0]], 0.0, []
    while len(finished) < episodes:
        steps = vector.step(np.array([choose(seen)]))
        seen = [steps.observations[0]] if steps.begins[0] else [*seen, steps.observations[0]]
        total = 0.0 if steps.begins[0] else total + float(steps.rewards[0])
        if steps.terminated[0]:
            finished.append(total)
    return finished


@pytest.mark.parametrize("length", [1, 2, 7])
def test_the_cue_is_worth_one_after_any_length(length: int) -> None:
    right = _returns(f"memory-length-{length}", lambda seen: int(seen[0][0] > 0), 20)
    wrong = _returns(f"memory-length-{length}", lambda seen: int(seen[0][0] < 0), 20)
    assert right == [1.0] * 20
    assert wrong == [-1.0] * 20


def test_the_cue_is_shown_once_and_the_query_at_the_end() -> None:
    vector = make_environments("memory-length-3", [0], 3)
    rows = [vector.reset()[0]] + [vector.step(np.array([0])).observations[0] for _ in range(4)]
    assert abs(rows[0][0]) == 1
    assert [float(row[0]) for row in rows[1:]] == [0.0] * 4
    assert [float(row[1]) for row in rows] == [0, 0, 0, 1, 0]
    np.testing.assert_allclose([row[2] for row in rows], [1, 2 / 3, 1 / 3, 0, 0], atol=1e-7)


def test_both_cues_occur() -> None:
    cues = make_environments("memory-length-1", range(40), 3).reset()[:, 0]
    assert 10 <= (cues > 0).sum() <= 30


def test_the_last_arm_is_the_best() -> None:
    means = [np.mean(_returns("bandit-3", lambda _, arm=arm: arm, 400)) for arm in range(3)]
    np.testing.assert_allclose(means, [0.1, 0.1, 0.9], atol=0.06)  # four standard errors


def test_what_is_seen_is_the_right_action() -> None:
    assert _returns("identity-3", lambda seen: int(seen[-1].argmax()), 20) == [1.0] * 20
    assert np.mean(_returns("identity-3", lambda _: 0, 100)) == pytest.approx(1 / 3, abs=0.08)
