# SPDX-License-Identifier: Apache-2.0
"""Our rounds against Flower's own loop, and what that loop lacks."""

import random
import time
from typing import Any

import numpy as np
import pytest
from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp

from federated.client import task_answers
from federated.flower import FIRST_SITE, identity
from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.options import FitOptions, ModelOptions, TaskName
from federated.partition import Partition
from federated.records import to_arrays, to_record
from federated.rounds import Progress, Round, run_rounds
from federated.strategies import make_strategy, state_of
from federated.strategy_options import StrategyName, StrategyOptions
from federated.task import Arrays
from federated.tasks import TaskOptions, make_task
from tests.federated.moving_sites import COUNT, beginning, moved, moving_grid, samples, small_heap

EVERYBODY = [*range(COUNT)]


def rounds(
    grid: SiteGrid,
    count: int,
    name: str = "fedavg",
    begin: Progress | None = None,
    sites: int = COUNT,
    options: StrategyOptions | None = None,
    **more: Any,
) -> list[Round]:
    strategy = make_strategy(StrategyName(name), options or StrategyOptions(), sites)
    with identity(run_id=1), small_heap():
        start = begin or Progress(0, beginning(), {})
        return list(run_rounds(grid, strategy, start, count, **{"seed": 0, **more}))


def asked(done: Round) -> list[int]:
    return sorted(message.metadata.dst_node_id - FIRST_SITE for message in done.asked)


def assert_same(one: Arrays, other: Arrays) -> None:
    assert list(one) == list(other)
    for name, value in one.items():
        assert value.dtype == other[name].dtype
        np.testing.assert_array_equal(value, other[name])


def real_grid() -> tuple[SiteGrid, Arrays]:
    """Four sites of a task of ours."""
    model = ModelOptions(features=2, layers=1)
    partition = Partition.parse("classes:1")  # where all have tests: Flower needs that
    options = TaskOptions(TaskName.parse("vqc-cancer"), 4, partition, 0, model)
    task = make_task(options)
    answers = task_answers(lambda: task, FitOptions(local_epochs=1, batch=64))
    return SiteGrid(LocalSites(answers, 4)), task.initial()


@pytest.mark.parametrize("name", ["fedavg", "fedavgm", "fedadam", "fedmedian"])
def test_they_are_flower_s_own_to_the_bit(name: str) -> None:
    grid, begin = real_grid()
    strategy = make_strategy(StrategyName(name), StrategyOptions(), 4)
    with identity(run_id=1):
        result = strategy.start(grid, to_record(begin), num_rounds=3)
    done = rounds(real_grid()[0], 3, name, Progress(0, begin, {}), sites=4)
    assert_same(done[-1].progress.arrays, to_arrays(result.arrays))
    assert (done[0].progress.arrays["head.bias"] != begin["head.bias"]).any()


def test_a_round_says_what_happened() -> None:
    grid = moving_grid(trouble={3: lambda number: number == 2})
    first, second = rounds(grid, 2)
    assert (first.progress.round, second.progress.round) == (1, 2)
    assert_same(first.before, beginning())
    assert_same(second.before, first.progress.arrays)
    assert (asked(first), first.good, first.rejections) == (EVERYBODY, EVERYBODY, [])
    assert [reply.metadata.src_node_id - FIRST_SITE for reply in second.replies] == EVERYBODY
    assert second.good == [site for site in EVERYBODY if site != 3]
    (rejection,) = second.rejections
    assert (rejection.round, rejection.site) == (2, 3)
    assert "site 3 is tired" in rejection.reason
    kept = np.array(second.good)
    for name, value in second.progress.arrays.items():
        wanted = np.average(
            [moved(site, second.before)[name] for site in kept], 0, [samples(s) for s in kept]
        )
        np.testing.assert_allclose(value, wanted, atol=1e-12)
    assert len(second.scores) == COUNT
    (told,) = {float(reply.content["metrics"]["loss"]) for reply in second.scores}
    assert told == pytest.approx(float(second.progress.arrays["head.bias"].sum()))
    assert second.seconds > 0
    assert rounds(moving_grid(), 1, evaluate=False)[0].scores == []


@pytest.mark.parametrize("clip_norm", [None, 0.1])
@pytest.mark.parametrize("name", [name for name in StrategyName if name != StrategyName.FEDAVGM])
def test_replies_are_what_the_sites_sent_whatever_strategies_do_to_them(
    name: StrategyName, clip_norm: float | None
) -> None:
    """Differential privacy clips replies where they lie; medians delete them to save memory."""
    options = StrategyOptions(clip_norm=clip_norm)
    (done,) = rounds(moving_grid(), 1, name, options=options, evaluate=False)
    for site, reply in enumerate(done.replies):
        assert_same(to_arrays(reply.content.array_records["arrays"]), moved(site, done.before))


def test_each_round_is_there_when_it_is_done() -> None:
    with identity(run_id=1):
        strategy = make_strategy(StrategyName.FEDAVG, StrategyOptions(), COUNT)
        going = run_rounds(moving_grid(), strategy, Progress(0, beginning(), {}), 10**9, seed=0)
        assert [next(going).progress.round for _ in range(3)] == [1, 2, 3]
        going.close()


def test_nothing_is_done_twice() -> None:
    assert rounds(moving_grid(), 3, begin=Progress(3, beginning(), {})) == []
    assert rounds(moving_grid(), 2, begin=Progress(3, beginning(), {})) == []


# Too few, too late


