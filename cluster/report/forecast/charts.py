# SPDX-License-Identifier: Apache-2.0
"""Learning curves with the trivial predictors as dashed lines, and the last loss of every seed."""

import math

from cluster.report.blocks import figure
from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.forecast.headline import of_task
from cluster.report.forecast.summary import Summary
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.markup import Markup, element
from cluster.report.palette import GREY
from cluster.report.wording import loss_words

LEAST = 1e-12
"""Losses below this are drawn as this."""
MOST_BANDS = 5
"""Curves of more models are drawn without the range of their seeds."""


def task_charts(summaries: list[Summary], task: str, epochs: tuple[int, ...]) -> Markup:
    """The two charts of a task side by side."""
    own = [s for s in of_task(summaries, task) if s.test and math.isfinite(s.loss)]
    charts = [_seeds(task, own)]
    if any(s.curve for s in own) and epochs[-1] > 1:
        charts.insert(0, _curves(task, own, epochs))
    return element("div", *charts, class_="pair")


def _curves(task: str, summaries: list[Summary], epochs: tuple[int, ...]) -> Markup:
    series = {s.model: s.curve or _level(s, epochs[-1]) for s in summaries}
    few = sum(not s.is_trivial for s in summaries) <= MOST_BANDS
    style = Style("epochs", "least to greatest", epochs, GREY, LEAST, bands=few)
    chart = line_chart(series, _decade, logarithmic=True, style=style)
    return figure(f"{task}: test MSE while training", chart)


def _level(summary: Summary, last: int) -> Points:
    """A predictor without training is a line all the way."""
    return [(epoch, summary.test) for epoch in (1, last) if summary.test is not None]


def _seeds(task: str, summaries: list[Summary]) -> Markup:
    rows = {
        s.model: Dots([t.test_mse for t in s.trainings if t.test_mse is not None], s.test)
        for s in summaries
        if s.test is not None
    }
    if not rows:
        return figure(task, element("p", "nothing was trained", class_="note"))
    chart = dot_chart(rows, _decade, logarithmic=True, least=LEAST)
    return figure(f"{task}: test MSE at the end, every seed", chart)


def _decade(value: float) -> str:
    """As other losses, but the powers of ten of an axis in one figure."""
    if value in (0.1, 1.0, 10.0):
        return f"{value:g}"
    return loss_words(value).replace("1.0e", "1e")
