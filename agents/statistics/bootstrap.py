# SPDX-License-Identifier: Apache-2.0
"""Percentile intervals by the stratified bootstrap: runs are drawn again within each task.

The tasks stay, since an interval says what other seeds on the same tasks would give. Of a single
run nothing can be drawn, so there the interval is the number itself and ``has_interval`` is False.

Percentiles of few runs are too narrow. Of normal scores on 3 tasks, 95 % intervals of the
interquartile mean cover the truth in 93 % of the cases with 10 runs, 90 % with 5, 86 % with 3 (on
a single task 93 %, 89 % and 73 %); of the probability of improvement in 94 %, 94 % and 86 %.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.statistics.aggregates import above, improvement, iqm, mean, optimality_gap, wins
from agents.statistics.scores import Array, checked_scores
from sim.errors import require

RESAMPLES = 2000
LEVEL = 0.95
AT_ONCE = 4_000_000
"""Most scores in memory at the same time."""

Statistic = Callable[[Array], Array]
"""[..., runs, tasks] to [...]."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, from so many runs; of two algorithms from those of the fewer."""

    value: float
    low: float
    high: float
    runs: int

    @property
    def has_interval(self) -> bool:
        """Whether there was anything to resample."""
        return self.runs > 1


@dataclass(frozen=True, eq=False)
class Band:
    """Numbers along a curve with their pointwise intervals, [points] each, from so many runs."""

    values: Array
    low: Array
    high: Array
    runs: int


def draw_runs(
    runs: int, tasks: int, rng: np.random.Generator, resamples: int = RESAMPLES
) -> NDArray[np.int64]:
    """Which runs [resamples, runs, tasks] stand in for the runs, within each task."""
    require("resamples", resamples, resamples >= 1, "1 or more")
    return rng.integers(runs, size=(resamples, runs, tasks))


def estimate_iqm(
    scores: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Estimate:
    """The interquartile mean of scores [runs, tasks].

    Raises:
        InputError: scores that are not usable; names the place.
    """
    return _estimate(checked_scores(scores), iqm, rng, resamples, level)


def estimate_gap(
    scores: ArrayLike,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    target: float = 1.0,
) -> Estimate:
    """The optimality gap of scores [runs, tasks]; errors as :func:`estimate_iqm`."""

    def gap(drawn: Array) -> Array:
        return optimality_gap(drawn, target)

    return _estimate(checked_scores(scores), gap, rng, resamples, level)


def estimate_curve(
    scores: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Band:
    """Sample efficiency: the interquartile mean of scores [runs, tasks, points] at each point.

    A run is drawn as a whole, with all its points. Errors as :func:`estimate_iqm`.
    """
    points = np.moveaxis(checked_scores(scores, axes=3), 2, 0)
    return _band(points, iqm, rng, resamples, level)


def estimate_profile(
    scores: ArrayLike,
    thresholds: ArrayLike,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Band:
    """Performance profile: the share of runs [runs, tasks] above each threshold [thresholds].

    Errors as :func:`estimate_iqm`.
    """
    marks = np.asarray(thresholds, dtype=np.float64)
    return _band(above(checked_scores(scores), marks), mean, rng, resamples, level)


def estimate_improvement(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """P(X > Y) of scores [runs, tasks] each, of the same tasks; numbers of runs may differ.

    Runs of both are drawn independently: how often each stands in is enough, for the pairs that
    they win were counted once.

    Raises:
        InputError: scores that are not usable, or of different numbers of tasks.
    """
    one, other = checked_scores(first, "first"), checked_scores(second, "second")
    same = one.shape[1] == other.shape[1]
    require("second.shape", other.shape, same, f"as many tasks as the first, {one.shape[1]}")
    tasks = one.shape[1]
    counts = [_times(draw_runs(len(scores), tasks, rng, resamples)) for scores in (one, other)]
    won = np.einsum("bti,tij,btj->b", counts[0], wins(one, other), counts[1], optimize=True)
    low, high = _ends(won / (one.size * len(other)), level)
    return Estimate(improvement(one, other), float(low), float(high), min(len(one), len(other)))


def _times(drawn: NDArray[np.int64]) -> Array:
    """How often [resamples, tasks, runs] each run stands in."""
    runs = drawn.shape[1]
    counts = [(drawn == run).sum(axis=1) for run in range(runs)]
    return np.stack(counts, axis=-1).astype(np.float64)


def _estimate(
    scores: Array, statistic: Statistic, rng: np.random.Generator, resamples: int, level: float
) -> Estimate:
    band = _band(scores[None], statistic, rng, resamples, level)
    return Estimate(float(band.values[0]), float(band.low[0]), float(band.high[0]), band.runs)


def _band(
    points: Array, statistic: Statistic, rng: np.random.Generator, resamples: int, level: float
) -> Band:
    """Of scores [points, runs, tasks]; a resample has the same runs at all points."""
    runs, tasks = points.shape[1:]
    drawn = draw_runs(runs, tasks, rng, resamples)
    parts = min(max(1, -(-resamples * points.size // AT_ONCE)), resamples)
    task = np.arange(tasks)
    found = [statistic(points[:, part, task]) for part in np.array_split(drawn, parts)]
    low, high = _ends(np.concatenate(found, axis=1).T, level)
    return Band(statistic(points), low, high, runs)


def _ends(found: Array, level: float) -> tuple[Array, Array]:
    """The percentiles of [resamples, ...] that hold the middle ``level`` of it."""
    require("level", level, 0 < level < 1, "above 0, below 1")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
