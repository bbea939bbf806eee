# SPDX-License-Identifier: Apache-2.0
"""Sites with different floors teach one coordinator, and nothing but weights leaves a site."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Context, Message
from flwr.serverapp.strategy import FedAvg

from agents.coordination.options import ModelOptions, TrainOptions
from agents.coordination.packing import pack
from agents.coordination.weights import save_model
from federated.client import answer_together
from federated.coordinator_task import (
    FIT,
    CoordinatorOptions,
    CoordinatorTask,
)
from federated.floors import (
    FloorSite,
    FloorsOptions,
    draw_site,
    draw_sites,
    make_site,
    read_sites,
)
from federated.flower import identity
from federated.grid import LocalSites, SiteGrid
from federated.options import FitOptions
from federated.records import to_arrays, to_record
from federated.task import Arrays, weighted
from sim.errors import InputError
from sim.families import FamilyOptions
from sim.floors import FloorKind
from tests.agents.coordination.coordination_examples import SMALL, small_model

FLOORS = FloorsOptions(instances=8, steps=200, family=FamilyOptions((4, 7), (2, 3)))
OPTIONS = CoordinatorOptions(seed=1, model=SMALL)
QUICK = replace(FIT, batch=4, learning_rate=0.01)


@pytest.fixture(scope="module")
def sites() -> list[FloorSite]:
    return draw_sites(2, FLOORS, seed=0)


@pytest.fixture(scope="module")
def task(sites: list[FloorSite]) -> CoordinatorTask:
    return CoordinatorTask(sites, OPTIONS)


def same(one: Arrays, other: Arrays) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[n], other[n]) for n in one)


def distance(one: Arrays, other: Arrays) -> float:
    return float(np.sqrt(sum(((one[name] - other[name]) ** 2).sum() for name in one)))


def names(instances: Sequence[object]) -> set[str]:
    return {one.name for one in instances}  # type: ignore[attr-defined]


def fitted(task: CoordinatorTask, site: int = 0, mu: float = 0.0, number: int = 1) -> Arrays:
    return task.fit([task.initial()], [site], QUICK, number, mu)[0].arrays


def test_every_site_has_one_map_and_the_kinds_take_turns(sites: list[FloorSite]) -> None:
    floors = [{one.floor for one in [*site.train, *site.test]} for site in sites]
    assert [len(names) for names in floors] == [1, 1]
    assert [names.pop().split("-")[0] for names in floors] == ["warehouse", "random"]


def test_a_site_depends_on_its_own_number_alone(sites: list[FloorSite]) -> None:
    again = draw_site(1, FLOORS, seed=0)
    found, wanted = (pack([*site.train, *site.test]) for site in (again, sites[1]))
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
    other = pack(draw_site(1, FLOORS, seed=1).train)
    assert not np.array_equal(other["cost_s"], pack(sites[1].train)["cost_s"])


def test_a_quarter_is_held_out(task: CoordinatorTask, sites: list[FloorSite]) -> None:
    assert task.makeup() == [
        {"site": site, "train": 6, "test": 2, "classes": []} for site in (0, 1)
    ]
    for site in sites:
        assert not names(site.train) & names(site.test)


def test_parameters_are_those_of_the_model_in_its_order(task: CoordinatorTask) -> None:
    arrays = task.initial()
    assert list(arrays) == list(small_model().state_dict())
    assert {one.dtype for one in arrays.values()} == {np.dtype(np.float32)}
    assert same(arrays, task.initial())
    other = CoordinatorTask([FloorSite([], [])], replace(OPTIONS, seed=2))
    assert not same(arrays, other.initial())


def test_a_file_of_weights_is_where_it_begins(tmp_path: Path, sites: list[FloorSite]) -> None:
    model = small_model(seed=5)
    save_model(tmp_path / "w.safetensors", model)
    options = CoordinatorOptions(weights=str(tmp_path / "w.safetensors"))
    task = CoordinatorTask(sites, options)
    given = {name: value.numpy() for name, value in model.state_dict().items()}
    assert same(task.initial(), given)
    assert task.evaluate([given], [0])[0].samples == 2


def test_training_repeats_and_depends_on_site_and_round(task: CoordinatorTask) -> None:
    first = fitted(task)
    assert same(first, fitted(task))
    assert distance(first, task.initial()) > 0.01
    assert not same(first, fitted(task, number=2))
    assert not same(first, fitted(task, site=1))


def test_sites_are_trained_together_as_alone(task: CoordinatorTask) -> None:
    begun = task.initial()
    both = task.fit([begun, begun], [1, 0], QUICK, 1)
    for site, fit in zip((1, 0), both, strict=True):
        assert same(fit.arrays, fitted(task, site))
        assert (fit.samples, fit.circuits) == (6, 0)


def test_a_process_that_begins_anew_goes_on_alike(task: CoordinatorTask) -> None:
    anew: CoordinatorTask = pickle.loads(pickle.dumps(task))
    assert same(fitted(task, number=3), fitted(anew, number=3))


def test_the_rate_falls_over_rounds(sites: list[FloorSite]) -> None:
    """Late in the horizon a round moves the model less; the noise of the rounds is the same."""
    task = CoordinatorTask(sites, replace(OPTIONS, horizon_rounds=2))
    moved = [distance(fitted(task, number=number), task.initial()) for number in (1, 3, 9)]
    assert moved[1] < 0.5 * moved[0]
    assert moved[2] == pytest.approx(moved[1], rel=0.3)


def test_the_proximal_term_holds_the_model_back(task: CoordinatorTask) -> None:
    options = replace(QUICK, local_epochs=6)
    begun = task.initial()
    moved = [
        distance(task.fit([begun], [0], options, 1, mu)[0].arrays, begun) for mu in (0, 1, 100)
    ]
    assert moved[0] > moved[1] > moved[2] > 0


def test_training_learns(task: CoordinatorTask) -> None:
    arrays, losses = task.initial(), []
    for number in range(1, 9):
        (fit,) = task.fit([arrays], [0], replace(QUICK, local_epochs=3), number)
        arrays, _ = fit.arrays, losses.append(fit.loss)
    assert np.mean(losses[-2:]) < 0.9 * np.mean(losses[:2])


def test_scores_are_ratios_of_costs_and_their_complement(task: CoordinatorTask) -> None:
    arrays = task.initial()
    scores = [*task.evaluate([arrays, arrays], [0, 1]), *task.trivial([0, 1])]
    for score in scores:
        assert score.accuracy is not None
        assert score.samples == 2
        assert 0.3 < score.accuracy <= 1.5
        assert score.loss == pytest.approx(1 - score.accuracy)
    assert scores[:2] == task.evaluate([arrays, arrays], [0, 1])


def test_the_pool_has_what_all_learn_from_and_are_judged_by(task: CoordinatorTask) -> None:
    pooled = task.pooled()
    assert pooled.makeup() == [{"site": 0, "train": 12, "test": 4, "classes": []}]
    assert same(pooled.initial(), task.initial())
    assert pooled.fit([task.initial()], [0], QUICK, 1)[0].samples == 12
    arrays = task.initial()
    (together,) = pooled.evaluate([arrays], [0])
    apart = weighted(task.evaluate([arrays] * 2, [0, 1]))
    assert together.samples == apart.samples
    assert together.loss == pytest.approx(apart.loss)


def federated(task: CoordinatorTask, rounds: int) -> Arrays:
    def answers(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        sites = [int(context.node_config["partition-id"]) for context in contexts]
        return answer_together(task, QUICK, sites, messages)

    strategy = FedAvg(min_train_nodes=2, min_evaluate_nodes=2, min_available_nodes=2)
    with identity(run_id=1):
        result = strategy.start(
            SiteGrid(LocalSites(answers, task.count)), to_record(task.initial()), num_rounds=rounds
        )
    assert len(result.evaluate_metrics_clientapp) == rounds
    return to_arrays(result.arrays)


def test_fedavg_averages_what_the_sites_make_of_it(task: CoordinatorTask) -> None:
    found = federated(task, rounds=1)
    parts = [fitted(task, site, number=1) for site in (0, 1)]
    for name, value in found.items():
        np.testing.assert_allclose(value, np.mean([p[name] for p in parts], axis=0), atol=1e-6)
    twice = federated(task, rounds=2)
    assert not same(found, twice)
    assert same(twice, federated(task, rounds=2))


def test_labels_of_runs_are_sites(tmp_path: Path, sites: list[FloorSite]) -> None:
    paths = [tmp_path / f"{number}.npz" for number in range(2)]
    for path, site in zip(paths, sites, strict=True):
        np.savez_compressed(path, **pack([*site.train, *site.test]))
    found = read_sites(paths, seed=3)
    assert [(len(site.train), len(site.test)) for site in found] == [(6, 2), (6, 2)]
    assert names(found[0].train) != names(sites[0].train)  # another draw
    again = read_sites(paths, seed=3)
    assert names(found[0].train) == names(again[0].train)


def test_what_cannot_be_is_refused(task: CoordinatorTask, sites: list[FloorSite]) -> None:
    with pytest.raises(InputError, match=r"site 4 has 1 instance\(s\); allowed: 2 or more"):
        make_site(sites[0].test[:1], seed=0, site=4)
    with pytest.raises(InputError, match="sites is 0"):
        CoordinatorTask([], OPTIONS)
    with pytest.raises(InputError, match=r"optimizer is sgd; .*: adam"):
        task.fit([task.initial()], [0], FitOptions(optimizer="sgd"), 1)
    with pytest.raises(InputError, match="horizon_rounds is 0"):
        CoordinatorOptions(horizon_rounds=0)
    with pytest.raises(InputError, match="instances is 1; allowed: 2 or more"):
        FloorsOptions(instances=1)
    with pytest.raises(InputError, match="kinds is empty"):
        FloorsOptions(kinds=())


def test_sizes_of_model_and_kinds_of_loss_are_options(sites: list[FloorSite]) -> None:
    wider = ModelOptions(width=16, heads=2, encoder_layers=1, shared_layers=1, latent=4)
    plain = CoordinatorTask(sites, replace(OPTIONS, model=wider))
    assert plain.initial()["posterior.weight"].shape == (8, 32)
    sharp = replace(OPTIONS, training=TrainOptions(imitation=0.5))
    assert not same(fitted(CoordinatorTask(sites, sharp)), fitted(CoordinatorTask(sites, OPTIONS)))


def test_the_kinds_of_floors_can_be_chosen() -> None:
    options = replace(FLOORS, kinds=(FloorKind.RANDOM,), instances=2)
    assert all(site.train[0].floor.startswith("random") for site in draw_sites(2, options, 0))
