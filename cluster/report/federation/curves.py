# SPDX-License-Identifier: Apache-2.0
"""Learning curves: the federated model round by round, beside those that do not share."""

from collections.abc import Iterable, Sequence
from statistics import quantiles

from cluster.report.axis import round_step
from cluster.report.blocks import figure
from cluster.report.federation.measure import LEAST, LOSS, RETURN, Measure, Score, is_wide
from cluster.report.federation.results import FederationRun
from cluster.report.federation.rounds_file import Round
from cluster.report.federation.wording import regime_name
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.markup import Markup, element
from cluster.report.means import Mean
from cluster.report.wording import capitalised

LEVELS = ("centralised", "local", "trivial")
"""Regimes without rounds: lines all the way."""
MOST_LINES = 30
"""Of more sites not each is drawn, but the middle 80 %."""


def curves(run: FederationRun, rounds: Sequence[Round]) -> Markup:
    """The score of every round with the sites around it, and the losses."""
    learnt = RETURN if run.measure is RETURN else LOSS
    charts = [
        figure(f"Test {run.measure.name} by round", _scores(run, rounds)),
        figure(f"{capitalised(learnt.name)} by round", _losses(learnt, rounds)),
    ]
    return element("div", *charts, class_="pair")


def drawn_sites(rounds: Sequence[Round]) -> int:
    """How many sites the rounds judge."""
    return len({site for one in rounds for site in one.sites})


def _scores(run: FederationRun, rounds: Sequence[Round]) -> Markup:
    measure = run.measure
    many = drawn_sites(rounds) > MOST_LINES
    federated = [_point(measure, one, many) for one in rounds]
    series = {"federated": [point for point in federated if point is not None]}
    for regime in LEVELS:
        level = measure.of(run.overall(regime))
        if level is not None and rounds:
            ends = dict.fromkeys((rounds[0].number, rounds[-1].number))
            series[regime_name(regime)] = [(at, _exactly(level, 1)) for at in ends]
    lines = {} if many else _lines(measure, rounds)
    return _chart(series, measure, rounds, lines)


def _point(measure: Measure, one: Round, banded: bool) -> tuple[int, Mean] | None:
    """The score over all sites, and where the middle 80 % of them are."""
    value = measure.of(one.test)
    if value is None:
        return None
    sites = _known(measure, one.sites.values())
    if not banded or len(sites) < 2:
        return one.number, _exactly(value, len(sites))
    tenths = quantiles(sites, n=10, method="inclusive")
    return one.number, Mean(value, tenths[0], tenths[-1], len(sites))


def _known(measure: Measure, scores: Iterable[Score]) -> list[float]:
    return [value for value in map(measure.of, scores) if value is not None]


def _exactly(value: float, n: int) -> Mean:
    return Mean(value, value, value, max(n, 1))


def _lines(measure: Measure, rounds: Sequence[Round]) -> dict[str, Points]:
    """A line per site that was judged more than once."""
    lines: dict[str, Points] = {}
    for one in rounds:
        for site, score in one.sites.items():
            value = measure.of(score)
            if value is not None:
                lines.setdefault(f"site {site}", []).append((one.number, _exactly(value, 1)))
    return {name: points for name, points in lines.items() if len(points) > 1}


def _losses(measure: Measure, rounds: Sequence[Round]) -> Markup:
    """What training makes small, or for policies large, as a measure of it."""
    scores = {
        "training": [(one.number, Score(1, one.loss, None)) for one in rounds],
        "test": [(one.number, one.test) for one in rounds],
    }
    values = {
        name: [(at, measure.of(score)) for at, score in pairs] for name, pairs in scores.items()
    }
    series = {
        name: [(at, _exactly(value, 1)) for at, value in pairs if value is not None]
        for name, pairs in values.items()
    }
    return _chart(series, measure, rounds, {})


def _chart(
    series: dict[str, Points], measure: Measure, rounds: Sequence[Round], lines: dict[str, Points]
) -> Markup:
    drawn = {name: points for name, points in series.items() if points}
    if all(len(points) < 2 for points in drawn.values()):
        return element("p", "fewer than two rounds measured this", class_="note")
    style = Style(
        "rounds",
        "middle 80 % of the sites",
        ticks_of(rounds[0].number, rounds[-1].number),
        LEVELS,
        LEAST,
    )
    every = [m.value for points in [*drawn.values(), *lines.values()] for _, m in points]
    wide = measure is LOSS and is_wide(every)
    return line_chart(drawn, measure.tick, wide, style, lines)


def ticks_of(first: int, last: int) -> set[int]:
    """Rounds with a mark: the first, the last, and round numbers between."""
    step = max(1, round(round_step((last - first) / 8 or 1)))
    return {first, last} | {at for at in range(first, last + 1) if at % step == 0}
