# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster doctor``."""

from rich.console import Console
from rich.table import Table

from cluster.doctor import Finding, Level, examine
from cluster.options import Doctor

COLOUR = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(options: Doctor) -> int:
    """Print every finding and what to do about it; exit code 1 when something fails."""
    console = Console()
    findings = []
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in examine(options.start_ray):
        findings.append(finding)
        table.add_row(*_cells(finding))
    console.print(table)
    failed = [finding.check for finding in findings if finding.level is Level.FAIL]
    console.print(f"not ready: {', '.join(failed)}" if failed else "ready")
    return 1 if failed else 0


def _cells(finding: Finding) -> tuple[str, str, str, str]:
    level = f"[{COLOUR[finding.level]}]{finding.level}[/]"
    return finding.check, level, finding.found, finding.advice
