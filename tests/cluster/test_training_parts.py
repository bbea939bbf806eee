# SPDX-License-Identifier: Apache-2.0
"""What a training decides and writes, without Ray."""

from dataclasses import replace

import numpy as np
import pytest

from agents.learning.metrics import Metrics
from agents.learning.options import Algorithm, LearnOptions, Setup, StateMode
from agents.learning.training import Trained
from cluster.failures import MAX_ATTEMPTS
from cluster.training.checkpoint import pack, unpack
from cluster.training.failures import Part, Remedy, on_lost
from cluster.training.records import in_words, row_of, rows_until, scalars
from cluster.training.standing import Standing
from sim.errors import InputError

SETUP = Setup("CartPole-v1", 1000)
METRICS = Metrics(
    update=1,
    steps=100,
    loss=1.0,
    policy_loss=0.5,
    value_loss=0.25,
    entropy=0.7,
    gradient_norm=2.0,
    lag=1.0,
    most_lag=2,
    kl=0.01,
    clipped=0.1,
    staleness=None,
    circuits=30,
    finite=True,
)


def test_an_actor_is_replaced_and_everything_else_goes_back_to_the_checkpoint() -> None:
    assert on_lost(Part.ACTOR, 1, "killed").remedy is Remedy.ASK_AGAIN
    assert on_lost(Part.LEARNER, 1, "killed").remedy is Remedy.REWIND
    assert on_lost(Part.DATA, 2, "no node").remedy is Remedy.REWIND


@pytest.mark.parametrize("part", list(Part))
def test_what_is_lost_every_time_is_given_up_with_its_cause(part: Part) -> None:
    assert on_lost(part, MAX_ATTEMPTS - 1, "out of memory").remedy is not Remedy.GIVE_UP
    last = on_lost(part, MAX_ATTEMPTS, "out of memory")
    assert last.remedy is Remedy.GIVE_UP
    assert str(part) in last.reason
    assert "out of memory" in last.reason


def test_a_line_sums_counts_and_means_the_rest() -> None:
    first = Trained(METRICS, (1.0, 0.0), (7, 9), broken=1)
    later = replace(METRICS, update=2, steps=180, loss=3.0, lag=0.0, most_lag=5, circuits=10)
    row = row_of([first, Trained(later, (0.5,), (2,), broken=2)], steps_before=60, seconds=2.0)
    assert (row["update"], row["steps"]) == (2, 180)
    assert (row["loss"], row["lag"], row["most_lag"]) == (2.0, 0.5, 5)
    assert (row["return"], row["length"], row["episodes"]) == (0.5, 6.0, 3)
    assert (row["broken"], row["circuits"]) == (3, 40)
    assert row["steps_per_s"] == 60.0
    assert row["staleness"] is None
    assert not row["diverged"]


def test_a_line_of_a_divergence_is_still_json() -> None:
    broken = replace(METRICS, loss=float("nan"), gradient_norm=float("inf"), finite=False)
    row = row_of([Trained(broken, (), (), 0)], 0, 1.0)
    assert row["loss"] is row["gradient_norm"] is row["return"] is None
    assert row["diverged"]
    assert "diverged" in in_words(row)
    assert "no episode ended" in in_words(row)
    assert scalars(row).keys() == row.keys() - {"diverged"}


def test_lines_that_are_done_again_count_once_and_later_ones_not_yet() -> None:
    done = {f"update-{n}": {"update": n} for n in (9, 3, 6)}
    assert [row["update"] for row in rows_until(done, 6)] == [3, 6]


def standing() -> Standing:
    learner = {
        "policy/a": np.array([[1.5, -0.0]], np.float32),
        "updates": np.array(7),
        "steps": np.array(900),
    }
    position = {"actor/index": np.array(7), "history/0/begins": np.array([True])}
    return Standing(learner, {0: position, 12: {**position, "x": np.zeros((0, 2))}})


def test_a_checkpoint_comes_back_to_the_bit() -> None:
    kept = unpack(pack(standing(), SETUP), SETUP, "here")
    assert kept.learner is not None
    assert (kept.updates, kept.steps, list(kept.positions)) == (7, 900, [0, 12])
    wanted = standing()
    for found, expected in [
        (kept.learner, wanted.learner or {}),
        *((kept.positions[g], wanted.positions[g]) for g in (0, 12)),
    ]:
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name].dtype == value.dtype
            assert found[name].tobytes() == value.tobytes()


def test_a_checkpoint_of_another_training_is_refused() -> None:
    other = replace(SETUP, learn=LearnOptions(Algorithm.VTRACE, StateMode.EPISODE))
    with pytest.raises(InputError, match=r"here: is of .*; needed: "):
        unpack(pack(standing(), SETUP), other, "here")


def test_a_training_is_over_when_its_steps_are_done_or_a_parameter_is_no_number() -> None:
    assert not Standing().is_over(SETUP)
    assert not standing().is_over(SETUP)
    assert standing().is_over(replace(SETUP, steps=900))
    wrong = Standing({**(standing().learner or {}), "policy/a": np.array([np.nan])})
    assert wrong.is_over(SETUP)
    assert wrong.has_diverged
