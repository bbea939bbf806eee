# SPDX-License-Identifier: Apache-2.0
"""Flower's strategies on sites that live in Ray actors."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.serverapp.strategy import FedAvg

from cluster.sites import RaySites
from federated.flower import FIRST_SITE, identity
from federated.grid import LocalSites, SiteGrid, Sites, one_by_one
from sim.errors import InputError
from tests.cluster.site_apps import adding, adding_app, dying, sleeping

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_instance")]

COUNT = 5


def trained(sites: Sites, rounds: int, **config: object) -> np.ndarray:
    strategy = FedAvg(fraction_evaluate=0.0, min_train_nodes=COUNT, min_available_nodes=COUNT)
    with identity(run_id=1):
        result = strategy.start(
            SiteGrid(sites),
            ArrayRecord([np.arange(3.0)]),
            num_rounds=rounds,
            train_config=ConfigRecord(config),  # type: ignore[arg-type]
        )
    (weights,) = result.arrays.to_numpy_ndarrays()
    return weights


def asked(grid: SiteGrid, turn: int, timeout_s: float | None = None) -> list[Message]:
    content = RecordDict({"arrays": ArrayRecord([np.zeros(1)]), "config": ConfigRecord({})})
    with identity(run_id=1):
        messages = [
            grid.create_message(content, "train", FIRST_SITE + site, str(turn))
            for site in range(COUNT)
        ]
    return list(grid.send_and_receive(messages, timeout=timeout_s))


def metric(replies: list[Message], name: str) -> list[int]:
    return [int(reply.content["metrics"][name]) for reply in replies]


@pytest.mark.parametrize("workers", [1, 2])
def test_actors_learn_what_one_process_learns(workers: int) -> None:
    here = trained(LocalSites(one_by_one(adding_app()), COUNT), 3)
    np.testing.assert_array_equal(trained(RaySites(adding, COUNT, workers), 3), here)


def test_sites_stay_where_they_are_and_remember() -> None:
    grid = SiteGrid(RaySites(adding, COUNT, workers=2))
    first, second = asked(grid, 1), asked(grid, 2)
    homes = metric(first, "pid")
    assert homes == metric(second, "pid")
    assert len(set(homes)) == 2
    assert metric(first, "asked") == [0] * COUNT
    assert metric(second, "asked") == [1] * COUNT


def test_a_killed_host_costs_no_reply(tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    disturbed = trained(RaySites(dying, COUNT, workers=2), 3, mark=str(mark))
    assert mark.exists()
    np.testing.assert_array_equal(
        disturbed, trained(LocalSites(one_by_one(adding_app()), COUNT), 3)
    )


def test_others_stand_in_for_a_killed_host_and_hand_back_what_its_sites_learnt_since() -> None:
    sites = RaySites(adding, COUNT, workers=2)
    grid = SiteGrid(sites)
    homes = metric(asked(grid, 1), "pid")
    os.kill(homes[1], signal.SIGKILL)
    second = asked(grid, 2)
    assert metric(second, "pid") == [homes[0]] * COUNT
    assert metric(second, "asked") == [1, 0, 1, 0, 1]
    pids = homes[:1] * COUNT
    turn = 2
    while set(pids) == {homes[0]}:
        turn += 1
        third = asked(grid, turn)
        pids = metric(third, "pid")
    assert pids[1] == pids[3] not in homes
    assert metric(third, "asked") == [turn - 1, turn - 2, turn - 1, turn - 2, turn - 1]
    sites.close()


def test_a_host_that_is_alone_is_waited_for() -> None:
    sites = RaySites(adding, COUNT, workers=1)
    grid = SiteGrid(sites)
    (home,) = set(metric(asked(grid, 1), "pid"))
    os.kill(home, signal.SIGKILL)
    replies = asked(grid, 2)
    assert metric(replies, "asked") == [0] * COUNT
    sites.close()


def test_stragglers_are_left_behind_and_taken_along_again() -> None:
    grid = SiteGrid(RaySites(sleeping, COUNT, workers=2))
    assert len(asked(grid, 0)) == COUNT  # everybody is up
    replies = asked(grid, 1, timeout_s=0.7)
    sites = [reply.metadata.src_node_id - FIRST_SITE for reply in replies]
    assert 0 not in sites
    assert {1, 3} <= set(sites)  # those on the other host
    assert len(asked(grid, 2)) == COUNT


def test_no_sites_are_refused() -> None:
    with pytest.raises(InputError, match="sites is 0"):
        RaySites(adding, 0, workers=1)
