# SPDX-License-Identifier: Apache-2.0
"""Where runs live: an absolute folder, or one below ``runs/``."""

import os
from datetime import datetime
from pathlib import Path

from sim.errors import InputError

RUNS = Path("runs")
RAY_JOB_ENV_VAR = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Set by Ray for the entrypoint of a job."""


def run_folder(out: str | None, command: str, now: datetime) -> Path:
    """The folder of a run: what ``--out`` names, else a new name from the time and the command.

    Raises:
        InputError: the name leads out of ``runs/``, or is relative inside a Ray job, whose working
            folder is deleted with the job.
    """
    name = out if out is not None else f"{now:%Y-%m-%d-%H%M%S}-{command}"
    if Path(name).is_absolute():
        return Path(name)
    if RAY_JOB_ENV_VAR in os.environ:
        raise InputError(f"out is {out!r}: inside a Ray job only an absolute path outlives the job")
    return RUNS / _below_runs(name)


def existing_run(name: str) -> Path:
    """The folder that a person means by a path or by a name below ``runs/``.

    Raises:
        InputError: there is no such folder.
    """
    candidates = [Path(name), RUNS / name]
    for path in candidates:
        if (path / "manifest.json").is_file():
            return path
    raise InputError(
        f"run {name!r}: no run folder (one with a manifest.json) there or below {RUNS}/"
    )


def _below_runs(name: str) -> Path:
    relative = Path(name)
    if relative.parts[:1] == (RUNS.name,):
        relative = relative.relative_to(RUNS)
    outside = not relative.parts or ".." in relative.parts
    if outside or not (RUNS / relative).resolve().is_relative_to(RUNS.resolve()):
        raise InputError(f"out is {name!r}; it must be an absolute path or a name below {RUNS}/")
    return relative
