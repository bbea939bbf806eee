# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federated.partition import Kind, Partition, share_out, unevenness
from sim.errors import InputError

LABEL = np.repeat(np.arange(10), 60)
GROUP = np.arange(600) % 7
ALL = ["iid", "dirichlet:0.3", "dirichlet:100", "classes:2", "quantity:0.5", "natural"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shared(text: str, sites: int = 6, seed: int = 0, least: int = 1) -> tuple[np.ndarray, ...]:
    return share_out(Partition.parse(text), LABEL, sites, rng(seed), group=GROUP, least=least)


@pytest.mark.parametrize("text", ALL)
@given(sites=st.integers(5, 7), seed=st.integers(0, 1000))
def test_every_sample_has_one_site_and_every_site_samples(text: str, sites: int, seed: int) -> None:
    parts = shared(text, sites, seed)
    together = np.concatenate(parts)
    assert len(parts) == sites
    assert min(map(len, parts)) >= 1
    assert len(np.unique(together)) == len(together)
    assert len(together) == (len(LABEL) if text != "natural" else (sites > GROUP).sum())
    assert all((np.diff(part) > 0).all() for part in parts)


@pytest.mark.parametrize("text", ALL)
def test_the_seed_decides(text: str) -> None:
    for one, other in zip(shared(text, seed=3), shared(text, seed=3), strict=True):
        np.testing.assert_array_equal(one, other)
    if text != "natural":
        pairs = zip(shared(text, seed=3), shared(text, seed=4), strict=True)
        assert any(len(a) != len(b) or (a != b).any() for a, b in pairs)


def test_kinds_differ_in_what_they_say_they_do() -> None:
    uneven = {text: np.mean([unevenness(LABEL, shared(text, seed=s)) for s in range(10)])
              for text in ALL}  # fmt: skip
    assert uneven["iid"] < 0.15
    assert uneven["dirichlet:100"] < 0.15
    assert uneven["dirichlet:0.3"] > 0.35
    assert uneven["classes:2"] > 0.7
    sizes = {text: np.std([len(part) for part in shared(text)]) for text in ALL}
    assert sizes["iid"] < 1
    assert sizes["quantity:0.5"] > 30
    assert np.mean([unevenness(LABEL, shared("quantity:5", seed=s)) for s in range(10)]) < 0.2


def test_classes_are_few_and_all_are_somewhere() -> None:
    parts = shared("classes:2")
    assert all(len(np.unique(LABEL[part])) == 2 for part in parts)
    assert len(np.unique(LABEL[np.concatenate(parts)])) == 10


def test_dirichlet_shares_have_the_mean_and_the_spread_of_the_distribution() -> None:
    """The share of one class at one site: mean 1/n, variance (1/n)(1 - 1/n) / (n alpha + 1)."""
    label, sites, alpha = np.zeros(2000, np.int64), 4, 2.0
    partition = Partition(Kind.DIRICHLET, alpha)
    drawn = [share_out(partition, label, sites, rng(seed)) for seed in range(600)]
    share = np.array([len(parts[0]) / len(label) for parts in drawn])
    assert share.mean() == pytest.approx(1 / 4, abs=0.02)
    assert share.var() == pytest.approx(1 / 4 * 3 / 4 / (sites * alpha + 1), rel=0.2)


def test_what_one_types_is_what_one_reads() -> None:
    for text in ALL:
        assert str(Partition.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dirichelt:0.3", "allowed: iid, dirichlet, classes, quantity, natural"),
        ("dirichlet", "needed: a concentration above 0"),
        ("dirichlet:0", "needed: a concentration above 0"),
        ("dirichlet:nan", "needed: a concentration above 0"),
        ("quantity:-1", "needed: a concentration above 0"),
        ("classes:1.5", "needed: a whole number"),
        ("classes:two", "'two' is no number"),
        ("iid:3", "allowed: iid without a number"),
    ],
)
def test_impossible_partitions_are_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(InputError, match="partition is") as error:
        Partition.parse(text)
    assert told in str(error.value)


def test_what_the_data_cannot_give_is_refused() -> None:
    with pytest.raises(InputError, match="at most 600, as there are 600 samples"):
        shared("iid", 601)
    with pytest.raises(InputError, match="at most 60, as there are 600"):
        shared("iid", 61, least=10)
    with pytest.raises(InputError, match="at most 7, which the data come from"):
        shared("natural", 8)
    with pytest.raises(InputError, match="name no sites"):
        share_out(Partition(Kind.NATURAL), LABEL, 3, rng())
    with pytest.raises(InputError, match="at most 10"):
        shared("classes:11")
    with pytest.raises(InputError, match="at least 5 are needed"):
        shared("classes:2", 4)
    with pytest.raises(InputError, match=r"leaves a site with \d+ samples; needed: 90"):
        shared("dirichlet:0.05", 6, least=90)
    with pytest.raises(InputError, match="sites is 0"):
        shared("iid", 0)
