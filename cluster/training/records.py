# SPDX-License-Identifier: Apache-2.0
"""From updates to the documents of a run folder, and the table on the console."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from math import isfinite
from statistics import fmean
from typing import Any

from rich.table import Table

from agents.learning.options import Setup
from agents.learning.training import Trained
from cluster.comparison import head
from cluster.training_options import Train
from cluster.trials import Record

SUMMED = ("circuits",)
MOST = ("most_lag",)
LAST = ("update", "steps")
OWN = ("finite",)
"""How a number of :class:`agents.learning.metrics.Metrics` becomes that of several updates; by
default as their mean."""


def row_of(updates: Sequence[Trained], steps_before: int, seconds: float) -> Record:
    """A line of ``metrics.jsonl``: what happened since the last one.

    Args:
        updates: since then.
        steps_before: actions learnt from before.
        seconds: that they took.
    """
    metrics = [one.metrics for one in updates]
    names = [f.name for f in fields(metrics[0]) if f.name not in OWN]
    told = {name: _together(name, [getattr(one, name) for one in metrics]) for name in names}
    returns = [value for one in updates for value in one.returns]
    lengths = [value for one in updates for value in one.lengths]
    row = told | {
        "return": fmean(returns) if returns else None,
        "length": fmean(lengths) if lengths else None,
        "episodes": len(returns),
        "broken": sum(one.broken for one in updates),
        "diverged": not metrics[-1].finite,
        "seconds": round(seconds, 4),
        "steps_per_s": round((told["steps"] - steps_before) / seconds, 1),
    }
    return {name: _readable(value) for name, value in row.items()}


def rows_until(done: Mapping[str, Record], updates: int) -> list[Record]:
    """The lines of a run up to so many updates, each once, in their order."""
    rows = [row for row in done.values() if row["update"] <= updates]
    return sorted(rows, key=lambda row: row["update"])


def key_of(row: Record) -> str:
    """Of a line."""
    return f"update-{row['update']:08d}"


def training_document(options: Train, rows: Sequence[Record]) -> Any:
    """The JSON object ``artefacts/training.json``."""
    return {
        "mode": str(options.mode),
        "actors": options.actors,
        "groups": options.setup.act.groups,
        "lanes": options.setup.act.lanes,
        "rows": rows,
    }


def run_record(setup: Setup, parameters: int, rows: Sequence[Record], judged: Record) -> Record:
    """The row of ``results.json`` on the training.

    Args:
        setup: of the training.
        parameters: of the policy.
        rows: all of ``training.json``.
        judged: what the policy is worth.
    """
    steps, seconds = rows[-1]["steps"], sum(row["seconds"] for row in rows)
    return {
        **head(setup, setup.seed),
        "parameters": parameters,
        "steps": steps,
        **judged,
        "circuits": sum(row["circuits"] for row in rows),
        "broken": sum(row["broken"] for row in rows),
        "seconds": round(seconds, 3),
        "steps_per_s": round(steps / seconds, 1),
        "diverged": rows[-1]["diverged"],
    }


def in_words(row: Record) -> str:
    """A line of the metrics in a few words."""
    parts = [f"{row['steps_per_s']:.0f} steps/s"]
    parts.append("no episode ended" if row["return"] is None else f"return {row['return']:.3f}")
    parts.append(f"lag {row['lag']:.1f}")
    parts += [f"{row['broken']} broken episodes"] if row["broken"] else []
    return ", ".join([*parts, *(["diverged"] if row["diverged"] else [])])


def results_table(records: Sequence[Record]) -> Table:
    """The policy, beside what can be had without training."""
    table = Table(box=None, pad_edge=False)
    table.add_column("policy")
    for heading in ("parameters", "return", "drawn actions", "success", "steps/s"):
        table.add_column(heading, justify="right")
    for record in records:
        if record["kind"] == "trivial":
            table.add_row(record["label"], "", _number(record["mean"]), "", "", "")
            continue
        success = record["success"]
        table.add_row(
            record["policy"],
            f"{record['parameters']:,}",
            _number(record["greedy_return"]),
            _number(record["sampled_return"]),
            "–" if success is None else f"{100 * success:.0f} %",
            f"{record['steps_per_s']:.0f}",
        )
    return table


def _together(name: str, values: Collection[Any]) -> Any:
    known = [value for value in values if value is not None]
    if name in LAST or not known:
        return known[-1] if known else None
    if name in SUMMED:
        return sum(known)
    return max(known) if name in MOST else fmean(known)


def _readable(value: Any) -> Any:
    """JSON has no infinity."""
    return None if isinstance(value, float) and not isfinite(value) else value


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def scalars(row: Mapping[str, Any]) -> dict[str, float | None]:
    """What TensorBoard can show of a line, by its steps."""
    return {name: value for name, value in row.items() if not isinstance(value, bool)}


def without_seconds(rows: Iterable[Record]) -> list[Record]:
    """What two runs have in common that did the same."""
    measured = ("seconds", "steps_per_s")
    return [{k: v for k, v in row.items() if k not in measured} for row in rows]
