# SPDX-License-Identifier: Apache-2.0
"""The rounds of a federation: Flower's strategies, without what their own loop lacks.

``Strategy.start`` counts from one, keeps what it did to itself, and has no place for a checkpoint.
This is the same loop, one round at a time, from any round on: what it needs to go on is in
:class:`Progress`, so that three rounds and three more are six, bit for bit.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flwr.app import ArrayRecord, ConfigRecord, Message
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy

from federated.records import to_arrays, to_record
from federated.sifting import Rejection, Sifted
from federated.strategies import State, as_before, drawn_from, restore, state_of
from federated.task import Arrays

TRAIN_STEP, EVALUATE_STEP = 0, 1


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a federation stands.

    Args:
        round: rounds that are done.
        arrays: the model.
        state: what the strategy remembers.
    """

    round: int
    arrays: Arrays
    state: State


@dataclass(frozen=True, eq=False)
class Round:
    """A round that has just been done.

    Args:
        before: the model that the sites were sent.
        asked: the messages to them.
        replies: what came back, sorted by site, before any was rejected.
        good: sites whose replies made the new model.
        rejections: replies that did not count.
        scores: replies of the sites that judged the new model.
        progress: where the federation stands now.
        seconds: that it took.
    """

    before: Arrays
    asked: Sequence[Message]
    replies: Sequence[Message]
    good: Sequence[int]
    rejections: Sequence[Rejection]
    scores: Sequence[Message]
    progress: Progress
    seconds: float


def run_rounds(
    grid: Grid,
    strategy: Strategy,
    begin: Progress,
    rounds: int,
    *,
    seed: int,
    quorum: int = 1,
    timeout_s: float | None = None,
    evaluate: bool = True,
) -> Iterator[Round]:
    """The rounds that are missing, each as it is done.

    Args:
        grid: how the sites are reached.
        strategy: a fresh one, of Flower's or anybody's; it is given the memory of ``begin``.
        begin: where to go on.
        rounds: of the whole federation, those done before included.
        seed: of what the strategy draws.
        quorum: good replies that change the model.
        timeout_s: for the replies to one call.
        evaluate: have the sites judge each new model.
    """
    restore(strategy, begin.state)
    sifted = Sifted(strategy, quorum)
    arrays = to_record(begin.arrays)
    for number in range(begin.round + 1, rounds + 1):
        started_s = time.perf_counter()
        before = arrays
        with drawn_from(seed, number, TRAIN_STEP):
            asked = list(sifted.configure_train(number, arrays, ConfigRecord(), grid))
            replies = list(grid.send_and_receive(asked, timeout=timeout_s))
            merged, _ = sifted.aggregate_train(number, replies)
        arrays = before if merged is None else as_before(merged, before)
        scores = _judge(grid, sifted, number, arrays, seed, timeout_s) if evaluate else []
        yield Round(
            before=to_arrays(before),
            asked=asked,
            replies=replies,
            good=sifted.good,
            rejections=[one for one in sifted.rejections if one.round == number],
            scores=scores,
            progress=Progress(number, to_arrays(arrays), state_of(strategy)),
            seconds=time.perf_counter() - started_s,
        )


def _judge(
    grid: Grid,
    strategy: Strategy,
    number: int,
    arrays: ArrayRecord,
    seed: int,
    timeout_s: float | None,
) -> list[Message]:
    with drawn_from(seed, number, EVALUATE_STEP):
        asked = strategy.configure_evaluate(number, arrays, ConfigRecord(), grid)
        replies = list(grid.send_and_receive(asked, timeout=timeout_s))
        strategy.aggregate_evaluate(number, replies)
    return replies
