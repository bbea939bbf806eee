# SPDX-License-Identifier: Apache-2.0
"""What a person sees while trials run and when they are done."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cluster.trials import Finished, Record

Advance = Callable[[str], None]
"""Called once per finished unit, with what to show about it."""
Reach = Callable[[int, str], None]
"""Called with how many units are done, and with what to show about it."""


@contextmanager
def progress(console: Console, title: str, total: int, done: int = 0) -> Iterator[Advance]:
    """A live bar on a terminal; elsewhere one plain line per unit."""
    count = done
    with reaching(console, title, total, done) as reach:

        def advance(latest: str) -> None:
            nonlocal count
            count += 1
            reach(count, latest)

        yield advance


@contextmanager
def reaching(console: Console, title: str, total: int, done: int = 0) -> Iterator[Reach]:
    """The same where it is known how far it got, rather than that it got further."""
    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task(title, total=total, completed=done, latest="")
            yield lambda now, latest: bar.update(task, completed=now, latest=latest)
        return

    def print_line(now: int, latest: str) -> None:
        console.print(f"{title} {now}/{total} {latest}", soft_wrap=True, highlight=False)

    yield print_line


@contextmanager
def waiting(console: Console, reason: str) -> Iterator[None]:
    """Say what is being waited for: a spinner on a terminal, elsewhere one line."""
    if console.is_terminal:
        with console.status(reason):
            yield
        return
    console.print(reason)
    yield


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[latest]}"),
        console=console,
    )


def in_words(finished: Finished, words: Callable[[Record], str]) -> str:
    """A finished trial in a few words; ``words`` says what matters of its record."""
    if finished.result is None:
        return f"{finished.key}: failed"
    return f"{finished.key}: {words(finished.result.record)}"


def complain(failed: Sequence[Finished]) -> None:
    """One line on stderr for each failed trial."""
    for finished in failed:
        reason = (finished.error or "").strip().splitlines()[-1]
        print(f"failed: {finished.key}: {reason} (see metrics.jsonl)", file=sys.stderr)


def decided(record: Record) -> str:
    """A coordinator's record in a few words."""
    return f"{_number(record['cost'], 2)} s, {record['status']}"


def results_table(records: Sequence[Record]) -> Table:
    """One row per size and coordinator: means over the instances."""
    table = Table(box=None, pad_edge=False)
    table.add_column("robots", justify="right")
    table.add_column("coordinator")
    for heading in ("cost s", "ratio", "gap", "seconds", "certified"):
        table.add_column(heading, justify="right")
    table.add_column("status")
    for robots, coordinator in dict.fromkeys((r["robots"], r["coordinator"]) for r in records):
        rows = [r for r in records if (r["robots"], r["coordinator"]) == (robots, coordinator)]
        table.add_row(str(robots), coordinator, *_summary(rows))
    return table


def _summary(rows: Sequence[Record]) -> tuple[str, ...]:
    statuses = sorted({row["status"] for row in rows})
    counts = (f"{sum(r['status'] == status for r in rows)} {status}" for status in statuses)
    certified = sum(row["certified"] for row in rows)
    return (
        _mean(rows, "cost", 2),
        _mean(rows, "ratio", 3),
        _mean(rows, "gap", 3),
        _mean(rows, "seconds", 3),
        f"{certified}/{len(rows)}",
        ", ".join(counts),
    )


def _mean(rows: Sequence[Record], field: str, decimals: int) -> str:
    """The mean over all rows; a dash when one lacks the field, since means must compare."""
    values = [row[field] for row in rows if row[field] is not None]
    return _number(sum(values) / len(values), decimals) if len(values) == len(rows) else "–"


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"
