# SPDX-License-Identifier: Apache-2.0
"""Trainings on Ray, whose parts are killed; one start of three processes takes ten seconds."""

import logging
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from agents.learning.options import ActOptions, Algorithm, LearnOptions
from agents.learning.rollout import Arrays
from agents.learning.training import Trained, train_here
from agents.policies.options import CoreName
from cluster.training.checkpoint import pack, unpack
from cluster.training.standing import Standing
from cluster.training.training import Training
from cluster.training_options import Mode, Train
from sim.errors import InputError
from tests.agents.learning.worlds import FAULTY
from tests.cluster.killing import processes_of

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_instance")]

SYNC = Train(
    env="CartPole-v1",
    policy=CoreName.GRU,
    match_params=200,
    steps=1500,
    act=ActOptions(groups=3, lanes=2, unroll_steps=16),
    learn=LearnOptions(minibatches=2, epochs=2),
    checkpoint_updates=3,
    seed=4,
)
UPDATES = 17
Look = Callable[[Trained], None]


@pytest.fixture(scope="module")
def here() -> Arrays:
    """The same training in this process."""
    learner, updates = train_here(SYNC.setup)
    assert len(list(updates)) == UPDATES
    return learner.checkpoint()


def trained(
    options: Train, look: Look = lambda _: None, standing: Standing | None = None
) -> tuple[Standing, list[Trained]]:
    seen = []
    with closing(Training(options, standing or Standing())) as training:
        training.muster()
        for update, _ in training.updates():
            seen.append(update)
            look(update)
        return training.standing, seen


def numbers(seen: list[Trained]) -> list[int]:
    return [one.metrics.update for one in seen]


def assert_same(one: Arrays | None, other: Arrays) -> None:
    """To the bit, moments of the optimizer and counters included."""
    assert one is not None
    assert one.keys() == other.keys()
    for name, value in other.items():
        np.testing.assert_array_equal(one[name], value, err_msg=name)


def kill(kind: str) -> None:
    """All processes of a kind, as ``kill -9`` would."""
    found = list(processes_of(os.getpid(), f"ray::{kind}"))
    assert found
    for process in found:
        process.kill()


@pytest.fixture(scope="module")
def alone() -> tuple[list[Trained], dict[int, Standing]]:
    """By one actor: what every update did, and the checkpoints."""
    with closing(Training(replace(SYNC, actors=1), Standing())) as training:
        training.muster()
        pairs = list(training.updates())
    standings = [standing for _, standing in pairs if standing is not None]
    return [one for one, _ in pairs], {standing.updates: standing for standing in standings}


def test_one_actor_gives_the_bits_of_a_training_without_ray(
    here: Arrays, alone: tuple[list[Trained], dict[int, Standing]]
) -> None:
    seen, standings = alone
    assert numbers(seen) == list(range(1, UPDATES + 1))
    assert {one.metrics.lag for one in seen} == {0.0}
    assert list(standings) == [3, 6, 9, 12, 15, UPDATES]
    assert_same(standings[UPDATES].learner, here)


def test_whoever_is_killed_two_actors_give_the_same_bits(
    here: Arrays, caplog: pytest.LogCaptureFixture
) -> None:
    """And what was checkpointed between the deaths goes on to the same end."""
    waiting = {2: "ActorHost", 8: "LearnerHost"}

    def look(update: Trained) -> None:
        if kind := waiting.pop(update.metrics.update, None):
            kill(kind)

    with caplog.at_level(logging.WARNING):
        standing, seen = trained(SYNC, look)
    assert_same(standing.learner, here)
    assert numbers(seen) == [*range(1, 9), *range(7, UPDATES + 1)]
    assert "an actor was lost" in caplog.text
    assert "the learner was lost" in caplog.text
    assert "goes on from update 6" in caplog.text


def test_from_a_checkpoint_two_actors_come_to_the_same_bits(
    here: Arrays, alone: tuple[list[Trained], dict[int, Standing]]
) -> None:
    kept = pack(alone[1][3], SYNC.setup)
    standing, seen = trained(SYNC, standing=unpack(kept, SYNC.setup, "here"))
    assert numbers(seen) == list(range(4, UPDATES + 1))
    assert_same(standing.learner, here)


def test_without_waiting_it_outlives_deaths() -> None:
    options = replace(
        SYNC,
        mode=Mode.ASYNC,
        steps=4000,
        batch_rollouts=2,
        learn=LearnOptions(algorithm=Algorithm.VTRACE),
        checkpoint_updates=5,
    )
    waiting = {3: "ActorHost", 8: "LearnerHost"}

    def look(update: Trained) -> None:
        if kind := waiting.pop(update.metrics.update, None):
            kill(kind)

    standing, seen = trained(options, look)
    assert waiting == {}
    assert standing.steps >= 4000
    assert standing.updates == numbers(seen)[-1]
    assert min(one.metrics.lag for one in seen) >= 0
    assert any(one.metrics.lag > 0 for one in seen)


def test_a_learner_that_dies_every_time_is_given_up() -> None:
    options = replace(SYNC, actors=1, checkpoint_updates=10)
    with pytest.raises(InputError, match=r"the learner was lost \(.*3 of at most 3 times"):
        trained(options, lambda _: kill("LearnerHost"))


def test_broken_episodes_are_counted_and_three_in_a_row_end_the_training() -> None:
    faulty = replace(SYNC, env=FAULTY, steps=100_000, actors=1)
    seen: list[int] = []
    with pytest.raises(InputError, match=r"lane \d failed 3 times in a row"):
        trained(faulty, lambda update: seen.append(update.broken))
    assert sum(seen) > 0
