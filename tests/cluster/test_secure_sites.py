# SPDX-License-Identifier: Apache-2.0
"""Secure aggregation over sites in Ray actors, which keep their keys between the stages."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from flwr.app import ArrayRecord, RecordDict

from cluster.sites import RaySites
from federated.flower import identity
from federated.grid import SiteGrid
from federated.secure import Secured, secure_round
from tests.cluster.secure_apps import OPTIONS, dying_secure_answers, secure_answers

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_instance")]

COUNT = 5


def ask(grid: SiteGrid, turn: int) -> Secured:
    content = RecordDict({"arrays": ArrayRecord([np.arange(3.0)])})
    with identity(run_id=1):
        return secure_round(grid, dict.fromkeys(range(COUNT), content), OPTIONS, turn)


def assert_mean(result: Secured, sites: list[int]) -> None:
    exact = np.arange(3.0) + np.average(sites, weights=np.array(sites) + 1)
    assert sorted(result.metrics) == sites
    assert result.arrays is not None
    (found,) = result.arrays.values()
    np.testing.assert_allclose(found, exact, rtol=0, atol=OPTIONS.error(len(sites), result.weight))


def test_hosts_mask_and_add_as_one_process_does() -> None:
    grid = SiteGrid(RaySites(secure_answers, COUNT, workers=2))
    for turn in (1, 2):
        assert_mean(ask(grid, turn), [*range(COUNT)])


def test_sites_of_a_killed_host_have_forgotten_their_keys_and_come_back(tmp_path: Path) -> None:
    answers = partial(dying_secure_answers, str(tmp_path / "killed"))
    grid = SiteGrid(RaySites(answers, COUNT, workers=2))
    without = ask(grid, 1)
    assert_mean(without, [0, 2, 4])
    assert "Abort secure aggregation" in without.dropped[1]
    assert_mean(ask(grid, 2), [*range(COUNT)])
