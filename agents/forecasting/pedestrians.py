# SPDX-License-Identifier: Apache-2.0
"""Forecasts of the next hour's pedestrians: windows of a federation that nobody had to make up.

What the counts are, and what is done about their faults, is in
:mod:`agents.forecasting.pedestrian_counts`. A window that needs a missing hour is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agents.forecasting.pedestrian_counts import DAY, Counts
from agents.forecasting.signals import Floats
from sim.errors import InputError, require

WEEK = 7 * DAY
Ints = NDArray[np.int64]


class Known(StrEnum):
    """Forecasts without training: a count that is known already."""

    PERSISTENCE = "persistence"
    YESTERDAY = "yesterday"
    LAST_WEEK = "last_week"

    @property
    def hours(self) -> int:
        """How long before the hour asked for."""
        return {Known.PERSISTENCE: 1, Known.YESTERDAY: DAY, Known.LAST_WEEK: WEEK}[self]


@dataclass(frozen=True)
class PedestrianOptions:
    """Which weeks, and how they are cut.

    The defaults end before the weeks of Christmas, which none before are like.

    Args:
        weeks: how many, the last one ending with ``last_day``.
        length: hours in a window, T.
        last_day: ISO 8601; as in the file it ends at 6:00 of the next.
        train_share: part of the weeks for training; the rest is for tests.

    Raises:
        InputError: a value is not allowed.
    """

    weeks: int = 8
    length: int = 8
    last_day: str = "2025-11-30"
    train_share: float = 0.75

    def __post_init__(self) -> None:
        require("weeks", self.weeks, self.weeks >= 1, "1 or more")
        require("length", self.length, 1 <= self.length <= WEEK, f"1 to {WEEK}")
        within = 0 < self.train_share < 1
        require("train_share", self.train_share, within, "above 0 and below 1")
        try:
            date.fromisoformat(self.last_day)
        except ValueError as error:
            raise InputError(f"last_day is {self.last_day!r}; allowed: as 2025-11-30") from error


@dataclass(frozen=True, eq=False)
class PedestrianWindows:
    """N windows in the order of time, the sensors of an hour one after another, and what followed.

    A count x is scaled to (log(1 + x) - mean) / deviation, both of the sensor's training hours, so
    a mean squared error is about the share that is left unexplained.

    Args:
        sensors: names of those that have windows on both sides of the border.
        inputs: ``[N, T, 3]`` scaled count, and sine and cosine of the hour of the day.
        targets: ``[N]`` scaled count of the next hour.
        group: ``[N]`` place in ``sensors``.
        day: ``[N]`` whole days of 24 hours since the first of the weeks, at the target.
        train: ``[N]`` whether the target lies before the border, which is one moment for all.
        known: ``[N]`` what each forecast without training says.
    """

    sensors: tuple[str, ...]
    inputs: Floats
    targets: Floats
    group: Ints
    day: Ints
    train: NDArray[np.bool_]
    known: Mapping[Known, Floats]


@dataclass(frozen=True, eq=False)
class _Sensor:
    """Scaled counts ``[H]``, and the hours that can be forecast."""

    name: str
    series: Floats
    target: Ints


def cut_windows(counts: Counts, options: PedestrianOptions) -> PedestrianWindows:
    """The windows of the weeks asked for; all forecasts are possible for all of them.

    Raises:
        InputError: the file does not have these weeks and one before, or no sensor has windows.
    """
    span = _span(counts, options)
    border = span.start + int(len(span) * options.train_share)
    sensors = list(_sensors(counts, span, border, options.length))
    if not sensors:
        raise InputError(f"last_day is {options.last_day}; no sensor has whole windows before it")
    hours = np.concatenate([one.target for one in sensors])
    in_time = np.argsort(hours, kind="stable")
    hours = hours[in_time]

    def joined(values: Callable[[_Sensor], NDArray[np.float64]]) -> Floats:
        return np.concatenate([values(one) for one in sensors])[in_time]

    def said(one: _Sensor, hours_before: int) -> Floats:
        return one.series[one.target - hours_before]

    group = np.repeat(np.arange(len(sensors)), [len(one.target) for one in sensors])
    clock = _clock(counts)
    return PedestrianWindows(
        sensors=tuple(one.name for one in sensors),
        inputs=joined(lambda one: _windows(one, clock, options.length)),
        targets=joined(lambda one: one.series[one.target]),
        group=group[in_time],
        day=(hours - span.start) // DAY,
        train=hours < border,
        known={one: joined(partial(said, hours_before=one.hours)) for one in Known},
    )


def known_losses(windows: PedestrianWindows, group: int | None = None) -> dict[Known, float]:
    """Mean squared errors over the test windows of a sensor, or of all."""
    rows = ~windows.train if group is None else ~windows.train & (windows.group == group)
    return {
        one: float(np.mean((said[rows] - windows.targets[rows]) ** 2))
        for one, said in windows.known.items()
    }


def _sensors(counts: Counts, span: range, border: int, length: int) -> Iterator[_Sensor]:
    """Those that have something to learn from and something to be judged by."""
    needed = np.array([*range(length + 1), *(one.hours for one in Known)])
    hours = np.arange(span.start, span.stop)
    for name, column in zip(counts.sensors, np.log1p(counts.hourly).T, strict=True):
        target = hours[np.isfinite(column[hours[:, None] - needed]).all(axis=1)]
        if (target < border).any() and (target >= border).any():
            seen = column[span.start : border]
            deviation = max(float(np.nanstd(seen)), 1e-6)
            yield _Sensor(name, (column - np.nanmean(seen)) / deviation, target)


def _windows(sensor: _Sensor, clock: Floats, length: int) -> Floats:
    at = sensor.target[:, None] + np.arange(-length, 0)
    return np.concatenate([sensor.series[at][..., None], clock[at]], axis=2)


def _clock(counts: Counts) -> Floats:
    """``[H, 2]`` sine and cosine of the hour of the day."""
    turn = 2 * np.pi * (counts.start.hour + np.arange(len(counts.hourly))) / DAY
    return np.column_stack([np.sin(turn), np.cos(turn)])


def _span(counts: Counts, options: PedestrianOptions) -> range:
    """The hours of the weeks, as places in the counts."""
    stop = datetime.fromisoformat(options.last_day) + timedelta(days=1, hours=6)
    end = int((stop - counts.start) / timedelta(hours=1))
    first = end - options.weeks * WEEK
    if first < WEEK or end > len(counts.hourly):
        last = counts.start + timedelta(hours=len(counts.hourly) - 6 - DAY)
        raise InputError(
            f"weeks is {options.weeks} and last_day {options.last_day}; the counts are from "
            f"{counts.start:%Y-%m-%d} to {last:%Y-%m-%d}, and one more week is needed before"
        )
    return range(first, end)
