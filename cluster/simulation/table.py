# SPDX-License-Identifier: Apache-2.0
"""What the command says while it works, and at the end."""

from collections.abc import Sequence
from statistics import fmean

from rich.table import Table

from cluster.trials import Record

COLUMNS = (
    ("orders", "orders", 0),
    ("orders/tick", "orders_per_tick", 4),
    ("service", "service_ticks_mean", 1),
    ("waiting", "waiting_share", 3),
    ("delayed", "delayed_share", 3),
    ("idle", "idle_share", 3),
    ("longest still", "longest_still_ticks", 0),
    ("ms/tick", "decision_ms_mean", 2),
)


def lived(record: Record) -> str:
    """The record of a block in a few words."""
    rows = record["rows"]
    orders = sum(row["orders"] for row in rows)
    return f"{rows[0]['controller']}: {len(rows)} worlds, {orders} orders"


def results_table(records: Sequence[Record]) -> Table:
    """Means over the worlds of each controller."""
    table = Table(title="means over worlds; times in ticks, shares of robot-ticks")
    table.add_column("controller")
    for heading, _, _ in COLUMNS:
        table.add_column(heading, justify="right")
    table.add_column("deadlocks", justify="right")
    for controller in dict.fromkeys(record["controller"] for record in records):
        rows = [record for record in records if record["controller"] == controller]
        deadlocks = sum(bool(row["deadlocked"]) for row in rows)
        cells = [_mean(rows, field, decimals) for _, field, decimals in COLUMNS]
        table.add_row(controller, *cells, f"{deadlocks} of {len(rows)}")
    return table


def _mean(rows: Sequence[Record], field: str, decimals: int) -> str:
    known = [row[field] for row in rows if row[field] is not None]
    return f"{fmean(known):,.{decimals}f}" if known else "-"
