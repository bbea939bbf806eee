# SPDX-License-Identifier: Apache-2.0
"""The pure parts of the measurements of federations: figures, tables, lies."""

import numpy as np
import pytest

from benchmarks.federated.byzantine import LIES
from benchmarks.federated.setting import Figure, compared, distance
from benchmarks.federated.tables import paired, per_cent, points, table


def test_a_figure_is_its_median_held_against_what_was_asked_for() -> None:
    faster = Figure("faster", (3.0, 30.0, 20.0), "x", 20.0)
    assert faster.value == 20.0
    assert faster.met
    assert "at least 20" in str(faster)
    assert str(faster).endswith("pass")
    slow = Figure("extra", (2.5,), "s", 2.0, at_most=True)
    assert not slow.met
    assert str(slow).endswith("MISS")
    assert Figure("size", (1.0,), "GB").met is None


def test_ratios_are_taken_within_a_repeat() -> None:
    theirs, ours = (
        [np.array([8.0, 10.0, 8.0]), np.array([40.0])],
        [np.array([1.0]), np.array([2.0])],
    )
    slow, fast, ratio = compared("round", theirs, ours, 3.0)
    assert (slow.values, fast.values, ratio.values) == ((8.0, 40.0), (1.0, 2.0), (8.0, 20.0))


def test_differences_are_paired_by_seed() -> None:
    assert points((0.9, 0.8), (0.8, 0.7)) == pytest.approx((10, 10))
    assert paired((0.9, 0.8), (0.8, 0.7)) == "10.0 ± 0.0"
    assert per_cent((0.9, 0.8)) == "85.0 ± 63.5"
    with pytest.raises(ValueError, match="longer"):
        points((0.9,), (0.8, 0.7))


def test_a_table_has_as_many_cells_in_every_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    with pytest.raises(ValueError, match="2 cells"):
        table(("a", "b"), [("1",)])


def test_the_distance_of_models_is_that_of_their_farthest_numbers() -> None:
    one = {"w": np.zeros(2), "b": np.zeros(1)}
    assert distance(one, {"w": np.array([0.0, -3.0]), "b": np.ones(1)}) == 3.0
    with pytest.raises(AssertionError, match="in common"):
        distance(one, {"w": np.zeros(2)})


def test_lies_are_what_they_are_called() -> None:
    came, learnt = {"w": np.ones(2)}, {"w": np.array([2.0, 1.0])}
    rng = np.random.default_rng(0)
    sent = {name: lie(came, learnt, rng) for name, lie in LIES.items()}
    np.testing.assert_array_equal(sent["flipped"]["w"], [0.0, 1.0])
    np.testing.assert_array_equal(sent["flipped x 10"]["w"], [-9.0, 1.0])
    assert np.isnan(sent["NaN"]["w"]).all()
    assert sent["shapes"]["w"].shape == (1,)
    assert list(sent["keys"]) == ["my.w"]
    assert sent["noise"]["w"].shape == (2,)
