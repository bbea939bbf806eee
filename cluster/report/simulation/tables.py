# SPDX-License-Identifier: Apache-2.0
"""The controllers side by side, one column each; and every world as in ``results.json``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster.report.markup import Markup, element, markup
from cluster.report.simulation.headline import rate_words
from cluster.report.simulation.results import Record
from cluster.report.simulation.summary import BASELINE, Of, Summary
from cluster.report.tables import name_cell, row, table, titled_group
from cluster.report.wording import MISSING, counted, duration, number, percent, with_interval

FIRST = "what"
"""A column whose cells stand to the left."""
EVERY_HEAD = (
    *("controller", "world", "orders", "errands", "late", "orders per tick"),
    *("service ticks", "service ticks p95", "queue ticks", "working %", "waiting %"),
    *("refused %", "delayed %", "idle %", "longest without errand", "longest still"),
    *("deadlocked", "improved %", "ms per tick", "ms p99", "ms max", "seconds", "league errors"),
)

Cell = Callable[[Summary], str]


@dataclass(frozen=True)
class Line:
    """One row of the table: its title and what it says of a controller."""

    title: str
    cell: Cell


def mean_cell(of: Of, decimals: int = 1, scale: float = 1.0) -> Cell:
    """A mean over worlds, half the width of its interval in small print."""
    return lambda summary: with_interval(summary.mean(of), decimals, scale)


def most_cell(of: Of, decimals: int = 0) -> Cell:
    """The greatest value of any world."""
    return lambda summary: number(summary.most(of), decimals)


def _rate_cell(summary: Summary) -> Markup:
    mean = summary.throughput
    return with_interval(mean, 3 if mean and mean.value < 0.995 else 2)


def _gain_cell(summary: Summary) -> str:
    if summary.controller == BASELINE:
        return MISSING
    return with_interval(summary.gain, 1, 100)


def _deadlock_cell(summary: Summary) -> Markup:
    """``0 of 16``, marked when it is any."""
    words = f"{summary.deadlocks} of {len(summary.ended)}"
    return element("span", words, class_="bad" if summary.deadlocks else "good")


def _league_cell(summary: Summary) -> Markup:
    errors = summary.total(lambda r: r.league_errors)
    if errors is None:
        return markup(MISSING)
    return element("span", number(errors, 0), class_="bad" if errors else "good")


def _worlds_cell(summary: Summary) -> str:
    ended, total = len(summary.ended), len(summary.records)
    return str(total) if ended == total else f"{ended} of {total}"


WORK = (
    Line("orders per tick", _rate_cell),
    Line("more orders than pibt, %", _gain_cell),
    Line("orders", mean_cell(lambda r: r.orders, 0)),
    Line("errands", mean_cell(lambda r: r.errands, 0)),
    Line("late orders", mean_cell(lambda r: r.late, 0)),
)
TIMES = (
    Line("from given to done, mean", mean_cell(lambda r: r.service_ticks_mean)),
    Line("from given to done, 95th percentile", mean_cell(lambda r: r.service_ticks_p95)),
    Line("from known to given, mean", mean_cell(lambda r: r.queue_ticks_mean)),
)
SHARES = (
    Line("working", mean_cell(lambda r: r.working, 1, 100)),
    Line("waiting", mean_cell(lambda r: r.waiting, 1, 100)),
    Line("refused", mean_cell(lambda r: r.refused, 1, 100)),
    Line("delayed", mean_cell(lambda r: r.delayed, 1, 100)),
    Line("without an order", mean_cell(lambda r: r.idle, 1, 100)),
)
LIVENESS = (
    Line("worlds that deadlocked", _deadlock_cell),
    Line("longest without an errand of anybody, ticks", most_cell(lambda r: r.longest_still)),
    Line("longest without one of a robot, ticks", most_cell(lambda r: r.longest_without_errand)),
)
COMPUTATION = (
    Line("per tick, mean, ms", mean_cell(lambda r: r.decision_ms_mean, 2)),
    Line("per tick, 99th percentile, ms", mean_cell(lambda r: r.decision_ms_p99, 2)),
    Line("slowest tick of any world, ms", most_cell(lambda r: r.decision_ms_max, 1)),
    Line("windows improved by passing orders, %", mean_cell(lambda r: r.improved, 1, 100)),
    Line("time of a world, s", mean_cell(lambda r: r.seconds)),
    Line("worlds", _worlds_cell),
)
LEAGUE = (Line("errors by the league's rules", _league_cell),)


def controller_table(summaries: Sequence[Summary]) -> Markup:
    """One column per controller, the lines in groups; empty lines are left out."""
    names = [s.controller for s in summaries]
    head = (FIRST, *(name_cell(name, names) for name in names))
    groups = (
        ("Work", WORK),
        ("Ticks of an order", TIMES),
        ("Robot-ticks, %", SHARES),
        ("Does it go on?", LIVENESS),
        ("Computation", COMPUTATION),
        ("League of Robot Runners", LEAGUE),
    )
    bodies = [_group(head, title, lines, summaries) for title, lines in groups]
    return table(head, *(body for body in bodies if body), class_="controllers")


def _group(
    head: tuple[str, ...], title: str, lines: Sequence[Line], summaries: Sequence[Summary]
) -> Markup:
    told = [(line.title, [line.cell(s) for s in summaries]) for line in lines]
    rows = [row(head, [name, *cells]) for name, cells in told if any(c != MISSING for c in cells)]
    return titled_group(head, title, rows) if rows else markup()


def world_table(records: Sequence[Record]) -> Markup:
    """Every world under every controller."""
    names = list(dict.fromkeys(r.controller for r in records))
    return table(EVERY_HEAD, element("tbody", *(_world_row(r, names) for r in records)))


def world_details(records: Sequence[Record]) -> Markup:
    """The same, folded."""
    title = element("summary", f"Every world ({counted(len(records), 'row')})")
    return element("details", title, world_table(records))


def _world_row(record: Record, names: list[str]) -> Markup:
    shares = (record.working, record.waiting, record.refused, record.delayed, record.idle)
    stuck = "failed" if record.failed else "yes" if record.deadlocked else "no"
    cells: list[str] = [
        name_cell(record.controller, names),
        str(record.world),
        *(number(value, 0) for value in (record.orders, record.errands, record.late)),
        rate_words(record.orders_per_tick),
        number(record.service_ticks_mean),
        number(record.service_ticks_p95),
        number(record.queue_ticks_mean),
        *(percent_words(value) for value in shares),
        number(record.longest_without_errand, 0),
        number(record.longest_still, 0),
        element("span", stuck, class_="good" if stuck == "no" else "bad"),
        percent_words(record.improved),
        number(record.decision_ms_mean, 2),
        number(record.decision_ms_p99, 2),
        number(record.decision_ms_max),
        duration(record.seconds),
        number(record.league_errors, 0),
    ]
    return row(EVERY_HEAD, cells)


def percent_words(value: float | None) -> str:
    """A share as per cent without its sign, as under a head that has it."""
    return percent(value, 1).removesuffix("\u00a0%")
