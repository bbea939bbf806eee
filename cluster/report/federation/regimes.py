# SPDX-License-Identifier: Apache-2.0
"""The regimes side by side: three differences, a chart, a table."""

from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.federation.measure import ACCURACY, LEAST, LOSS, RETURN, Measure, is_wide
from cluster.report.federation.results import FederationRun, Result
from cluster.report.federation.wording import WORDS, WORDS_OF_POLICIES, regime_name
from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean
from cluster.report.tables import name_cell, row, table
from cluster.report.wording import MISSING, loss_words, number

MOST_DOTS = 120
"""Of more sites so many are drawn, evenly spaced in the order of their values."""


def regime_names(run: FederationRun) -> list[str]:
    """As charts and tables call them."""
    return [regime_name(regime) for regime in run.regimes]


def regime_table(run: FederationRun) -> Markup:
    """One row per regime: over all test samples, and from the least to the greatest site."""
    measure = run.measure
    shown = (measure.name, "sites", "loss") if measure is ACCURACY else (measure.name,)
    head = ("regime", "what it does", *shown, "against centralised", measure.terms.tests)
    rows = [row(head, _regime_cells(run, regime)) for regime in run.regimes]
    return table(head, element("tbody", *rows))


def _regime_cells(run: FederationRun, regime: str) -> list[str]:
    measure, score = run.measure, run.overall(regime)
    value = measure.of(score)
    if measure is ACCURACY:
        loss = markup(loss_words(score.loss))
        shown: list[str] = [measure.words(value), _range(run, regime) or MISSING, loss]
    else:
        words = loss_words if measure is LOSS else measure.words
        shown = [_with_range(words(value), _range(run, regime))]
    pooled = run.overall("centralised")
    against = None if regime == "centralised" else measure.gain(score, pooled)
    return [
        name_cell(regime_name(regime), regime_names(run)),
        element("span", _words(run).get(regime, ""), class_="wide"),
        *shown,
        measure.gain_words(against),
        number(score.samples, 0) if score.samples else MISSING,
    ]


def _words(run: FederationRun) -> dict[str, str]:
    return WORDS_OF_POLICIES if run.measure is RETURN else WORDS


def _with_range(value: str, ends: str) -> Markup:
    return markup(value, element("span", ends, class_="range")) if ends else markup(value)


def _range(run: FederationRun, regime: str) -> str:
    """From the least to the greatest site, where there are two."""
    values = site_values(run.measure, run.at_sites(regime))
    if len(values) < 2:
        return ""
    return f"{run.measure.words(values[0])} … {run.measure.words(values[-1])}"


def site_values(measure: Measure, at_sites: dict[int, Result]) -> list[float]:
    """The values of the sites that have one, in ascending order."""
    values = [measure.of(result.score) for result in at_sites.values()]
    return sorted(value for value in values if value is not None)


def regime_chart(run: FederationRun) -> Markup:
    """Every site a dot, the value over all test samples above."""
    rows = {}
    for regime in run.regimes:
        value = run.measure.of(run.overall(regime))
        if value is not None:
            values = site_values(run.measure, run.at_sites(regime))
            point = Mean(value, value, value, max(len(values), 1))
            rows[regime_name(regime)] = Dots(thinned(values), point)
    if not rows:
        return element("p", "nothing was judged", class_="note")
    every = [value for row in rows.values() for value in (*row.values, row.mean.value)]
    wide = run.measure is LOSS and is_wide(every)
    return dot_chart(rows, run.measure.tick, wide, least=LEAST)


def thinned(values: list[float]) -> list[float]:
    """Ascending values, or evenly spaced ones of very many, the first and the last included."""
    if len(values) <= MOST_DOTS:
        return values
    step = (len(values) - 1) / (MOST_DOTS - 1)
    return [values[round(k * step)] for k in range(MOST_DOTS)]


def differences(run: FederationRun) -> Markup:
    """What the federated model pays for privacy, and what it gains over models of one site."""
    tests = run.measure.terms.tests
    pairs = [
        ("centralised", "federated", "price of privacy: centralised against federated"),
        ("federated", "local", "gained at home: federated against the site's own model"),
        ("federated", "local_elsewhere", f"gained elsewhere: the same on the {tests} of all"),
    ]
    gains = [(run.measure.gain(run.overall(a), run.overall(b)), text) for a, b, text in pairs]
    shown = [
        element("p", element("b", run.measure.gain_words(gain)), element("span", text))
        for gain, text in gains
        if gain is not None
    ]
    return element("div", *shown, class_="contrast") if shown else markup()