@pytest.mark.parametrize("name", ["fedavg", "fedavgm", "fedadam"])
def test_below_the_quorum_model_and_memory_stay_as_they_are(name: str) -> None:
    tired = {site: lambda number: number == 2 for site in range(3)}
    done = rounds(moving_grid(trouble=tired), 3, name, quorum=COUNT - 2)
    first, second, third = (one.progress for one in done)
    assert_same(second.arrays, first.arrays)
    assert_same(second.state, first.state)
    assert (third.arrays["head.bias"] != second.arrays["head.bias"]).all()
    assert [len(one.good) for one in done] == [COUNT, 0, COUNT]
    assert [one.site for one in done[1].rejections] == [0, 1, 2]
    # The judgement goes on.
    assert len(done[1].scores) == COUNT
    enough = rounds(moving_grid(trouble=tired), 2, name, quorum=COUNT - 3)
    assert (enough[1].progress.arrays["head.bias"] != first.arrays["head.bias"]).all()


def test_a_round_in_which_nobody_answers_changes_nothing() -> None:
    dead = {site: lambda number: number == 1 for site in range(COUNT)}
    first, second = rounds(moving_grid(trouble=dead), 2)
    assert_same(first.progress.arrays, beginning())
    assert len(first.rejections) == COUNT
    assert len(second.good) == COUNT


def test_replies_that_are_too_few_for_the_strategy_make_no_model() -> None:
    tired = {0: lambda number: number == 2}
    done = rounds(moving_grid(trouble=tired), 3, "bulyan", options=StrategyOptions(malicious=1))
    assert [len(one.good) for one in done] == [COUNT, 0, COUNT]
    assert_same(done[1].progress.arrays, done[0].progress.arrays)
    assert (done[2].progress.arrays["head.bias"] != done[1].progress.arrays["head.bias"]).all()


def test_who_is_late_is_not_waited_for() -> None:
    slow = ClientApp()

    @slow.train()
    def train(message: Message, _: Context) -> Message:
        time.sleep(0.3)
        return Message(RecordDict(), reply_to=message)

    grid = SiteGrid(LocalSites(one_by_one(slow), COUNT))
    (done,) = rounds(grid, 1, timeout_s=0.1, evaluate=False)
    assert len(done.replies) == 1
    assert_same(done.progress.arrays, beginning())


# Who is asked

SOME = StrategyOptions(fraction=0.5)


def test_a_share_is_asked_and_others_in_every_round() -> None:
    done = rounds(moving_grid(), 6, options=SOME)
    assert {len(one.asked) for one in done} == {3}
    assert len({tuple(asked(one)) for one in done}) > 3
    assert all(len(one.scores) == COUNT for one in done)


def test_who_is_asked_depends_on_seed_and_round_alone() -> None:
    straight = [asked(one) for one in rounds(moving_grid(), 4, options=SOME)]
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert [asked(one) for one in rounds(moving_grid(), 4, options=SOME)] == straight
    late = rounds(moving_grid(), 4, options=SOME, begin=Progress(2, beginning(), {}))
    assert [asked(one) for one in late] == straight[2:]
    tired = moving_grid(trouble={site: lambda _: True for site in range(5)})
    assert [asked(one) for one in rounds(tired, 4, options=SOME)] == straight
    unjudged = rounds(moving_grid(), 4, "fedmedian", options=SOME, evaluate=False)
    assert [asked(one) for one in unjudged] == straight
    assert [asked(one) for one in rounds(moving_grid(), 4, options=SOME, seed=1)] != straight


def test_nobody_else_s_randomness_is_touched() -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    before, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002
    with identity(run_id=1):
        noisy = StrategyOptions(fraction=0.5, clip_norm=1.0)
        strategy = make_strategy(StrategyName.FEDAVG, noisy, COUNT)
        start = Progress(0, beginning(), {})
        for _ in run_rounds(moving_grid(), strategy, start, 2, seed=0):
            # Between rounds too, where the caller may draw.
            assert random.getstate() == before
            assert all(np.array_equal(*pair) for pair in zip(numbers, numpy_state(), strict=True))


def numpy_state() -> Any:
    return np.random.get_state()  # noqa: NPY002


def test_what_the_caller_draws_between_rounds_changes_nothing() -> None:
    noisy = StrategyOptions(fraction=0.5, clip_norm=1.0)
    quiet = rounds(moving_grid(), 3, options=noisy)[-1].progress.arrays
    with identity(run_id=1):
        strategy = make_strategy(StrategyName.FEDAVG, noisy, COUNT)
        start = Progress(0, beginning(), {})
        for done in run_rounds(moving_grid(), strategy, start, 3, seed=0):
            random.random()
            np.random.random()  # noqa: NPY002
            last = done.progress.arrays
    assert_same(last, quiet)


# Types


@pytest.mark.parametrize("name", list(StrategyName))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_model_keeps_its_type(name: StrategyName, dtype: type) -> None:
    done = rounds(moving_grid(), 2, name, Progress(0, beginning(dtype), {}))
    assert not any(one.rejections for one in done)
    for one in done:
        assert {value.dtype for value in one.progress.arrays.values()} == {np.dtype(dtype)}
        assert {name: value.shape for name, value in one.progress.arrays.items()} == {
            "head.weight": (2, 3),
            "head.bias": (2,),
        }


def test_a_strategy_that_remembers_is_given_its_memory() -> None:
    first = rounds(moving_grid(), 2, "fedadam")[-1].progress
    assert {name.split("/")[0] for name in first.state} == {"m_t", "v_t"}
    strategy = make_strategy(StrategyName.FEDADAM, StrategyOptions(), COUNT)
    with identity(run_id=1):
        (third,) = run_rounds(moving_grid(), strategy, first, 3, seed=0)
    assert_same(third.progress.state, state_of(strategy))
    forgetful = rounds(moving_grid(), 3, "fedadam", Progress(2, first.arrays, {}))[-1].progress
    assert (forgetful.arrays["head.bias"] != third.progress.arrays["head.bias"]).any()
