# SPDX-License-Identifier: Apache-2.0
"""The page of a ``label`` run: how well the instances are solved, and how much pools differ."""

from pathlib import Path

from cluster.report.blocks import Content, section, tile_row
from cluster.report.label.results import Labelled, LabelRun, read_labels
from cluster.report.label.summary import HEADINGS, PROVEN, groups_by_size, mean
from cluster.report.markup import Markup, element
from cluster.report.provenance import provenance
from cluster.report.tables import row, status_chip, table
from cluster.report.wording import counted, duration, number, percent

NOTE = (
    "Means over instances. Proven: no assignment is cheaper. Gap: how far the best may be above "
    "the best possible, 0 where proven. Pool: assignments that differ in their orders and cost "
    "hardly more than the best, each certified free of deadlock. Diversity: share of the conflicts "
    "that two assignments of a pool order differently."
)
EVERY = (
    *("instance", "floor", "robots", "conflicts", "cost s", "gap", "pool", "diversity", "runtime"),
    "status",
)


def label_content(folder: Path) -> Content:
    """The page of a ``label`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_labels(folder)
    shown = [_sizes(run), section("Where this comes from", "", provenance(run.manifest))]
    return Content(run.manifest, run.name, _title(run), _support(run), _tiles(run), shown)


def _title(run: LabelRun) -> str:
    return f"{counted(len(run.rows), 'instance')} solved, {_proven(run)} of them to the optimum"


def _support(run: LabelRun) -> list[str]:
    if run.failed:
        return [f"{counted(run.failed, 'instance')} failed and can be tried again."]
    return []


def _proven(run: LabelRun) -> int:
    return sum(one.status == PROVEN for one in run.rows)


def _tiles(run: LabelRun) -> Markup:
    shown = [
        (str(len(run.rows)), "labelled instances"),
        (str(sum(one.pool for one in run.rows)), "assignments"),
        (percent(mean(one.gap for one in run.rows), 1), "mean gap"),
        (percent(mean(one.diversity for one in run.rows), 0), "mean diversity of a pool"),
    ]
    return tile_row(shown)


def _sizes(run: LabelRun) -> Markup:
    title = "By size of the fleet"
    if not run.rows:
        return section(title, "The run has no results yet.")
    rows = [row(HEADINGS, group.cells()) for group in groups_by_size(run.rows)]
    every = element(
        "details",
        element("summary", f"Every instance ({counted(len(run.rows), 'row')})"),
        table(EVERY, element("tbody", *(_row(one) for one in run.rows))),
    )
    return section(title, NOTE, table(HEADINGS, element("tbody", *rows)), every)


def _row(one: Labelled) -> Markup:
    cells: list[str] = [
        one.instance,
        one.floor,
        str(one.robots),
        str(one.conflicts),
        number(one.cost, 2),
        percent(one.gap, 1),
        str(one.pool),
        percent(one.diversity, 1),
        duration(one.seconds),
        status_chip(one.status),
    ]
    return row(EVERY, cells)
