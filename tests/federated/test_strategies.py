# SPDX-License-Identifier: Apache-2.0
"""Every strategy stops and goes on as if nothing had happened, and impossible ones are refused."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from flwr.serverapp.strategy import DifferentialPrivacyServerSideAdaptiveClipping, FedAvg

from federated.checkpoint import pack, unpack
from federated.flower import identity
from federated.records import to_arrays, to_record
from federated.rounds import Progress, Round, run_rounds
from federated.strategies import as_before, make_strategy, restore, state_of
from federated.strategy_options import StrategyName, StrategyOptions, asked_each_round
from federated.task import Arrays
from sim.errors import InputError
from tests.federated.moving_sites import COUNT, beginning, moved, moving_grid, samples, small_heap

PLAIN = StrategyOptions()
SOME = StrategyOptions(fraction=0.5)
FIXED = StrategyOptions(clip_norm=0.5, noise_multiplier=0.3)
ADAPTIVE = replace(FIXED, adaptive_clipping=True)
REMEMBERING = {
    StrategyName.FEDAVGM: {"momentum_vector"},
    StrategyName.FEDADAM: {"m_t", "v_t"},
    StrategyName.FEDYOGI: {"m_t", "v_t"},
    StrategyName.FEDADAGRAD: {"m_t", "v_t"},
}
"""Those whose next model depends on more than the last one."""
CASES = [
    (name, options)
    for name in StrategyName
    for options in (PLAIN, SOME, FIXED, ADAPTIVE)
    if name != StrategyName.FEDAVGM or options.clip_norm is None
]


def rounds(
    name: StrategyName, options: StrategyOptions, begin: Progress, count: int, seed: int = 0
) -> list[Round]:
    strategy = make_strategy(name, options, COUNT)
    with identity(run_id=1), small_heap():
        return list(run_rounds(moving_grid(), strategy, begin, count, seed=seed, evaluate=False))


def start(dtype: type = np.float64) -> Progress:
    return Progress(0, beginning(dtype), {})


def assert_same(one: Arrays, other: Arrays) -> None:
    assert sorted(one) == sorted(other)
    for name, value in one.items():
        assert np.asarray(value).dtype == np.asarray(other[name]).dtype
        np.testing.assert_array_equal(value, other[name])


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_three_rounds_and_three_more_are_six_bit_for_bit(
    name: StrategyName, options: StrategyOptions, dtype: type
) -> None:
    straight = rounds(name, options, start(dtype), 6)
    stopped = rounds(name, options, start(dtype), 3)[-1].progress
    kept = unpack(pack(stopped, "test"), "test", "here")
    resumed = rounds(name, options, kept, 6)
    assert [done.progress.round for done in resumed] == [4, 5, 6]
    for later, wanted in zip(resumed, straight[3:], strict=True):
        assert_same(later.before, wanted.before)
        assert_same(later.progress.arrays, wanted.progress.arrays)
        assert_same(later.progress.state, wanted.progress.state)
    models = [done.progress.arrays["head.bias"] for done in straight]
    assert all((one != other).any() for one, other in pairwise(models))


@pytest.mark.parametrize("name", StrategyName)
def test_what_a_strategy_remembers_matters_and_is_all_of_it(name: StrategyName) -> None:
    stopped = rounds(name, PLAIN, start(), 3)[-1].progress
    assert {part.split("/")[0] for part in stopped.state} == REMEMBERING.get(name, set())
    forgetful = rounds(name, PLAIN, replace(stopped, state={}), 6)[-1].progress.arrays
    straight = rounds(name, PLAIN, start(), 6)[-1].progress.arrays
    same = all((forgetful[part] == straight[part]).all() for part in straight)
    assert same == (name not in REMEMBERING)


def test_the_norm_of_adaptive_clipping_and_the_memory_inside_are_kept() -> None:
    stopped = rounds(StrategyName.FEDADAM, ADAPTIVE, start(), 2)[-1].progress
    assert {part.rpartition("/")[0] for part in stopped.state} == {"", "inner/m_t", "inner/v_t"}
    assert stopped.state["clipping_norm"] != ADAPTIVE.clip_norm
    fresh = make_strategy(StrategyName.FEDADAM, ADAPTIVE, COUNT)
    assert set(state_of(fresh)) == {"clipping_norm"}
    restore(fresh, stopped.state)
    assert_same(state_of(fresh), stopped.state)


@pytest.mark.parametrize("options", [FIXED, ADAPTIVE])
def test_noise_is_the_seed_s_and_other_in_every_round(options: StrategyOptions) -> None:
    first, again = (rounds(StrategyName.FEDAVG, options, start(), 2) for _ in range(2))
    assert_same(first[1].progress.arrays, again[1].progress.arrays)
    other = rounds(StrategyName.FEDAVG, options, start(), 2, seed=1)
    assert (other[0].progress.arrays["head.bias"] != first[0].progress.arrays["head.bias"]).any()
    # From the same model in another round: what differs is the noise.
    begin = Progress(1, beginning(), {})
    (late,) = rounds(StrategyName.FEDAVG, options, begin, 2)
    assert (late.progress.arrays["head.bias"] != first[0].progress.arrays["head.bias"]).any()


def test_clipped_updates_have_equal_weights_and_the_length_that_is_allowed() -> None:
    options = StrategyOptions(clip_norm=0.2, noise_multiplier=0.0)
    (done,) = rounds(StrategyName.FEDAVG, options, start(), 1)

    def flat(arrays: Arrays) -> np.ndarray:
        return np.concatenate([value.ravel() for value in arrays.values()])

    begin = flat(beginning())
    updates = [flat(moved(site, beginning())) - begin for site in range(COUNT)]
    clipped = [u * min(1, 0.2 / np.linalg.norm(u)) for u in updates]
    assert all(np.linalg.norm(u) > 0.2 for u in updates)
    np.testing.assert_allclose(flat(done.progress.arrays), begin + np.mean(clipped, 0), atol=1e-12)


def test_what_strategies_make_of_replies_by_hand() -> None:
    honest = np.array([moved(site, beginning())["head.bias"] for site in range(COUNT)])
    mean = np.average(honest, 0, [samples(site) for site in range(COUNT)])

    def found(name: str) -> np.ndarray:
        options = StrategyOptions(malicious=1, server_learning_rate=0.1, tau=0.001)
        (done,) = rounds(StrategyName(name), options, start(), 1)
        return done.progress.arrays["head.bias"]

    np.testing.assert_allclose(found("fedavg"), mean, atol=1e-12)
    np.testing.assert_allclose(found("fedprox"), mean, atol=1e-12)
    np.testing.assert_allclose(found("fedmedian"), np.median(honest, 0), atol=1e-12)
    trimmed = np.sort(honest, 0)[1:-1].mean(0)  # a fifth of seven, rounded down, is one
    np.testing.assert_allclose(found("trimmed"), trimmed, atol=1e-12)
    assert any((found("krum") == reply).all() for reply in honest)
    moved_by = mean - beginning()["head.bias"]
    first, second = 0.1 * moved_by, 0.01 * moved_by**2  # moments of Adam, beta 0.9 and 0.99
    rate = 0.1 * np.sqrt(1 - 0.99**2) / (1 - 0.9**2)  # Flower counts the first round as two
    stepped = beginning()["head.bias"] + rate * first / (np.sqrt(second) + 0.001)
    np.testing.assert_allclose(found("fedadam"), stepped, rtol=1e-6)


# What can never work


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("fedavg", {"quorum": 8}, "quorum is 8; allowed: at most 7, who are asked"),
        ("fedavg", {"quorum": 4, "fraction": 0.5}, "quorum is 4; allowed: at most 3"),
        ("krum", {"malicious": 3}, "malicious is 3; allowed: fewer, as krum needs 9 sites"),
        ("multikrum", {"malicious": 3}, "as multikrum needs 9 sites and asks 7"),
        ("bulyan", {"malicious": 2}, "as bulyan needs 11 sites and asks 7"),
        ("krum", {"fraction": 0.3}, "as krum needs 3 sites and asks 2"),
        ("fedavgm", {"clip_norm": 1.0}, "strategy is 'fedavgm'; allowed: any other with clip_norm"),
    ],
)
def test_impossible_combinations_are_refused(
    name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as told:
        make_strategy(StrategyName(name), StrategyOptions(**changes), COUNT)
    assert message in str(told.value)


@pytest.mark.parametrize(("noise", "allowed"), [(0.69, True), (0.7, False), (50.0, False)])
def test_noise_that_adaptive_clipping_cannot_share_is_refused(noise: float, allowed: bool) -> None:
    """Flower's own bound, in our words and before anything starts."""
    options = replace(ADAPTIVE, noise_multiplier=noise)
    make_strategy(StrategyName.FEDAVG, replace(options, adaptive_clipping=False), COUNT)
    if allowed:
        make_strategy(StrategyName.FEDAVG, options, COUNT)
        return
    with pytest.raises(InputError, match=r"allowed: below 0.7, a tenth of the sites asked"):
        make_strategy(StrategyName.FEDAVG, options, COUNT)
    with pytest.raises(ValueError, match="too low"):
        DifferentialPrivacyServerSideAdaptiveClipping(FedAvg(), noise, COUNT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fraction": 0.0}, "fraction is 0.0; allowed: above 0, at most 1"),
        ({"fraction": 1.5}, "fraction is 1.5"),
        ({"quorum": 0}, "quorum is 0; allowed: 1 or more"),
        ({"timeout_s": 0.0}, "timeout_s is 0.0; allowed: a positive number"),
        ({"proximal_mu": -0.1}, "proximal_mu is -0.1"),
        ({"server_learning_rate": float("nan")}, "server_learning_rate is nan"),
        ({"tau": 0.0}, "tau is 0.0"),
        ({"momentum": 1.0}, "momentum is 1.0; allowed: 0 or more, below 1"),
        ({"malicious": -1}, "malicious is -1"),
        ({"trim": 0.5}, "trim is 0.5; allowed: 0 or more, below 0.5"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0; allowed: a positive number"),
        ({"clip_norm": 1.0, "noise_multiplier": -1.0}, "noise_multiplier is -1.0"),
        ({"adaptive_clipping": True}, "adaptive_clipping is True; allowed: with clip_norm only"),
    ],
)
def test_numbers_that_are_not_allowed_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as told:
        StrategyOptions(**changes)
    assert message in str(told.value)


@pytest.mark.parametrize(("sites", "fraction", "asked"), [(10, 1, 10), (10, 0.25, 2), (3, 0.1, 1)])
def test_a_fraction_asks_at_least_one(sites: int, fraction: float, asked: int) -> None:
    assert asked_each_round(StrategyOptions(fraction=fraction), sites) == asked


def test_types_are_given_back_and_equal_ones_left_alone() -> None:
    wanted, wide = to_record(beginning(np.float32)), to_record(beginning(np.float64))
    assert as_before(wide, wide) is wide
    narrow = to_arrays(as_before(wide, wanted))
    assert {value.dtype for value in narrow.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(narrow["head.bias"], [1, 1])
