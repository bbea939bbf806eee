# SPDX-License-Identifier: Apache-2.0
"""New sites: the rows, that all methods are judged alike, and who wins where it should."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from federated.heads import as_outputs, refit, softmax
from federated.newcomers import Federated, Newcomer, compare, judge, ridge_fit
from federated.personal import Prior, around, learn_prior, statistics, with_constant
from sim.errors import InputError

SIZE, OUTPUTS, NOISE = 6, 3, 0.3


def body(inputs: np.ndarray) -> np.ndarray:
    """Features that nobody finds from a few samples alone."""
    mixing = np.random.default_rng(99).normal(size=(12, SIZE - 1)) / np.sqrt(12)
    features: np.ndarray = np.tanh(3 * inputs @ mixing)
    return features


class World:
    """Sites whose last layers differ by a known law."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.rng = np.random.default_rng(5)
        self.mean = self.rng.normal(size=(SIZE, OUTPUTS))

    def site(self, samples: int) -> tuple[np.ndarray, np.ndarray]:
        spread = np.linspace(0.1, 1.2, SIZE)[:, None]
        weights = self.mean + spread * self.rng.normal(size=(SIZE, OUTPUTS))
        inputs = self.rng.normal(size=(samples, 12))
        noise = NOISE * self.rng.normal(size=(samples, OUTPUTS))
        values = with_constant(body(inputs)) @ weights + noise
        return inputs, values.argmax(axis=1) if self.classes else values

    def federated(self) -> Federated:
        sites = [self.site(60) for _ in range(150)]
        sums = [statistics(body(x), as_outputs(y, self.classes)) for x, y in sites]
        total = sum(sums[1:], sums[0])
        pooled = np.linalg.solve(total.inner + np.eye(SIZE), total.cross).astype(np.float64)
        prior = learn_prior(around(pooled, 0.3), sums)
        if not self.classes:
            return Federated(body, pooled, prior)
        wanted = np.concatenate([as_outputs(y, self.classes) for _, y in sites])
        features = np.concatenate([body(x) for x, _ in sites])
        head = refit(np.zeros((SIZE, OUTPUTS)), features, wanted, 1.0, True)
        return Federated(body, head, prior, self.classes)

    def newcomer(self, number: int, units: int = 14, per_unit: int = 1) -> Newcomer:
        inputs, targets = self.site(units * per_unit + 200)
        ends = [per_unit * (unit + 1) for unit in range(units)]
        last = ends[-1]
        return Newcomer(number, inputs[:last], targets[:last], ends, inputs[last:], targets[last:])


@pytest.mark.parametrize("classes", [0, OUTPUTS])
def test_the_prior_wins_with_few_samples_where_sites_differ_by_a_law(classes: int) -> None:
    world = World(classes)
    federated = world.federated()
    losses, hits = defaultdict(list), defaultdict(list)
    for number in range(60):
        for row in compare(world.newcomer(number), federated, ridge_fit(classes)):
            losses[row["method"], row["amount"]].append(row["loss"])
            hits[row["method"], row["amount"]].append(row["accuracy"])
    mean = {key: float(np.mean(values)) for key, values in losses.items()}
    for amount in (3, 7, 14):
        rivals = [mean[method, amount] for method in ("global", "local")]
        assert mean["prior", amount] < 0.95 * min(rivals)
    assert mean["prior", 14] < mean["prior", 3] < mean["prior", 1]
    assert mean["head", 14] < mean["global", 14]
    if classes:
        assert np.mean(hits["prior", 14]) > np.mean(hits["global", 14]) + 0.05


def test_rows_are_those_of_the_report() -> None:
    world = World(0)
    newcomer = world.newcomer(8, units=7, per_unit=5)
    rows = compare(newcomer, world.federated(), ridge_fit())
    assert [(row["amount"], row["method"]) for row in rows] == [
        (amount, method)
        for amount in (1, 3, 7)  # it has no 14 days
        for method in ("global", "local", "head", "prior")
    ]
    assert all(type(row["method"]) is str and row["accuracy"] is None for row in rows)
    assert {(row["site"], row["samples"]) for row in rows} == {(8, 200)}
    assert len({row["loss"] for row in rows if row["method"] == "global"}) == 1


