# SPDX-License-Identifier: Apache-2.0
"""Sites with environments of their own teach one policy, and nothing but weights leaves a site."""

import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from flwr.app import Context, Message

from agents.learning.fitting import Place
from federated.client import answer_together
from federated.flower import identity
from federated.grid import LocalSites, SiteGrid
from federated.options import POLICIES, POLICY_RATE, WORLDS, Data, FitOptions, TaskName, settled
from federated.partition import Partition
from federated.policy_task import UNROLL_STEPS, PolicyTask, make_policy_task
from federated.privacy.options import PrivacyOptions
from federated.privacy.protection import protected
from federated.records import to_arrays, to_record
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.rounds import Progress, run_rounds
from federated.strategies import make_strategy
from federated.strategy_options import StrategyName, StrategyOptions
from federated.task import Arrays, weighted
from federated.tasks import TaskOptions, make_any_task, make_task
from federated.worlds import LANES, Unseen, WorldSite, pool, share_worlds
from sim.errors import InputError

ROOM, CROSSING = WORLDS[Data.GRIDWORLD][0], WORLDS[Data.GRIDWORLD][-1]
QUICK = FitOptions(local_epochs=1, batch=4, learning_rate=POLICY_RATE)


def site(seed: int, *places: Place) -> WorldSite:
    return WorldSite(places, (Unseen(places, seed),))


SITES = (site(1, Place(ROOM, 6)), site(2, Place(ROOM, 1), Place(CROSSING, 2)))


def small(model: str = "mlp", sites: tuple[WorldSite, ...] = SITES, seed: int = 0) -> PolicyTask:
    return PolicyTask(TaskName.parse(f"{model}-gridworld"), sites, seed)


@pytest.fixture(scope="module")
def task() -> PolicyTask:
    return small()


def fitted(
    task: PolicyTask, site: int = 0, number: int = 1, options: FitOptions = QUICK, mu: float = 0.0
) -> Arrays:
    return task.fit([task.initial()], [site], options, number, mu)[0].arrays


def same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


# Who has what


def test_sites_are_at_home_in_one_world_in_turn() -> None:
    worlds = WORLDS[Data.GRIDWORLD]
    sites = share_worlds(worlds, Partition.parse("natural"), 5, seed=0)
    assert [one.places for one in sites] == [(Place(worlds[k % 4], LANES),) for k in range(5)]
    seeds = [tests.seed for one in sites for tests in one.tests]
    assert len(set(seeds)) == 5


@pytest.mark.parametrize("partition", ["iid", "dirichlet:0.3", "classes:2", "quantity:0.5"])
def test_partitions_share_out_the_same_environments(partition: str) -> None:
    worlds = WORLDS[Data.GRIDWORLD]
    sites = share_worlds(worlds, Partition.parse(partition), 4, seed=3)
    counts = [one.counts(worlds) for one in sites]
    assert np.sum(counts, axis=0).tolist() == [LANES] * 4
    assert min(map(sum, counts)) >= 1
    if partition == "classes:2":
        assert [sum(map(bool, own)) for own in counts] == [2] * 4


def test_the_pool_learns_in_all_environments_and_is_judged_by_the_same_episodes(
    task: PolicyTask,
) -> None:
    pooled = task.pooled()
    assert pool(SITES).places == (Place(ROOM, 7), Place(CROSSING, 2))
    assert same(pooled.initial(), task.initial())
    arrays = task.initial()
    (together,) = pooled.evaluate([arrays], [0])
    apart = weighted(task.evaluate([arrays] * 2, [0, 1]))
    assert together.samples == apart.samples == 9
    assert together.loss == pytest.approx(apart.loss)
    (fit,) = pooled.fit([arrays], [0], QUICK, 1)
    assert 0.9 * 9 * UNROLL_STEPS < fit.samples <= 9 * UNROLL_STEPS


def test_makeup_counts_environments_by_world(task: PolicyTask) -> None:
    assert task.classes[0] == "Empty-5x5"
    assert task.makeup() == [
        {"site": 0, "train": 6, "test": 6, "classes": [12, 0, 0, 0]},
        {"site": 1, "train": 3, "test": 3, "classes": [2, 0, 0, 4]},
    ]


# Fit


@pytest.mark.parametrize("name", [*(f"{model}-gridworld" for model in POLICIES), "lstm-memory"])
def test_every_name_is_a_policy_that_can_be_fitted_and_judged(name: str) -> None:
    parsed = TaskName.parse(name)
    made = PolicyTask(parsed, (site(0, Place(WORLDS[parsed.data][0], 2)),), 0)
    begun = made.initial()
    (fit,) = made.fit([begun], [0], QUICK, 1)
    assert list(fit.arrays) == list(begun)
    assert {one.dtype for one in begun.values()} == {np.dtype(np.float32)}
    assert any((fit.arrays[part] != begun[part]).any() for part in begun)
    (score,) = made.evaluate([fit.arrays], [0])
    assert (score.samples, score.accuracy) == (2, None)
    assert -1 <= score.loss <= 0
    assert (fit.circuits > 0) == name.startswith(("vqc", "qfwp", "qlstm"))


def test_training_repeats_and_depends_on_site_round_and_seed(task: PolicyTask) -> None:
    first = fitted(task)
    anew: PolicyTask = pickle.loads(pickle.dumps(task))
    assert same(first, fitted(anew))
    assert not same(first, fitted(task, number=2))
    alike = replace(task, sites=(SITES[0], SITES[0]))
    assert not same(first, fitted(alike, site=1))
    other = replace(task, seed=1)
    assert not same(first, other.fit([task.initial()], [0], QUICK, 1)[0].arrays)
    assert not same(task.initial(), other.initial())


