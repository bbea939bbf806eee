# SPDX-License-Identifier: Apache-2.0
"""Flower's nodes have random names, come and go, and yet a strategy sees sites by their numbers."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from federated.flower import FIRST_SITE, Run, empty_run, failure, identity, number, site_context
from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.numbered import NumberedGrid
from sim.errors import InputError

NODES = {907: 1, 15: 2, 4411: 0}
"""Sites by node, as if Flower had drawn the nodes."""


def shifting_app() -> ClientApp:
    app = ClientApp()

    @app.query()
    def introduce(message: Message, context: Context) -> Message:
        site = context.node_config["partition-id"]
        if site == "deaf":
            return failure(message, "no site")
        metrics = MetricRecord({"site": site})  # type: ignore[dict-item]
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    @app.train()
    def train(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        (weights,) = message.content["arrays"].to_numpy_ndarrays()
        content = {
            "arrays": ArrayRecord([0.1 * weights + 1 / (site + 3)]),
            "metrics": MetricRecord({"num-examples": site + 1}),
        }
        return Message(RecordDict(content), reply_to=message)

    return app


class Nodes(Grid):
    """A grid like Flower's: nodes with odd names, replies in odd order, each asked by itself.

    Args:
        sites: by node.
        later: called whenever somebody asks who is there.
    """

    def __init__(
        self, sites: dict[int, Any], later: Callable[[dict[int, Any]], None] = lambda _: None
    ) -> None:
        self.sites = dict(sites)
        self.asked: list[tuple[int, str]] = []
        self._later = later
        self._answer = one_by_one(shifting_app())
        self._kept: dict[str, Message] = {}
        self._run = empty_run(1)

    def set_run(self, run: Run) -> None:
        self._run = run

    @property
    def run(self) -> Run:
        return self._run

    def create_message(self, *_: Any, **__: Any) -> Message:
        raise AssertionError("messages are made by whoever numbers")

    def get_node_ids(self) -> Iterable[int]:
        self._later(self.sites)
        return list(self.sites)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        for message in messages:
            number(message)
            self._kept[message.metadata.message_id] = self._reply(message)
            yield message.metadata.message_id

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        return [self._kept.pop(one) for one in message_ids if one in self._kept]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        del timeout  # nobody is slow here
        replies = []
        for message in messages:
            number(message)
            replies.append(self._reply(message))
        return sorted(replies, key=lambda reply: -reply.metadata.src_node_id)

    def _reply(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        self.asked.append((node, message.metadata.message_type))
        context = site_context(1, 0, len(self.sites))
        context.node_config["partition-id"] = self.sites[node]
        (reply,) = self._answer([message], [context])
        assert reply.metadata.src_node_id == node
        return reply


def numbered(nodes: Nodes, count: int = 3, patience_s: float = 0.05) -> NumberedGrid:
    return NumberedGrid(nodes, count, patience_s)


def train_messages(grid: Grid, sites: Iterable[int]) -> list[Message]:
    content = RecordDict({"arrays": ArrayRecord([np.ones(2)])})
    with identity(run_id=1):
        return [grid.create_message(content, "train", FIRST_SITE + site, "1") for site in sites]


def trained(grid: Grid, count: int = 3) -> np.ndarray:
    strategy = FedAvg(fraction_evaluate=0.0, min_train_nodes=count, min_available_nodes=count)
    with identity(run_id=1):
        result = strategy.start(grid, ArrayRecord([np.full(2, 0.1)]), num_rounds=3)
    (weights,) = result.arrays.to_numpy_ndarrays()
    return weights


def test_a_strategy_learns_what_it_would_have_learnt_on_our_own_hosts() -> None:
    here = trained(SiteGrid(LocalSites(one_by_one(shifting_app()), 3)))
    for nodes in (NODES, {1 << 62: 2, 3: 1, 2: 0}, {5: 0, 6: 1, 7: 2}):
        np.testing.assert_array_equal(trained(numbered(Nodes(nodes))), here)


def test_sites_are_what_is_seen_and_replies_are_in_their_order() -> None:
    nodes = Nodes(NODES)
    grid = numbered(nodes)
    with identity(run_id=1):
        assert list(grid.get_node_ids()) == [FIRST_SITE, FIRST_SITE + 1, FIRST_SITE + 2]
        replies = list(grid.send_and_receive(train_messages(grid, [2, 0, 1])))
    assert [reply.metadata.src_node_id - FIRST_SITE for reply in replies] == [0, 1, 2]
    assert [reply.content["metrics"]["num-examples"] for reply in replies] == [1, 2, 3]


def test_who_a_node_is_is_asked_once() -> None:
    nodes = Nodes(NODES)
    grid = numbered(nodes)
    with identity(run_id=1):
        for _ in range(3):
            list(grid.get_node_ids())
            list(grid.send_and_receive(train_messages(grid, [1])))
    assert sorted(node for node, kind in nodes.asked if kind == "query") == sorted(NODES)
    assert [node for node, kind in nodes.asked if kind == "train"] == [907] * 3


def test_replies_can_be_pulled_by_site_too() -> None:
    grid = numbered(Nodes(NODES))
    with identity(run_id=1):
        pushed = list(grid.push_messages(train_messages(grid, [1, 2])))
        replies = list(grid.pull_messages(pushed))
    assert sorted(reply.metadata.src_node_id - FIRST_SITE for reply in replies) == [1, 2]
    assert list(grid.pull_messages(pushed)) == []


def test_a_node_that_comes_later_is_waited_for() -> None:
    looks: list[int] = []

    def later(sites: dict[int, Any]) -> None:
        looks.append(len(sites))
        if len(looks) == 2:
            sites[15] = 2

    nodes = Nodes({907: 1, 4411: 0}, later)
    with identity(run_id=1):
        found = list(numbered(nodes, patience_s=10).get_node_ids())
    assert found == [FIRST_SITE, FIRST_SITE + 1, FIRST_SITE + 2]
    assert looks == [2, 2]
    assert sorted(node for node, _ in nodes.asked) == [15, 907, 4411]


def test_nodes_that_stay_away_are_named() -> None:
    with identity(run_id=1), pytest.raises(InputError) as told:
        numbered(Nodes({907: 3}), count=5).get_node_ids()
    assert str(told.value) == "clients is 5; no node says that it is site 0, 1, 2, 4, in 0.05 s"


def test_two_nodes_of_one_site_are_refused() -> None:
    nodes = Nodes({**NODES, 8: 1})
    with identity(run_id=1), pytest.raises(InputError, match="partition-id is 1 at two nodes"):
        numbered(nodes).get_node_ids()


@pytest.mark.parametrize("stranger", ["deaf", -1, 3, 99])
def test_nodes_that_are_no_site_of_the_run_are_left_alone(stranger: Any) -> None:
    nodes = Nodes({**NODES, 8: stranger, 9: stranger})
    grid = numbered(nodes)
    assert len(trained(grid)) == 2
    assert not {node for node, kind in nodes.asked if kind == "train"} & {8, 9}


def test_a_node_that_is_lost_costs_its_reply_and_a_newcomer_takes_its_place() -> None:
    nodes = Nodes(NODES)
    grid = numbered(nodes)
    with identity(run_id=1):
        messages = train_messages(grid, [0, 1, 2])
        list(grid.get_node_ids())
        del nodes.sites[907]
        replies = list(grid.send_and_receive(train_messages(grid, [0, 1, 2])))
        assert [reply.metadata.src_node_id - FIRST_SITE for reply in replies] == [0, 2]
        nodes.sites[12] = 1
        replies = list(grid.send_and_receive(messages))
    assert [reply.metadata.src_node_id - FIRST_SITE for reply in replies] == [0, 1, 2]
    assert (12, "train") in nodes.asked
    assert nodes.asked.count((12, "query")) == 1


def test_a_node_that_did_not_say_who_it_is_is_asked_again() -> None:
    looks: list[int] = []

    def later(sites: dict[int, Any]) -> None:
        looks.append(1)
        if len(looks) > 1:
            sites[15] = 2

    nodes = Nodes({**NODES, 15: "deaf"}, later)
    with identity(run_id=1):
        assert len(list(numbered(nodes, patience_s=10).get_node_ids())) == 3


def test_the_run_is_that_of_the_grid_inside() -> None:
    nodes = Nodes(NODES)
    grid = numbered(nodes)
    grid.set_run(empty_run(7))
    assert nodes.run.run_id == grid.run.run_id == 7