def test_only_samples_of_the_first_units_are_seen() -> None:
    world = World(0)
    newcomer = world.newcomer(0, units=3, per_unit=4)
    seen = []

    def spy(inputs: np.ndarray, targets: np.ndarray) -> Any:
        seen.append((inputs, targets))
        return lambda given: np.zeros((len(given), OUTPUTS))

    compare(newcomer, world.federated(), spy, amounts=(1, 3))
    assert [len(inputs) for inputs, _ in seen] == [4, 12]
    np.testing.assert_array_equal(seen[0][0], newcomer.inputs[:4])
    np.testing.assert_array_equal(seen[1][1], newcomer.targets)


def test_classes_are_judged_by_brier_score_and_accuracy() -> None:
    outputs = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]])
    loss, accuracy = judge(outputs, np.array([0, 1, 1]), 2)
    assert loss == pytest.approx((2 * 0.3**2 + 2 * 0.4**2 + 2 * 0.9**2) / 3)
    assert accuracy == pytest.approx(2 / 3)
    loss, accuracy = judge(outputs[:, :1], np.array([0.7, 0.0, 0.9]), 0)
    assert loss == pytest.approx(0.4**2 / 3)
    assert accuracy is None


@pytest.mark.parametrize("probable", [False, True])
def test_a_refitted_head_is_where_the_slope_is_zero(probable: bool) -> None:
    rng = np.random.default_rng(0)
    head, features = rng.normal(size=(4, 3)), rng.normal(size=(9, 3))
    wanted = np.eye(3)[rng.integers(3, size=9)] if probable else rng.normal(size=(9, 3))

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(head.shape)
        outputs = with_constant(features) @ weights
        if probable:
            misfit = -np.sum(wanted * np.log(softmax(outputs)))
        else:
            misfit = np.sum((outputs - wanted) ** 2) / 2
        return float(misfit + 0.7 / 2 * np.sum((weights - head) ** 2))

    found = refit(head, features, wanted, 0.7, probable)
    assert np.abs(approx_fprime(found.ravel(), loss, 1e-7)).max() < 1e-5
    assert np.abs(found - head).max() > 0.1


def test_a_refitted_head_without_samples_stays() -> None:
    head = np.arange(8.0).reshape(4, 2)
    for probable in (False, True):
        found = refit(head, np.empty((0, 3)), np.empty((0, 2)), 1.0, probable)
        np.testing.assert_allclose(found, head)


def test_bad_input_is_refused() -> None:
    inputs, targets = np.zeros((5, 2)), np.zeros((5, 1))
    for ends in ([2, 2], [3, 6], [], [0, 1]):
        with pytest.raises(InputError, match="ends of site 4 is "):
            Newcomer(4, inputs, targets, ends, inputs, targets)
    with pytest.raises(InputError, match="test_inputs of site 4 is empty"):
        Newcomer(4, inputs, targets, [1], inputs[:0], targets[:0])
    prior = Prior(np.zeros((3, 1)), np.eye(3), 1.0)
    with pytest.raises(InputError, match=r"head is \(2, 1\); needed as prior: \(3, 1\)"):
        Federated(lambda given: given, np.zeros((2, 1)), prior)
    with pytest.raises(InputError, match="ridge is 0"):
        Federated(lambda given: given, np.zeros((3, 1)), prior, ridge=0)
    newcomer = Newcomer(4, inputs, targets, [1, 2], inputs, targets)
    federated = Federated(lambda given: given, np.zeros((3, 1)), prior)
    with pytest.raises(InputError, match=r"amounts is \[3\]"):
        compare(newcomer, federated, ridge_fit(), amounts=(3,))
