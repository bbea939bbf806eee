# SPDX-License-Identifier: Apache-2.0
"""Sample efficiency: the interquartile mean over seeds after so many steps."""

from collections.abc import Sequence

import numpy as np

from agents.statistics import estimate_curve
from cluster.report.compare.results import Curve
from cluster.report.line_chart import Points
from cluster.report.means import Resampled
from cluster.trials import trial_rng

MOST_POINTS = 60
RESAMPLES = 1000


def efficiency(curves: Sequence[Curve], env: str) -> dict[str, Points]:
    """By policy the interquartile mean with its band; from where every seed has ended an episode.

    A training that ended before the others stays where it was.
    """
    own = [curve for curve in curves if curve.env == env]
    by_policy = {name: [c for c in own if c.policy == name] for name in _names(own)}
    lines = {name: _points(several, env) for name, several in by_policy.items()}
    return {name: points for name, points in lines.items() if points}


def _names(curves: Sequence[Curve]) -> list[str]:
    return list(dict.fromkeys(curve.policy for curve in curves))


def _points(curves: Sequence[Curve], env: str) -> Points:
    steps = sorted({step for curve in curves for step in curve.steps})
    values = np.array([_filled(curve, steps) for curve in curves])
    known = np.flatnonzero(np.isfinite(values).all(axis=0))
    if not len(known):
        return []
    places = known[::-1][:: -(-len(known) // MOST_POINTS)][::-1]
    scores = values[:, None, places]
    band = estimate_curve(scores, trial_rng(0, f"{env}/{curves[0].policy}"), RESAMPLES)
    return [
        (int(steps[place]), Resampled(float(value), float(low), float(high), len(curves)))
        for place, value, low, high in zip(places, band.values, band.low, band.high, strict=True)
    ]


def _filled(curve: Curve, steps: Sequence[float]) -> list[float]:
    """A value for every step: the last one that is known, NaN before there is any."""
    known = dict(zip(curve.steps, curve.returns, strict=True))
    filled, last = [], float("nan")
    for step in steps:
        found = known.get(step)
        last = last if found is None else found
        filled.append(last)
    return filled
