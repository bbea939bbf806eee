# SPDX-License-Identifier: Apache-2.0
"""The prior over last layers against the densities that it is derived from, and what it is for."""

import numpy as np
import pytest
from scipy import stats

from federated.personal import (
    Hyper,
    Prior,
    Statistics,
    adapt,
    around,
    learn_prior,
    posterior,
    statistics,
    update,
    with_constant,
)
from sim.errors import InputError

NOISE = 0.3
Samples = tuple[np.ndarray, np.ndarray]


def truth(size: int, outputs: int, seed: int = 0) -> Prior:
    rng = np.random.default_rng(seed)
    root = 0.6 * rng.normal(size=(size, size)) / np.sqrt(size)
    covariance = root @ root.T + 0.02 * np.eye(size)
    return Prior(rng.normal(size=(size, outputs)), covariance, NOISE**2)


def draw_site(prior: Prior, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, Samples]:
    """The last layer of a site, and samples of it."""
    size, outputs = prior.mean.shape
    root = np.linalg.cholesky(prior.covariance)
    weights = prior.mean + root @ rng.normal(size=(size, outputs))
    features = rng.normal(size=(samples, size - 1))
    noise = np.sqrt(prior.noise) * rng.normal(size=(samples, outputs))
    return weights, (features, with_constant(features) @ weights + noise)


def draw(prior: Prior, sites: int, samples: int, seed: int = 1) -> list[Samples]:
    rng = np.random.default_rng(seed)
    return [draw_site(prior, samples, rng)[1] for _ in range(sites)]


def log_probability(prior: Prior, hyper: Hyper, sites: list[Samples]) -> float:
    """Of prior and samples together, from scipy's densities, with the last layers integrated."""
    total = stats.invwishart.logpdf(prior.covariance, hyper.freedom, hyper.scale)
    total += stats.invgamma.logpdf(prior.noise, hyper.noise_shape, scale=hyper.noise_scale)
    for mean, centre in zip(prior.mean.T, hyper.mean.T, strict=True):
        spread = prior.covariance / hyper.weight
        total += stats.multivariate_normal.logpdf(mean, centre, spread)
    for features, targets in sites:
        phi = with_constant(features)
        covariance = prior.noise * np.eye(len(phi)) + phi @ prior.covariance @ phi.T
        for mean, column in zip(prior.mean.T, targets.T, strict=True):
            total += stats.multivariate_normal.logpdf(column, phi @ mean, covariance)
    return float(total)


def test_the_posterior_is_that_of_a_gaussian_process() -> None:
    """The same from the joint density of weights and targets, sample by sample."""
    prior = truth(4, 2)
    features, targets = draw(prior, 1, 7)[0]
    phi = with_constant(features)
    gain = prior.covariance @ phi.T
    gain = gain @ np.linalg.inv(phi @ prior.covariance @ phi.T + prior.noise * np.eye(7))
    found = posterior(prior, statistics(features, targets))
    np.testing.assert_allclose(found.mean, prior.mean + gain @ (targets - phi @ prior.mean))
    covariance = prior.covariance - gain @ phi @ prior.covariance
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)
    weights = np.random.default_rng(0).multivariate_normal(np.zeros(4), covariance, (2, 20_000))
    layers = found.mean + np.moveaxis(weights, 0, -1)
    errors = np.sum((targets - phi @ layers) ** 2, axis=(1, 2))
    assert found.residual == pytest.approx(errors.mean(), rel=0.01)


def test_with_many_samples_the_posterior_is_least_squares() -> None:
    prior = truth(4, 2)
    features, targets = draw(prior, 1, 50_000)[0]
    fitted = np.linalg.lstsq(with_constant(features), targets, rcond=None)[0]
    found = posterior(prior, statistics(features, targets))
    np.testing.assert_allclose(found.mean, fitted, atol=1e-3)
    assert np.abs(fitted - prior.mean).max() > 0.1
    assert found.residual / (50_000 * 2) == pytest.approx(NOISE**2, rel=0.02)


def test_without_samples_a_site_has_the_mean() -> None:
    prior = truth(4, 2)
    nothing = statistics(np.empty((0, 3)), np.empty((0, 2)))
    np.testing.assert_allclose(adapt(prior, nothing), prior.mean)
    np.testing.assert_allclose(posterior(prior, nothing).covariance, prior.covariance)


@pytest.mark.parametrize(("sites", "samples", "outputs"), [(1, 3, 1), (6, 2, 2), (9, 30, 3)])
def test_no_round_makes_the_prior_less_probable(sites: int, samples: int, outputs: int) -> None:
    data = draw(truth(4, outputs), sites, samples)
    hyper = around(np.zeros((4, outputs)), 1.0)
    history = [
        log_probability(learn_prior(hyper, [statistics(*one) for one in data], rounds), hyper, data)
        for rounds in range(1, 40)
    ]
    assert (np.diff(history) > -1e-9).all()
    assert history[-1] > history[0] + 0.05


