# SPDX-License-Identifier: Apache-2.0
"""Numbers that sum up the scores of an algorithm, or compare those of two.

Scores are arrays [..., runs, tasks]: what stands before the last two axes are resamples or points,
and each gets its own number. Nothing is checked here; estimates are what people call.
"""

import numpy as np

from agents.statistics.scores import Array

CUT = 0.25
"""Share of all scores that the interquartile mean leaves out at either end, rounded down."""


def iqm(scores: Array) -> Array:
    """Interquartile mean [...] over all runs and tasks: the mean of the middle half."""
    flat = _flat(scores)
    count = flat.shape[-1]
    cut = int(CUT * count)
    if cut == 0:
        return np.asarray(flat.mean(axis=-1))
    ordered = np.partition(flat, (cut, count - cut - 1), axis=-1)
    return np.asarray(ordered[..., cut : count - cut].mean(axis=-1))


def optimality_gap(scores: Array, target: float = 1.0) -> Array:
    """By how much scores fall short of the target on average [...]; more than it counts as it."""
    return np.asarray(target - _flat(np.minimum(scores, target)).mean(axis=-1))


def mean(scores: Array) -> Array:
    """Mean [...] over all runs and tasks."""
    return np.asarray(_flat(scores).mean(axis=-1))


def above(scores: Array, thresholds: Array) -> Array:
    """Whether [thresholds, runs, tasks] a score [runs, tasks] is above a threshold, as 0 or 1."""
    return (scores > thresholds[:, None, None]).astype(np.float64)


def profile(scores: Array, thresholds: Array) -> Array:
    """Share [thresholds] of the runs [runs, tasks] of all tasks above each threshold."""
    return mean(above(scores, thresholds))


def wins(first: Array, second: Array) -> Array:
    """1, 1/2 or 0 [tasks, first runs, second runs]: run against run of [runs, tasks] each."""
    one, other = first.T[:, :, None], second.T[:, None, :]
    return np.asarray((one > other) + 0.5 * (one == other))


def improvement(first: Array, second: Array) -> float:
    """P(X > Y): that a run of the first beats one of the second on the same task; ties half.

    The mean over tasks of Mann and Whitney's U over the number of pairs.
    """
    return float(wins(first, second).mean())


def _flat(scores: Array) -> Array:
    return scores.reshape(*scores.shape[:-2], -1)
