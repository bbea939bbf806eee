# SPDX-License-Identifier: Apache-2.0
"""What ``compare`` finds with fixed options: interquartile means over seeds, at the end and before.

The run folder stays, so that what was cut short goes on, and what is done is only read.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from agents.statistics import iqm
from benchmarks.federated.tables import table
from cluster.commands.compare import compare
from cluster.comparison_options import Compare
from cluster.out import run_folder
from cluster.report.compare.results import typed_rows
from cluster.report.compare.summary import Environment, environments
from cluster.report.fields import Fields


def compared(options: Compare, at_steps: Sequence[int] = ()) -> list[Environment]:
    """Do what is not done yet and print the table of the ends, and one of earlier steps.

    Raises:
        AssertionError: a training failed.
    """
    if compare(options):
        raise AssertionError("a training failed; the run folder says which")
    path = run_folder(options.out, "compare", datetime.now())
    records = _read(path / "results.json")
    if at_steps:
        print(curve_table(_read(path / "artefacts" / "curves.json")["rows"], at_steps))
    rows = [Fields(dict(record), f"record {n}") for n, record in enumerate(records)]
    return environments(typed_rows(rows))


def curve_table(rows: Sequence[Mapping[str, Any]], at_steps: Sequence[int]) -> str:
    """Interquartile means over seeds of the returns while training, drawn actions included.

    Args:
        rows: of ``curves.json``.
        at_steps: the stretch of the curve that ends there or is the next to end.
    """
    kinds = dict.fromkeys((row["env"], row["policy"]) for row in rows)
    head = ("environment", "policy", *(f"{steps:,} steps" for steps in at_steps))
    return table(head, [(*kind, *_cells(rows, kind, at_steps)) for kind in kinds])


def _cells(
    rows: Sequence[Mapping[str, Any]], kind: tuple[str, str], at_steps: Sequence[int]
) -> list[str]:
    own = [row for row in rows if (row["env"], row["policy"]) == kind]
    cells = []
    for steps in at_steps:
        found = [row["returns"][int(np.searchsorted(row["steps"], steps))] for row in own]
        known = np.array([value for value in found if value is not None])
        cells.append(f"{iqm(known):.3f}" if len(known) else "–")
    return cells


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
