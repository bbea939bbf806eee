# SPDX-License-Identifier: Apache-2.0
"""New sites with little data of their own: method by method, amount by amount."""

from collections.abc import Callable
from dataclasses import replace

from cluster.report.blocks import figure
from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.federation.measure import LOSS
from cluster.report.federation.personal_file import Personal
from cluster.report.line_chart import Style, line_chart
from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean, mean_of
from cluster.report.tables import name_cell, row, table, titled_group
from cluster.report.wording import MISSING, capitalised, number, with_interval

RIVALS = ("global", "local")
"""What others are compared with: the model as it came, and the site on its own."""
MOST_BANDS = 4
"""Intervals of more methods are not drawn: they would cover each other."""


def personal_body(personal: Personal) -> Markup:
    """What is reached, what is gained over the model as it came, and both as a table."""
    if not any(_values(personal, m, a, None) for m in personal.methods for a in personal.amounts):
        return element("p", "no new site was judged", class_="note")
    charts = [_figure(personal, None)]
    if RIVALS[0] in personal.methods:
        charts.append(_figure(personal, RIVALS[0]))
    return markup(element("div", *charts, class_="pair"), _table(personal))


def _values(personal: Personal, method: str, amount: int, rival: str | None) -> list[float]:
    """By new site: what a method reaches, or by how much it is better than a rival there."""
    own, measure = personal.scores(method, amount), personal.measure
    if rival is None:
        values = [measure.of(score) for score in own.values()]
    else:
        other = personal.scores(rival, amount)
        values = [measure.gain(own[site], other[site]) for site in own if site in other]
    return [value for value in values if value is not None]


def _figure(personal: Personal, rival: str | None) -> Markup:
    caption = f"{capitalised(personal.measure.name)} at new sites"
    if rival is not None:
        unit = "" if personal.measure is LOSS else ", points"
        caption = f"Gain over {rival}, site by site{unit}"
    return figure(caption, _chart(personal, rival))


def _chart(personal: Personal, rival: str | None) -> Markup:
    """Over the amounts; with one amount alone, every new site a dot."""
    series = {name: _means(personal, name, rival) for name in personal.methods}
    series = {
        name: [(amount, _drawn(personal, mean, rival)) for amount, mean in points]
        for name, points in series.items()
        if points
    }
    write = _gain_tick(personal) if rival else personal.measure.tick
    if len({amount for points in series.values() for amount, _ in points}) > 1:
        style = Style(personal.unit, dashed=RIVALS, bands=len(series) <= MOST_BANDS)
        return line_chart(series, write, style=style)
    rows = {
        name: Dots(_values(personal, name, amount, rival), mean)
        for name, [(amount, mean)] in series.items()
    }
    return dot_chart(rows, write)


def _gain_tick(personal: Personal) -> Callable[[float], str]:
    if personal.measure is LOSS:
        return personal.measure.tick
    return lambda gain: number(100 * gain, 0 if abs(100 * gain - round(100 * gain)) < 1e-6 else 1)


def _means(personal: Personal, method: str, rival: str | None) -> list[tuple[int, Mean]]:
    points = [(a, mean_of(_values(personal, method, a, rival))) for a in personal.amounts]
    return [(amount, mean) for amount, mean in points if mean is not None]


def _drawn(personal: Personal, mean: Mean, rival: str | None) -> Mean:
    """With its interval cut where no share can be, so that the axis need not show it."""
    if rival is not None or personal.measure is LOSS:
        return mean
    return replace(mean, low=max(mean.low, 0.0), high=min(mean.high, 1.0))


def _table(personal: Personal) -> Markup:
    unit = personal.unit
    amounts = [f"{a} {unit.removesuffix('s') if a == 1 else unit}" for a in personal.amounts]
    head = ("method", *amounts, "new sites")
    name = capitalised(personal.measure.name)
    title = name if personal.measure is LOSS else f"{name} %"
    groups = [titled_group(head, title, _rows(personal, head, None))]
    for rival in RIVALS:
        if rival in personal.methods and len(personal.methods) > 1:
            gain = f"Gain over {rival}, site by site"
            groups.append(titled_group(head, gain, _rows(personal, head, rival)))
    return table(head, *groups)


def _rows(personal: Personal, head: tuple[str, ...], rival: str | None) -> list[Markup]:
    """One per method, but for the rival itself: means with half their interval."""
    made = []
    for method in personal.methods:
        if method != rival:
            means = dict(_means(personal, method, rival))
            cells = [_cell(personal, means.get(amount)) for amount in personal.amounts]
            sites = max((mean.n for mean in means.values()), default=0)
            named = name_cell(method, personal.methods)
            made.append(row(head, [named, *cells, str(sites) if sites else MISSING]))
    return made


def _cell(personal: Personal, mean: Mean | None) -> Markup:
    if personal.measure is LOSS:
        return with_interval(mean, 4)
    return with_interval(mean, 1, 100)
