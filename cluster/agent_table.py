# SPDX-License-Identifier: Apache-2.0
"""The table that ``compare`` prints: policies by environment, and what needs no training."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from cluster.report.compare.results import Trivial, typed_rows
from cluster.report.compare.summary import Environment, Summary, environments
from cluster.report.compare.words import ends_words, return_words
from cluster.report.fields import Fields
from cluster.report.means import Mean
from cluster.report.wording import MISSING, number

HEADINGS = (
    *("parameters", "IQM", "95 % interval", "median", "least", "greatest"),
    *("solved", "steps/s", "seeds"),
)


def final_table(records: Sequence[Mapping[str, object]]) -> Table:
    """One row per environment and policy, as in the report: greedy returns over the seeds.

    Args:
        records: of ``results.json``.

    Raises:
        InputError: a record is not what it should be.
    """
    rows = typed_rows([Fields(dict(r), f"record {i}") for i, r in enumerate(records)])
    table = Table(box=None, pad_edge=False)
    for heading in ("environment", "policy"):
        table.add_column(heading)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for environment in environments(rows):
        _add(table, environment)
    return table


def _add(table: Table, environment: Environment) -> None:
    for summary in environment.summaries:
        table.add_row(environment.name, summary.policy, *_cells(summary))
    for trivial in environment.trivials:
        table.add_row(environment.name, trivial.label, *_trivial_cells(trivial))


def _cells(summary: Summary) -> tuple[str, ...]:
    iqm, median = summary.iqm, summary.median
    total = len(summary.runs)
    ends = [f", {count} {name}" for name, count in summary.statuses.items()]
    return (
        number(summary.parameters, 0),
        return_words(iqm.value if iqm else None),
        ends_words(iqm) if iqm and iqm.is_drawable else MISSING,
        *(return_words(value) for value in _span(median)),
        MISSING if summary.solved is None else f"{summary.solved}/{total}",
        number(summary.steps_per_s.value if summary.steps_per_s else None, 0),
        f"{total}{''.join(ends)}",
    )


def _span(median: Mean | None) -> tuple[float | None, ...]:
    return (median.value, median.low, median.high) if median else (None, None, None)


def _trivial_cells(trivial: Trivial) -> tuple[str, ...]:
    mean = Mean(trivial.mean, trivial.low, trivial.high, trivial.episodes)
    return (MISSING, return_words(mean.value), ends_words(mean), *[MISSING] * 6)
