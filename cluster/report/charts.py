# SPDX-License-Identifier: Apache-2.0
"""Cost and runtime of the coordinators, against robots or instance by instance."""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.report.blocks import figure
from cluster.report.comparison import Summary, coordinators
from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.folder import Record, Run
from cluster.report.line_chart import Points, line_chart
from cluster.report.markup import Markup, element
from cluster.report.means import Mean
from cluster.report.wording import capitalised, duration, number, objective_words


@dataclass(frozen=True)
class Measure:
    """What a chart shows: of a summary, of a record, and how it is written."""

    title: str
    mean: Callable[[Summary], Mean | None]
    single: Callable[[Record], float | None]
    write: Callable[[float], str]
    logarithmic: bool


def comparison_charts(run: Run, summaries: list[Summary]) -> Markup:
    """The two charts side by side."""
    title = f"{capitalised(objective_words(run.objective))}, s"
    cost = Measure(title, lambda s: s.cost, lambda r: r.cost, _cost_words, False)
    runtime = Measure(
        "Runtime (geometric mean)", lambda s: s.seconds, lambda r: r.seconds, _runtime_words, True
    )
    figures = [_figure(measure, run.records, summaries) for measure in (cost, runtime)]
    return element("div", *figures, class_="pair")


def _figure(measure: Measure, records: list[Record], summaries: list[Summary]) -> Markup:
    every = {name: _points(name, measure, summaries) for name in coordinators(records)}
    series = {name: points for name, points in every.items() if points}
    if not series:
        return figure(measure.title, element("p", "nothing was solved", class_="note"))
    if len({robots for points in series.values() for robots, _ in points}) > 1:
        return figure(measure.title, line_chart(series, measure.write, measure.logarithmic))
    dots = {name: Dots(_singles(name, measure, records), p[0][1]) for name, p in series.items()}
    return figure(measure.title, dot_chart(dots, measure.write, measure.logarithmic))


def _points(name: str, measure: Measure, summaries: list[Summary]) -> Points:
    own = [(s.robots, measure.mean(s)) for s in summaries if s.coordinator == name]
    return [(robots, mean) for robots, mean in own if mean is not None]


def _singles(name: str, measure: Measure, records: list[Record]) -> list[float]:
    own = [measure.single(r) for r in records if r.coordinator == name]
    return [value for value in own if value is not None]


def _runtime_words(seconds: float) -> str:
    return duration(seconds).replace(".0 ", " ")


def _cost_words(seconds: float) -> str:
    return number(seconds, 0 if seconds >= 10 or seconds == 0 else 1)
