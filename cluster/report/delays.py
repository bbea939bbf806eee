# SPDX-License-Identifier: Apache-2.0
"""What happens to the schedules when robots are late: by precedence, and by clock."""

from collections.abc import Callable, Iterable

from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.execution import Executed, Execution
from cluster.report.markup import Markup, element, markup
from cluster.report.means import mean_of
from cluster.report.tables import fleet_group, name_cell, row, table
from cluster.report.wording import BASELINE, counted, number, with_interval

HEAD = (
    *("coordinator", "travel s", "95th percentile s", "wait s", "finished per minute"),
    *("collisions", "deadlocks", "collisions by clock", "runs that collide by clock %", "n"),
)

Measure = Callable[[Executed], float | None]


def delays_body(execution: Execution) -> Markup:
    """The two ways to execute in two numbers, two charts, and the table."""
    robots = max((r.robots for r in execution.rows), default=0)
    rows = [r for r in execution.rows if r.robots == robots]
    return markup(
        _contrast(execution),
        element(
            "div",
            _figure(
                f"Travel time under delays, {counted(robots, 'robot')}",
                _dots(rows, lambda r: r.travel_s_mean),
                zero=False,
            ),
            _figure(
                f"Collisions per execution by clock, {counted(robots, 'robot')}",
                _dots(rows, lambda r: r.by_clock_collisions_mean),
                zero=True,
            ),
            class_="pair",
        ),
        _table(execution),
    )


def total(values: Iterable[float | None]) -> float | None:
    """The sum of the values that exist, or None if none does."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _contrast(execution: Execution) -> Markup:
    runs = counted(execution.samples * len(execution.rows), "execution")
    collisions = total(r.collisions for r in execution.rows)
    deadlocks = total(r.deadlocks for r in execution.rows)
    clock = mean_of([r.by_clock_collisions_mean for r in execution.rows])
    safe = "bad" if collisions or deadlocks else "good"
    by_precedence = f"collisions and {number(deadlocks, 0)} deadlocks by precedence, in {runs}"
    return element(
        "div",
        _figure_of(number(collisions, 0), by_precedence, safe),
        _figure_of(
            number(clock.value if clock else None),
            "collisions in an average execution if every robot kept to the clock instead",
            "bad" if clock and clock.value > 0 else "",
        ),
        class_="contrast",
    )


def _figure_of(value: str, words: str, kind: str) -> Markup:
    return element("p", element("b", value, class_=kind or None), element("span", words))


def _coordinators(rows: list[Executed]) -> list[str]:
    names = list(dict.fromkeys(r.coordinator for r in rows))
    return sorted(names, key=lambda name: name != BASELINE)


def _dots(rows: list[Executed], measure: Measure) -> dict[str, Dots]:
    dots = {}
    for name in _coordinators(rows):
        measured = [measure(r) for r in rows if r.coordinator == name]
        mean = mean_of(measured)
        if mean is not None:
            dots[name] = Dots([v for v in measured if v is not None], mean)
    return dots


def _figure(title: str, dots: dict[str, Dots], zero: bool) -> Markup:
    caption = element("figcaption", title)
    if not dots:
        return element("figure", caption, element("p", "not measured", class_="note"))
    decimals = 0 if max(d.mean.high for d in dots.values()) >= 10 else 1
    chart = dot_chart(dots, lambda value: number(value, decimals), zero=zero)
    return element("figure", caption, chart)


def _table(execution: Execution) -> Markup:
    names = _coordinators(execution.rows)
    groups = []
    for robots in sorted({r.robots for r in execution.rows}):
        here = [r for r in execution.rows if r.robots == robots]
        rows = [_row(name, names, here) for name in _coordinators(here)]
        groups.append(fleet_group(HEAD, robots, rows))
    return table(HEAD, *groups)


def _row(name: str, names: list[str], rows: list[Executed]) -> Markup:
    own = [r for r in rows if r.coordinator == name]
    cells: list[str] = [
        name_cell(name, names),
        with_interval(mean_of([r.travel_s_mean for r in own]), 1),
        with_interval(mean_of([r.travel_s_p95 for r in own]), 1),
        with_interval(mean_of([r.wait_s_mean for r in own]), 1),
        with_interval(mean_of([r.throughput_per_min for r in own]), 1),
        _must_be_zero(total(r.collisions for r in own)),
        _must_be_zero(total(r.deadlocks for r in own)),
        with_interval(mean_of([r.by_clock_collisions_mean for r in own]), 1),
        with_interval(mean_of([r.by_clock_collided_share for r in own]), 0, 100),
        str(len(own)),
    ]
    return row(HEAD, cells)


def _must_be_zero(count: float | None) -> Markup:
    return element("span", number(count, 0), class_="bad" if count else "good")
