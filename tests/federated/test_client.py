# SPDX-License-Identifier: Apache-2.0
"""The site's side: alone, in company, in bad company, and to messages that are not ours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict

from federated.client import answer_together, app, task_answers
from federated.flower import FIRST_SITE, identity, number, site_context
from federated.grid import LocalSites, SiteGrid
from federated.options import FitOptions, ModelOptions, TaskName
from federated.partition import Partition
from federated.records import metric, to_arrays, to_record
from federated.run_config import to_run_config
from federated.sample_task import SampleTask
from federated.task import Arrays, Fit
from federated.tasks import TaskOptions, make_task

SITES = 4
OPTIONS = TaskOptions(
    TaskName.parse("vqc-cancer"),
    SITES,
    Partition.parse("classes:1"),
    3,
    ModelOptions(features=2, layers=1),
)
FIT = FitOptions(local_epochs=1, batch=64)
TASK = make_task(OPTIONS)


def asked(
    sites: Sequence[int],
    kind: str = "train",
    arrays: ArrayRecord | None = None,
    config: dict[str, Any] | None = None,
) -> list[Message]:
    told = {"server-round": 2} if config is None else config
    content = RecordDict({"arrays": arrays or to_record(TASK.initial())})
    if told:
        content["config"] = ConfigRecord(told)
    with identity(run_id=1):
        made = [Message(content, FIRST_SITE + site, kind) for site in sites]
    for message in made:
        number(message)
    return made


def arrays_of(reply: Message) -> Arrays:
    assert not reply.has_error(), reply.error
    return to_arrays(reply.content.array_records["arrays"])


def metrics_of(reply: Message) -> dict[str, Any]:
    return dict(reply.content.metric_records["metrics"])


def node(site: Any, **changes: Any) -> Context:
    """A Context as a SuperNode's: the options are in the run config, the site in the node's."""
    context = site_context(1, 0, SITES)
    context.node_config["partition-id"] = site
    context.run_config = {**to_run_config(OPTIONS, FIT), **changes}
    return context


def close(one: Arrays, other: Arrays) -> None:
    assert list(one) == list(other)
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], atol=1e-12)


# Alone and together


def test_answers_are_those_of_the_task() -> None:
    replies = answer_together(TASK, FIT, [1, 3], asked([1, 3]))
    fits = TASK.fit([TASK.initial()] * 2, [1, 3], FIT, 2)
    for reply, fit in zip(replies, fits, strict=True):
        close(arrays_of(reply), fit.arrays)
        told = {"num-examples": fit.samples, "one": 1, "loss": fit.loss, "circuits": fit.circuits}
        assert metrics_of(reply) == pytest.approx(told)
    judged = answer_together(TASK, FIT, [1, 3], asked([1, 3], "evaluate"))
    for reply, score in zip(judged, TASK.evaluate([TASK.initial()] * 2, [1, 3]), strict=True):
        told = {"num-examples": score.samples, "one": 1, "loss": score.loss}
        assert metrics_of(reply) == pytest.approx({**told, "accuracy": score.accuracy})
        assert not reply.content.array_records


@pytest.mark.parametrize("kind", ["train", "evaluate"])
def test_together_or_alone_is_the_same(kind: str) -> None:
    sites = range(SITES)
    together = answer_together(TASK, FIT, sites, asked(sites, kind))
    for site, reply in zip(sites, together, strict=True):
        (alone,) = answer_together(TASK, FIT, [site], asked([site], kind))
        assert metrics_of(alone) == pytest.approx(metrics_of(reply))
        if kind == "train":
            close(arrays_of(alone), arrays_of(reply))
        assert reply.metadata.src_node_id == FIRST_SITE + site


def test_replies_refer_to_their_messages() -> None:
    messages = asked([2, 0])
    replies = answer_together(TASK, FIT, [2, 0], messages)
    assert [one.metadata.reply_to_message_id for one in replies] == [
        message.metadata.message_id for message in messages
    ]
    assert [one.metadata.src_node_id - FIRST_SITE for one in replies] == [2, 0]


@pytest.mark.parametrize("block", [1, 2, 4])
def test_a_grid_gives_the_same_in_blocks_of_any_size(block: int) -> None:
    grid = SiteGrid(LocalSites(task_answers(lambda: TASK, FIT), SITES, block))
    with identity(run_id=1):
        replies = list(grid.send_and_receive(asked(range(SITES))))
    for site, reply in enumerate(replies):
        (alone,) = answer_together(TASK, FIT, [site], asked([site]))
        close(arrays_of(reply), arrays_of(alone))


def test_the_round_and_the_proximal_weight_arrive() -> None:
    def learnt(config: dict[str, Any]) -> Arrays:
        return arrays_of(answer_together(TASK, FIT, [0], asked([0], config=config))[0])

    for told, expected in (
        ({"server-round": 5}, (5, 0.0)),
        ({"server-round": 5, "proximal-mu": 3.0}, (5, 3.0)),
        ({"server-round": 5, "proximal-mu": 3}, (5, 3)),
    ):
        turn, mu = expected
        close(learnt(told), TASK.fit([TASK.initial()], [0], FIT, turn, mu)[0].arrays)


# Trouble


@dataclass(frozen=True, eq=False)
class Troubled(SampleTask):
    """One site cannot fit, alone or in company."""

    def fit(self, arrays: Any, sites: Sequence[int], *rest: Any, **more: Any) -> list[Fit]:
        if 2 in sites:
            raise ZeroDivisionError("no floor under site 2")
        return super().fit(arrays, sites, *rest, **more)


def test_one_bad_site_of_a_block_is_the_only_one_that_fails() -> None:
    task = Troubled(**TASK.__dict__)
    replies = answer_together(task, FIT, range(SITES), asked(range(SITES)))
    assert [reply.has_error() for reply in replies] == [False, False, True, False]
    assert replies[2].error.reason == "ZeroDivisionError: no floor under site 2"
    assert replies[2].metadata.src_node_id == FIRST_SITE + 2
    good = answer_together(TASK, FIT, range(SITES), asked(range(SITES)))
    for site in (0, 1, 3):
        close(arrays_of(replies[site]), arrays_of(good[site]))


def test_a_site_with_numbers_that_no_circuit_takes_does_not_spoil_its_block() -> None:
    site = TASK.sites[1]
    broken = replace(site.train, inputs=torch.full_like(site.train.inputs, torch.nan))
    sites = (TASK.sites[0], replace(site, train=broken), *TASK.sites[2:])
    replies = answer_together(replace(TASK, sites=sites), FIT, range(SITES), asked(range(SITES)))
    assert [reply.has_error() for reply in replies] == [False, True, False, False]
    assert "CircuitError" in str(replies[1].error.reason)


def reason(messages: list[Message]) -> str:
    (reply,) = answer_together(TASK, FIT, [0], messages)
    assert reply.has_error()
    assert reply.metadata.reply_to_message_id == messages[0].metadata.message_id
    return str(reply.error.reason)


def test_models_of_others_are_answered_with_an_error() -> None:
    """With arrays missing, torch would quietly take those that the module began with."""
    begin = TASK.initial()
    small = {name: value[..., :1] for name, value in begin.items()}
    part = {"head.bias": begin["head.bias"]}
    for other in ({"0": np.zeros(3)}, small, part, {**begin, "more": np.zeros(1)}):
        for kind in ("train", "evaluate"):
            told = reason(asked([0], kind, arrays=to_record(other)))
            assert told.startswith("ValueError: the model has arrays {")
            assert "that of vqc-cancer has" in told


def test_messages_of_others_are_answered_if_they_can_be() -> None:
    (reply,) = answer_together(TASK, FIT, [0], asked([0], config={"other": "words"}))
    close(arrays_of(reply), TASK.fit([TASK.initial()], [0], FIT, 0)[0].arrays)
    (without,) = answer_together(TASK, FIT, [0], asked([0], config={}))
    close(arrays_of(without), arrays_of(reply))
    assert "server-round is 'two'; needed: a number" in reason(
        asked([0], config={"server-round": "two"})
    )
    with identity(run_id=1):
        empty = Message(RecordDict(), FIRST_SITE, "train")
    number(empty)
    assert "KeyError" in reason([empty])


# As Flower's ClientApp


@pytest.mark.parametrize("kind", ["train", "evaluate"])
def test_the_app_answers_for_the_site_that_its_node_is(kind: str) -> None:
    for site in (3, 0):
        (message,) = asked([0], kind)
        reply = app(message, node(site))
        (wanted,) = answer_together(TASK, FIT, [site], asked([site], kind))
        assert metrics_of(reply) == pytest.approx(metrics_of(wanted))
        if kind == "train":
            close(arrays_of(reply), arrays_of(wanted))


def test_the_app_says_which_site_it_is() -> None:
    (message,) = asked([0], "query")
    reply = app(message, node(2))
    assert metric(reply, "site") == 2
    assert not reply.content.array_records


@pytest.mark.parametrize(
    ("site", "changes", "message"),
    [
        (SITES, {}, "partition-id is 4; allowed: 0 to 3"),
        (-1, {}, "partition-id is -1"),
        ("one", {}, "partition-id is 'one'; needed: int"),
        (0, {"task": "vqc-mnist"}, "task is 'vqc-mnist'"),
        (0, {"clients": 9999}, "sites is 9999"),
        (0, {"partition": "natural"}, "partition is natural"),
    ],
)
def test_the_app_refuses_what_cannot_be(site: Any, changes: dict[str, Any], message: str) -> None:
    """Under Flower's engines whatever is raised becomes an error reply; here it is named."""
    (asking,) = asked([0])
    try:
        told = str(app(asking, node(site, **changes)).error.reason)
    except Exception as error:
        told = str(error)
    assert message in told


# What sites tell


def test_numbers_that_are_none_are_not_read() -> None:
    (message,) = asked([0])
    told = {"whole": 3, "part": 0.5, "nan": float("nan"), "list": [1.0]}
    reply = Message(RecordDict({"metrics": MetricRecord(told)}), reply_to=message)
    names = ("whole", "part", "nan", "list", "missing")
    assert [metric(reply, name) for name in names] == [3.0, 0.5, None, None, None]
    assert metric(Message(RecordDict(), reply_to=message), "whole") is None
    (failed,) = answer_together(TASK, FIT, [0], asked([0], config={"server-round": "x"}))
    assert metric(failed, "loss") is None