def test_sites_are_trained_together_as_alone(task: PolicyTask) -> None:
    begun = task.initial()
    both = task.fit([begun, begun], [1, 0], QUICK, 1)
    for number, fit in zip((1, 0), both, strict=True):
        assert same(fit.arrays, fitted(task, number))


def test_options_mean_what_they_say(task: PolicyTask) -> None:
    """More epochs are more steps; a larger batch is fewer updates, so the policy moves less."""
    begun = task.initial()
    fits = {
        (epochs, batch): task.fit([begun], [0], FitOptions(epochs, batch, POLICY_RATE), 1)[0]
        for epochs, batch in ((1, 1), (1, 6), (3, 6))
    }
    assert fits[1, 1].samples == fits[1, 6].samples <= 6 * UNROLL_STEPS
    assert fits[3, 6].samples == pytest.approx(3 * fits[1, 6].samples, rel=0.05)
    moved = {
        key: float(np.sqrt(sum(((fit.arrays[n] - begun[n]) ** 2).sum() for n in begun)))
        for key, fit in fits.items()
    }
    assert moved[1, 6] < 0.7 * moved[1, 1]
    assert not same(fitted(task), fitted(task, mu=100.0))
    assert settled(FitOptions(), task.name).rate == POLICY_RATE


def test_circuits_are_those_of_acting_and_of_gradients_by_parameter_shift() -> None:
    one = small("qfwp", (site(0, Place(ROOM, 2)),))
    (fit,) = one.fit([one.initial()], [0], QUICK, 1)
    acting, rows = 2 * UNROLL_STEPS, 2 * (UNROLL_STEPS + 1)
    shifted = (fit.circuits - acting - rows) / (4 * rows) - 1  # four epochs with gradients
    assert shifted == int(shifted) > 0
    assert shifted % 2 == 0


# Scores


def test_a_score_is_minus_the_mean_return_and_repeats(task: PolicyTask) -> None:
    arrays = task.initial()
    scores = task.evaluate([arrays, arrays], [0, 1])
    assert scores == task.evaluate([arrays, arrays], [0, 1])
    assert [score.samples for score in scores] == [6, 3]
    assert all(-1 <= score.loss <= 0 and score.accuracy is None for score in scores)


def test_trivial_is_the_best_of_those_who_look_at_nothing() -> None:
    one = small(sites=(site(0, Place(ROOM, 16)), site(1, Place(CROSSING, 1))))
    in_room, at_crossing = one.trivial([0, 1])
    assert in_room.samples == 16
    assert -0.6 < in_room.loss < -0.05  # at random; no single action reaches the goal
    assert at_crossing.loss <= 0


def test_rounds_teach_and_pooling_is_a_regime_like_any_other() -> None:
    room = small("mlp", (site(1, Place(ROOM, 8)), site(2, Place(ROOM, 8))))
    options = FitOptions(local_epochs=1, batch=2, learning_rate=0.01)
    before = weighted(room.trivial([0, 1]))
    arrays = train_pooled(room, options, rounds=8)
    assert weighted(room.evaluate([arrays] * 2, [0, 1])).loss < before.loss - 0.15
    alone = train_alone(room, options, rounds=1)
    assert not same(alone[0], alone[1])
    assert [score.samples for score in elsewhere(room, alone)] == [16, 16]


# Rounds


def federated(task: PolicyTask, begin: Progress, rounds: int, together: int = 1) -> Progress:
    def answers(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        sites = [int(context.node_config["partition-id"]) for context in contexts]
        return answer_together(task, QUICK, sites, messages)

    strategy = make_strategy(StrategyName.FEDAVG, StrategyOptions(), task.count)
    with identity(run_id=1):
        grid = SiteGrid(LocalSites(answers, task.count, together))
        *_, last = run_rounds(grid, strategy, begin, rounds, seed=0)
    assert len(last.good) == len(last.scores) == task.count
    return last.progress


def test_rounds_average_by_steps_and_go_on_where_they_stopped(task: PolicyTask) -> None:
    begin = Progress(0, to_arrays(to_record(task.initial())), {})
    first = federated(task, begin, 1)
    fits = task.fit([task.initial()] * 2, [0, 1], QUICK, 1)
    for name, value in first.arrays.items():
        weights = [fit.samples for fit in fits]
        mean = np.average([fit.arrays[name] for fit in fits], axis=0, weights=weights)
        np.testing.assert_allclose(value, mean, atol=1e-6)
    straight = federated(task, begin, 2, together=2)
    assert same(straight.arrays, federated(task, first, 2).arrays)


# What cannot be


def test_what_cannot_be_is_refused(task: PolicyTask) -> None:
    with pytest.raises(InputError, match="optimizer is sgd; allowed for mlp-gridworld: adam"):
        task.fit([task.initial()], [0], FitOptions(optimizer="sgd"), 1)
    options = TaskOptions(task.task, 2, Partition.parse("natural"))
    with pytest.raises(InputError, match="task is mlp-gridworld; allowed: those with samples"):
        make_task(options)
    assert make_any_task(options) == make_policy_task(task.task, options.partition, 2, 0)
    noisy = PrivacyOptions(clip_norm=1.0, noise_multiplier=1.0)
    with pytest.raises(InputError, match=r"privacy\.clip_norm or privacy\.gate: those with"):
        protected(task, QUICK, noisy, 1)
    with pytest.raises(InputError, match="partition is classes:3; allowed: at most 1"):
        make_policy_task(task.task, Partition.parse("classes:3"), 1, 0)