def test_what_is_learnt_is_the_most_probable() -> None:
    """Where EM ends no small step in any direction leads higher."""
    data = draw(truth(2, 2), 5, 6)
    hyper = around(np.zeros((2, 2)), 1.0)
    best = learn_prior(hyper, [statistics(*one) for one in data], 5000)
    most = log_probability(best, hyper, data)
    rng = np.random.default_rng(0)
    for _ in range(40):
        tilt = 0.01 * rng.normal(size=(2, 2))
        other = Prior(
            best.mean + 0.01 * rng.normal(size=(2, 2)),
            (np.eye(2) + tilt) @ best.covariance @ (np.eye(2) + tilt).T,
            best.noise * float(np.exp(0.01 * rng.normal())),
        )
        assert log_probability(other, hyper, data) < most


def test_without_sites_the_mode_of_the_belief_remains() -> None:
    hyper = around(np.ones((3, 2)), np.array([1.0, 2.0, 3.0]), noise=0.5)
    prior = update(hyper, [])
    np.testing.assert_array_equal(prior.mean, hyper.mean)
    assert prior.noise == pytest.approx(0.25)
    nudged = [
        Prior(prior.mean, prior.covariance * factor, prior.noise * other)
        for factor, other in ((0.99, 1.0), (1.01, 1.0), (1.0, 0.99), (1.0, 1.01))
    ]
    assert all(log_probability(prior, hyper, []) > log_probability(n, hyper, []) for n in nudged)


def test_a_known_prior_is_found_again_from_many_sites() -> None:
    known = truth(4, 2)
    sites = [statistics(*one) for one in draw(known, 800, 12)]
    found = learn_prior(around(np.zeros((4, 2)), 1.0), sites, 40)
    error = np.sqrt(np.diag(known.covariance).max() / 800)  # standard, of a mean over sites
    assert np.abs(found.mean - known.mean).max() < 4 * error
    assert np.abs(found.covariance - known.covariance).max() < 4 * error**2 * np.sqrt(800)
    assert found.noise == pytest.approx(known.noise, rel=0.03)
    assert known.covariance.max() > 0.2


def test_with_few_samples_the_prior_beats_one_for_all_and_each_for_itself() -> None:
    known = truth(6, 2)
    prior = learn_prior(
        around(np.zeros((6, 2)), 1.0), [statistics(*one) for one in draw(known, 300, 20)]
    )
    rng = np.random.default_rng(7)
    for shots in (1, 3, 7, 14):
        errors = np.zeros(3)
        for _ in range(200):
            weights, (features, targets) = draw_site(known, shots, rng)
            given = statistics(features, targets)
            ridge = np.linalg.solve(given.inner + NOISE**2 * np.eye(6), given.cross)
            heads = (adapt(prior, given), prior.mean, ridge)
            errors += [np.sum((head - weights) ** 2) for head in heads]
        own, everybody, alone = errors
        assert own < 0.9 * everybody
        assert own < 0.9 * alone


def test_statistics_of_sites_add_up() -> None:
    (a, b), (c, d) = draw(truth(4, 2), 2, 5)
    both = statistics(np.concatenate([a, c]), np.concatenate([b, d]))
    total = statistics(a, b) + statistics(c, d)
    np.testing.assert_allclose(total.inner, both.inner)
    np.testing.assert_allclose(total.cross, both.cross)
    assert total.square == pytest.approx(both.square)
    assert total.samples == 10


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"features and targets is '\(3, 2\) and \(4, 1\)'"):
        statistics(np.zeros((3, 2)), np.zeros((4, 1)))
    with pytest.raises(InputError, match="not finite"):
        statistics(np.full((3, 2), np.nan), np.zeros((3, 1)))
    good = {"mean": np.zeros((2, 1)), "weight": 1.0, "scale": np.eye(2), "freedom": 4.0}
    bad: list[tuple[str, object]] = [
        ("weight", 0.0),
        ("scale", np.diag([1.0, -1.0])),
        ("scale", np.eye(3)),
        ("freedom", 1.0),
        ("noise_shape", 0.0),
        ("noise_scale", 0.0),
    ]
    for name, value in bad:
        with pytest.raises(InputError, match=f"{name} is "):
            Hyper(**{**good, name: value})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rounds is 0"):
        learn_prior(around(np.zeros((2, 1)), 1.0), [], 0)
    assert isinstance(statistics(np.zeros((0, 1)), np.zeros((0, 1))), Statistics)
