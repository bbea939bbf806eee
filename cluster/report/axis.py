# SPDX-License-Identifier: Apache-2.0
"""Axes: from values to positions, with round ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.means import SHORTEST_S, Mean, Resampled


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic scale from ``low..high`` to the positions ``start..end``."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value; values outside stay at the edge."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values within the axis: decades, or four to seven equal steps."""
        if self.logarithmic:
            first, last = math.log10(self.low), math.log10(self.high)
            return [10.0**k for k in range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)]
        step = round_step((self.high - self.low) / 7)
        first_step, last_step = self.low / step - 1e-9, self.high / step + 1e-9
        return [k * step for k in range(math.ceil(first_step), math.floor(last_step) + 1)]


def round_step(width: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least ``width``."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= width * (1 - 1e-9))


def bounds_to_show(means: Sequence[Mean], logarithmic: bool) -> list[float]:
    """The means and the ends of their intervals, cut where few instances make them absurd."""
    if not means:
        return []
    lowest, highest = min(m.value for m in means), max(m.value for m in means)
    floor = lowest / 10 if logarithmic else min(lowest, 0.0)
    roof = highest * 10 if logarithmic else max(2 * highest, 0.0)
    shown = [m for m in means if m.is_drawable]
    whole = [end for m in shown if isinstance(m, Resampled) for end in (m.low, m.high)]
    cut = [end for m in shown if not isinstance(m, Resampled) for end in (m.low, m.high)]
    return [m.value for m in means] + whole + [min(max(end, floor), roof) for end in cut]


def linear_axis(values: Sequence[float], start: float, end: float, zero: bool = False) -> Axis:
    """An axis around the values that begins and ends at ticks."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-9 * max(abs(high), 1.0):
        low, high = low - 0.5, high + 0.5
    step = round_step((high - low) / 5)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return Axis(low, high, start, end)


def logarithmic_axis(
    values: Sequence[float], start: float, end: float, least: float = SHORTEST_S
) -> Axis:
    """An axis over whole decades that holds the values; nothing is below the least."""
    smallest, largest = max(min(values), least), max(*values, least)
    low = 10.0 ** math.floor(math.log10(smallest) + 1e-9)
    high = 10.0 ** math.ceil(math.log10(largest) - 1e-9)
    return Axis(low, max(high, 10 * low), start, end, logarithmic=True)
