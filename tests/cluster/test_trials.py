# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from cluster.failures import MAX_ATTEMPTS, on_lost_worker
from cluster.testing import draw, explode, total
from cluster.trials import Finished, Shared, Trial, run_here, run_trials, trial_rng


def test_the_generator_depends_on_seed_and_key_alone() -> None:
    first = trial_rng(0, "i000-r010/milp").random()
    assert trial_rng(0, "i000-r010/milp").random() == first
    assert trial_rng(1, "i000-r010/milp").random() != first
    assert trial_rng(0, "i000-r010/fcfs").random() != first


def test_the_generator_is_the_same_in_every_version() -> None:
    drawn = trial_rng(7, "i003-r050/local_search").integers(1000, size=4)
    assert drawn.tolist() == [834, 364, 561, 248]


def test_finished_trials_are_skipped_and_failures_returned() -> None:
    trials = [Trial("a", draw, {}), Trial("bug", explode, {}), Trial("c", draw, {})]
    seen: list[Finished] = []
    failed = run_trials(trials, 0, run_here({}), {"a"}, seen.append)
    assert [finished.key for finished in seen] == ["bug", "c"]
    assert [finished.key for finished in failed] == ["bug"]
    assert "ZeroDivisionError: a bug" in str(failed[0].error)


def test_shared_values_are_filled_in() -> None:
    trial = Trial("a", total, {"table": Shared("numbers")})
    (finished,) = run_here({"numbers": np.arange(4)})([trial], 0)
    assert finished.result is not None
    assert finished.result.record["total"] == 6.0


def test_keys_must_differ() -> None:
    with pytest.raises(ValueError, match="trial keys repeat: a"):
        run_trials([Trial("a", draw, {})] * 2, 0, run_here({}), (), lambda _: None)


def test_a_lost_worker_is_retried_a_bounded_number_of_times() -> None:
    decisions = [on_lost_worker("t", n, "killed") for n in range(1, MAX_ATTEMPTS + 1)]
    assert [decision.retry for decision in decisions] == [True, True, False]
    assert decisions[0].reason == "t: the worker died (killed) in attempt 1 of 3"
