# SPDX-License-Identifier: Apache-2.0
"""How one policy learnt, over the steps of its environment."""

from collections.abc import Callable, Sequence
from itertools import groupby

from cluster.report.agent.results import Look
from cluster.report.blocks import figure
from cluster.report.compare.results import Trivial
from cluster.report.compare.words import tick_words
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.markup import Markup, element
from cluster.report.means import Mean, mean_of
from cluster.report.palette import GREY
from cluster.report.wording import number

MOST_POINTS = 200
"""Of more rows each point is the mean of several in a row."""
TICKS = 5

Measure = Callable[[Look], float | None]


def learning_chart(looks: Sequence[Look], trivials: Sequence[Trivial], policy: str) -> Markup:
    """The return, with what needs no training as dashed lines."""
    points = thinned(looks, lambda look: look.mean_return)
    levels = {t.policy: Mean(t.mean, t.low, t.high, t.episodes) for t in trivials}
    ends = (points[0][0], points[-1][0]) if points else ()
    dashed = {name: [(step, level) for step in ends] for name, level in levels.items()}
    title = "Mean return of the episodes that ended"
    return figure(title, _chart({policy: points, **dashed}, tick_words))


def measure_charts(looks: Sequence[Look]) -> Markup:
    """Speed and lag, loss and entropy, each on an axis of its own."""
    measures: list[tuple[str, str, Measure, Callable[[float], str]]] = [
        ("Environment steps per second", "steps per s", lambda k: k.steps_per_s, _whole),
        ("Lag: updates between acting and learning", "lag", lambda k: k.lag, tick_words),
        ("Loss", "loss", lambda k: k.loss, _figures),
        ("Loss of the value", "value loss", lambda k: k.value_loss, _figures),
        ("Entropy of the actions, nats", "entropy", lambda k: k.entropy, tick_words),
    ]
    drawn = [
        figure(title, _chart({name: thinned(looks, measure)}, write))
        for title, name, measure, write in measures
        if any(measure(look) is not None for look in looks)
    ]
    return element("div", *drawn, class_="pair")


def thinned(looks: Sequence[Look], measure: Measure) -> Points:
    """The measure by steps, as means of neighbours where there are more than can be seen."""
    found = [(look.steps, measure(look)) for look in looks]
    known = [(steps, value) for steps, value in found if value is not None]
    width = -(-len(known) // MOST_POINTS) or 1
    groups = groupby(enumerate(known), key=lambda pair: pair[0] // width)
    points: Points = []
    for _, group in groups:
        rows = [row for _, row in group]
        mean = mean_of([value for _, value in rows])
        if mean is not None:
            points.append((rows[-1][0], Mean(mean.value, mean.value, mean.value, 1)))
    return points


def _chart(series: dict[str, Points], write: Callable[[float], str]) -> Markup:
    shown = {name: points for name, points in series.items() if points}
    steps = sorted({step for points in shown.values() for step, _ in points})
    if len(steps) < 2:
        return element("p", "fewer than two rows measured this", class_="note")
    ticks = steps[::-1][:: max(1, len(steps) // TICKS)]
    style = Style("environment steps", ticks=ticks, dashed=GREY, bands=False)
    return line_chart(shown, write, style=style)


def _figures(value: float) -> str:
    """Three figures, as few as that takes."""
    return f"{value:.3g}".replace("-", "−")


def _whole(value: float) -> str:
    return number(value, 0)
