# SPDX-License-Identifier: Apache-2.0
"""Unchanged Flower strategies and apps on our Grid."""

import time

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAdam, FedAvg, FedMedian, Strategy

from federated.flower import FIRST_SITE, identity
from federated.grid import LocalSites, SiteGrid, one_by_one
from sim.errors import InputError

SITES = 5
app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Adds the number of the site, and one for every time that it was asked before."""
    site = int(context.node_config["partition-id"])
    asked = int(context.state.metric_records.get("asked", MetricRecord({"n": 0}))["n"])
    context.state["asked"] = MetricRecord({"n": asked + 1})
    if site in message.content["config"].get("broken", []):
        raise RuntimeError(f"no floor under site {site}")
    (weights,) = message.content["arrays"].to_numpy_ndarrays()
    content = {
        "arrays": ArrayRecord([weights + site + asked]),
        "metrics": MetricRecord({"num-examples": site + 1, "asked": asked}),
    }
    return Message(RecordDict(content), reply_to=message)


def trained(strategy: Strategy, rounds: int = 1, **config: object) -> np.ndarray:
    with identity(run_id=1):
        result = strategy.start(
            SiteGrid(LocalSites(one_by_one(app), SITES)),
            ArrayRecord([np.zeros(3)]),
            num_rounds=rounds,
            train_config=ConfigRecord(config),
        )
    (weights,) = result.arrays.to_numpy_ndarrays()
    return weights


def options() -> dict[str, float | int]:
    return {"fraction_evaluate": 0.0, "min_train_nodes": SITES, "min_available_nodes": SITES}


def test_an_unchanged_strategy_averages_what_sites_learnt() -> None:
    weighted = np.average(np.arange(SITES), weights=np.arange(SITES) + 1)
    np.testing.assert_allclose(trained(FedAvg(**options())), weighted)
    np.testing.assert_allclose(trained(FedMedian(**options())), 2.0)
    assert (trained(FedAdam(**options())) > 0).all()


def test_sites_remember_from_round_to_round() -> None:
    weighted = np.average(np.arange(SITES), weights=np.arange(SITES) + 1)
    np.testing.assert_allclose(trained(FedAvg(**options()), rounds=3), 3 * weighted + 0 + 1 + 2)


def test_a_site_that_fails_costs_its_own_reply_alone() -> None:
    kept = np.average([0, 1, 3], weights=[1, 2, 4])
    np.testing.assert_allclose(trained(FedAvg(**options()), broken=[2, 4]), kept)


def messages(grid: SiteGrid, sites: list[int], **config: object) -> list[Message]:
    content = RecordDict(
        {"arrays": ArrayRecord([np.zeros(1)]), "config": ConfigRecord(config)}  # type: ignore[arg-type]
    )
    with identity(run_id=1):
        return [grid.create_message(content, "train", FIRST_SITE + site, "1") for site in sites]


def test_replies_are_sorted_and_errors_say_what_happened() -> None:
    grid = SiteGrid(LocalSites(one_by_one(app), SITES))
    asked = messages(grid, [4, 0, 2], broken=[2])
    replies = list(grid.send_and_receive(asked))
    assert [reply.metadata.src_node_id - FIRST_SITE for reply in replies] == [0, 2, 4]
    assert [reply.has_error() for reply in replies] == [False, True, False]
    assert replies[1].error.reason is not None
    assert "no floor under site 2" in replies[1].error.reason
    identifiers = {message.metadata.message_id for message in asked}
    assert {reply.metadata.reply_to_message_id for reply in replies} == identifiers


def test_replies_can_be_pulled_once() -> None:
    grid = SiteGrid(LocalSites(one_by_one(app), SITES))
    pushed = list(grid.push_messages(messages(grid, [0, 1])))
    assert len(list(grid.pull_messages(pushed[:1]))) == 1
    assert len(list(grid.pull_messages(pushed))) == 1
    assert list(grid.pull_messages(pushed)) == []


def test_who_is_late_is_left_out() -> None:
    slow = ClientApp()

    @slow.train()
    def train_slowly(message: Message, _: Context) -> Message:
        time.sleep(0.2)
        return Message(RecordDict(), reply_to=message)

    grid = SiteGrid(LocalSites(one_by_one(slow), 3))
    replies = list(grid.send_and_receive(messages(grid, [0, 1, 2]), timeout=0.1))
    assert [reply.metadata.src_node_id for reply in replies] == [FIRST_SITE]


def test_who_does_not_exist_is_refused() -> None:
    grid = SiteGrid(LocalSites(one_by_one(app), SITES))
    with pytest.raises(InputError, match="to node 7; there are 2 to 6"):
        grid.send_and_receive(messages(grid, [SITES]))
    with pytest.raises(InputError, match="sites is 0"):
        LocalSites(one_by_one(app), 0)


def test_the_identity_of_a_process_is_given_back() -> None:
    with pytest.raises(RuntimeError, match="run_id is not set"):
        messages_without_identity()
    with identity(run_id=1):
        messages_without_identity()
    with pytest.raises(RuntimeError, match="run_id is not set"):
        messages_without_identity()


def messages_without_identity() -> None:
    SiteGrid(LocalSites(one_by_one(app), 1)).create_message(RecordDict(), "train", FIRST_SITE, "1")
