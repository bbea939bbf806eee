# SPDX-License-Identifier: Apache-2.0
"""The summary table and the table of every instance."""

from itertools import groupby

from cluster.report.comparison import Summary, best_at, coordinators
from cluster.report.folder import Record
from cluster.report.markup import Markup, element, markup
from cluster.report.palette import colour
from cluster.report.wording import (
    BASELINE,
    MISSING,
    counted,
    duration,
    duration_with_factor,
    number,
    percent,
    with_interval,
)

SUMMARY_HEAD = (
    *("coordinator", "ratio to best known", "cost s", "saved against fcfs %", "runtime"),
    *("gap %", "certified", "n", "status"),
)
RECORD_HEAD = (
    *("instance", "robots", "coordinator", "cost s", "best known s", "ratio", "lower bound s"),
    *("gap", "runtime", "certified", "status"),
)
MARKED = frozenset({"optimal", "feasible", "deadline", "fallback", "failed", "diverged"})
TEXT_COLUMNS = frozenset(
    {
        "coordinator",
        "instance",
        "floor",
        "status",
        "certified",
        "delays",
        "task",
        "model",
        "method",
        "what it does",
        "regime",
        "reason",
        "site",
        "what",
        "what happened",
        "defence",
        "attack",
        "worst attack",
        "certificate",
        "data",
        "against retraining",
        "policy",
        "env",
        "reached by",
    }
)


def table(head: tuple[str, ...], *bodies: Markup, class_: str = "") -> Markup:
    """A table that scrolls sideways on a narrow screen."""
    titles = [element("th", _kept(text), scope="col", class_=column_class(text)) for text in head]
    top = element("thead", element("tr", *titles))
    return element("div", element("table", top, *bodies, class_=class_ or None), class_="scroll")


def _kept(title: str) -> str:
    """The title with its unit on the line of the last word."""
    for unit in (" s", " %"):
        if title.endswith(unit):
            return f"{title.removesuffix(unit)}\u00a0{unit.strip()}"
    return title


def column_class(title: str) -> str | None:
    """Text columns stand to the left, numbers to the right."""
    return "left" if title in TEXT_COLUMNS else None


def row(head: tuple[str, ...], cells: list[str], class_: str | None = None) -> Markup:
    """One row whose cells stand as their heads do."""
    pairs = zip(head, cells, strict=True)
    return element(
        "tr", *(element("td", c, class_=column_class(t)) for t, c in pairs), class_=class_
    )


def name_cell(name: str, names: list[str]) -> Markup:
    """A coordinator's name with its colour."""
    return element("span", name, class_="key", style=f"--c:{colour(name, names)}")


def summary_table(summaries: list[Summary]) -> Markup:
    """One group of rows per robot count; the best coordinator of each is set in bold."""
    names = coordinators([record for s in summaries for record in s.records])
    groups = groupby(summaries, key=lambda s: s.robots)
    return table(SUMMARY_HEAD, *(_group(count, list(rows), names) for count, rows in groups))


def _group(robots: int, summaries: list[Summary], names: list[str]) -> Markup:
    best = best_at(summaries, robots)
    return fleet_group(SUMMARY_HEAD, robots, [_summary_row(s, s is best, names) for s in summaries])


def fleet_group(head: tuple[str, ...], robots: int, rows: list[Markup]) -> Markup:
    """The rows of one robot count under their own title."""
    return titled_group(head, counted(robots, "robot"), rows)


def titled_group(head: tuple[str, ...], title: str, rows: list[Markup]) -> Markup:
    """Rows under a title of their own."""
    heading = element("th", title, colspan=len(head), scope="rowgroup")
    return element("tbody", element("tr", heading, class_="group"), *rows)


def _summary_row(summary: Summary, best: bool, names: list[str]) -> Markup:
    saving = MISSING if summary.coordinator == BASELINE else with_interval(summary.saving, 1, 100)
    cells: list[str] = [
        name_cell(summary.coordinator, names),
        _ratio(summary),
        with_interval(summary.cost, 1),
        saving,
        duration_with_factor(summary.seconds),
        with_interval(summary.gap, 1, 100),
        certified_cell(summary.certified, len(summary.records)),
        str(summary.solved),
        _statuses(summary.statuses),
    ]
    return row(SUMMARY_HEAD, cells, "best" if best else None)


def _ratio(summary: Summary) -> Markup:
    if summary.ratio is None:
        return markup(MISSING)
    bar = element("span", class_="bar", style=f"--share:{min(summary.ratio.value, 1):.4f}")
    return markup(bar, with_interval(summary.ratio, 3))


def certified_cell(certified: int, total: int) -> Markup:
    """``5 of 5``, marked when it is not all; for one alone, yes or no."""
    words = f"{certified} of {total}" if total > 1 else "yes" if certified else "no"
    return element("span", words, class_="good" if certified == total else "bad")


def _statuses(statuses: dict[str, int]) -> Markup:
    return markup(*(status_chip(name, count) for name, count in statuses.items()))


def status_chip(name: str, count: int | None = None) -> Markup:
    """A status, with how often it occurred."""
    text = name if count is None else f"{name} {count}"
    known = name if name in MARKED else "other"
    return element("span", text, class_=f"chip {known}")


def record_table(records: list[Record]) -> Markup:
    """Every instance under every coordinator, as in ``results.json``."""
    names = coordinators(records)
    ordered = sorted(records, key=lambda r: (r.robots, r.instance, names.index(r.coordinator)))
    return table(RECORD_HEAD, element("tbody", *(_record_row(r, names) for r in ordered)))


def _record_row(record: Record, names: list[str]) -> Markup:
    cells: list[str] = [
        record.instance,
        str(record.robots),
        name_cell(record.coordinator, names),
        number(record.cost, 2),
        number(record.best_known, 2),
        number(record.ratio, 4),
        number(record.bound, 2),
        percent(record.gap, 1),
        duration(record.seconds),
        certified_cell(int(record.certified), 1),
        status_chip(record.status),
    ]
    return row(RECORD_HEAD, cells)
