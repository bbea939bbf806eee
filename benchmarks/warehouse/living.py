# SPDX-License-Identifier: Apache-2.0
"""Runs of ``simulate`` from here: the command, its folder below runs/, and its records."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
"""Public maps and problems that are not part of the project."""

Record = dict[str, Any]


def simulate(name: str, arguments: str) -> list[Record]:
    """The records of a run; what is done already is not done again.

    Args:
        name: of the run folder below runs/.
        arguments: of the command, as one would type them.
    """
    out = ROOT / "runs" / name
    command = [sys.executable, "-m", "cluster", "simulate", *arguments.split(), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    records: list[Record] = json.loads((out / "results.json").read_text())
    return records


def data(name: str) -> Path:
    """A map or problem; says what is missing."""
    path = DATA / name
    if not path.exists():
        raise SystemExit(f"{path} is missing; this part needs the public data beside the project")
    return path
