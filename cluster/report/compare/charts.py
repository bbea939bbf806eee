# SPDX-License-Identifier: Apache-2.0
"""Sample efficiency and last returns of one environment; scores and profiles over all of them."""

from collections.abc import Sequence

import numpy as np

from cluster.report.blocks import figure
from cluster.report.compare.learning import efficiency
from cluster.report.compare.results import Curve, Trivial
from cluster.report.compare.standing import THRESHOLDS, Standing, profiles
from cluster.report.compare.summary import Environment
from cluster.report.compare.words import tick_words
from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.markup import Markup, element
from cluster.report.means import Resampled
from cluster.report.palette import GREY
from cluster.report.wording import number

MOST_BANDS = 5
"""Curves of more policies are drawn without their intervals, which would cover each other."""
TICKS = 5


def environment_charts(environment: Environment, curves: Sequence[Curve]) -> Markup:
    """The two charts of one environment side by side."""
    lines = efficiency(curves, environment.name)
    charts = [_efficiency(environment, lines)] if lines else []
    return element("div", *charts, _returns(environment), class_="pair")


def _efficiency(environment: Environment, lines: dict[str, Points]) -> Markup:
    steps = sorted({step for points in lines.values() for step, _ in points})
    levels = {t.policy: _level(t, (steps[0], steps[-1])) for t in environment.trivials}
    style = Style(
        "environment steps",
        ticks=_ticks(steps),
        dashed=(*GREY, *levels),
        bands=len(lines) <= MOST_BANDS,
    )
    chart = line_chart({**lines, **levels}, tick_words, style=style)
    return figure(f"{environment.name}: return while training, IQM over seeds", chart)


def _level(trivial: Trivial, ends: tuple[int, int]) -> Points:
    """What needs no training is a line all the way."""
    return [(step, _mean(trivial)) for step in sorted(set(ends))]


def _mean(trivial: Trivial) -> Resampled:
    return Resampled(trivial.mean, trivial.low, trivial.high, trivial.episodes)


def _returns(environment: Environment) -> Markup:
    rows = {s.policy: Dots(s.returns, s.iqm) for s in environment.summaries if s.iqm}
    rows |= {t.policy: Dots([], _mean(t)) for t in environment.trivials}
    title = f"{environment.name}: greedy return at the end, every seed"
    if not rows:
        return figure(title, element("p", "nothing was trained", class_="note"))
    return figure(title, dot_chart(rows, tick_words))


def standing_charts(found: Standing) -> Markup:
    """All environments together: every score, and how many scores are above how much."""
    rows = {one.policy: Dots(one.scores.ravel().tolist(), one.iqm) for one in found.policies}
    scores = figure("Score of every seed in every environment", dot_chart(rows, tick_words))
    few = len(found.policies) <= MOST_BANDS
    style = Style("% of the way", ticks=(0, 20, 40, 60, 80, 100), dashed=(), bands=few)
    chart = line_chart(_profiles(found), lambda share: number(100 * share, 0), style=style)
    above = figure("Performance profile: % of the runs above a score", chart)
    return element("div", scores, above, class_="pair")


def _profiles(found: Standing) -> dict[str, Points]:
    marks = np.round(100 * THRESHOLDS).astype(int).tolist()
    return {
        name: [
            (mark, Resampled(float(value), float(low), float(high), band.runs))
            for mark, value, low, high in zip(marks, band.values, band.low, band.high, strict=True)
        ]
        for name, band in profiles(found).items()
    }


def _ticks(steps: Sequence[int]) -> list[int]:
    """A few of the steps, the last one among them."""
    every = max(1, len(steps) // TICKS)
    return list(steps[::-1][::every])
