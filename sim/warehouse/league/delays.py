# SPDX-License-Identifier: Apache-2.0
"""The league's delays, to the tick: which robots its program would delay, when, and how long.

All four of its models come out as in the program built with GNU's library on a 64-bit machine. What
hangs on the last bit of a logarithm (lengths of the gaussian model, numbers of the poisson model)
may in principle differ on another machine; none of some thousand recorded intervals does.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.jit import kernel
from sim.warehouse.fleet import Int32s
from sim.warehouse.league.mersenne import (
    NUM_WORDS,
    Words,
    below,
    normal_pair,
    poisson,
    seeded,
    shuffle,
    unit,
)

Interval = list[int]
"""First tick of a delay, and the first tick after it."""


@kernel
def _rounded(value: float) -> int:
    """Halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


@kernel
def _length(words: Words, low: int, high: int, mean: float, deviation: float) -> int:
    """Ticks of a delay; ``mean`` is NaN in the uniform model."""
    if low == high:
        return low
    if math.isnan(mean):
        return low + below(words, high - low + 1)
    if deviation > 0:
        mean += normal_pair(words)[0] * deviation
    return min(max(_rounded(mean), low), high)


@kernel
def _struck(
    words: Words, free: NDArray[np.int64], p_delay: float, poisson_mean: float
) -> NDArray[np.int64]:
    """Which of the free robots fall into a delay, in the order in which their lengths are drawn.

    ``poisson_mean`` is negative in the bernoulli model.
    """
    if len(free) == 0:
        return free
    if poisson_mean < 0:
        struck: NDArray[np.int64] = free[np.array([unit(words) < p_delay for _ in free])]
        return struck
    count = min(poisson(words, poisson_mean), len(free))
    if count > 0:
        shuffle(words, free)
    return free[:count]


@kernel
def _advance(
    words: Words,
    delay_ticks: NDArray[np.int32],
    p_delay: float,
    poisson_mean: float,
    low: int,
    high: int,
    mean: float,
    deviation: float,
) -> NDArray[np.int64]:
    """Count down and draw; returns the robots that were struck."""
    delay_ticks -= delay_ticks > 0
    struck = _struck(words, np.flatnonzero(delay_ticks == 0), p_delay, poisson_mean)
    for robot in struck:
        delay_ticks[robot] = _length(words, low, high, mean, deviation)
    return struck


class LeagueDelays:
    """The delays of one world, as the league's program draws them for the seed of a problem.

    Args:
        options: the problem's.
        robots: N.
    """

    def __init__(self, options: LorrDelayOptions, robots: int) -> None:
        self.options = options
        self.robots = robots
        self._words = seeded(options.seed)
        self._struck: list[NDArray[np.int64]] = []

    def advance(self, tick: int, delay_ticks: Int32s) -> None:
        """Count all delays down by one tick, then draw new ones among the robots without.

        Args:
            tick: its number, for the record; the first is 0.
            delay_ticks: ``[1, N]`` int32 ticks that robots still stand still, this one included;
                changed in place.
        """
        row = delay_ticks[0]
        struck = _advance(self._words, row, *_numbers(self.options, self.robots))
        if len(struck):
            ends = tick + row[struck]
            starts = np.full_like(struck, tick)
            self._struck.append(np.stack([struck, starts, ends], axis=1))

    def intervals(self) -> list[list[Interval]]:
        """For each robot its delays so far, as the output file has them."""
        found: list[list[Interval]] = [[] for _ in range(self.robots)]
        for robot, start, end in self._rows().tolist():
            found[robot].append([start, end])
        return found

    def _rows(self) -> NDArray[np.int64]:
        """``[K, 3]``: robot, first tick, first tick after."""
        return np.concatenate([np.empty((0, 3), dtype=np.int64), *self._struck])

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The generator's ``words`` and the ``intervals`` so far; delays that run are not here."""
        return {"words": self._words.copy(), "intervals": self._rows()}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such delays.
        """
        words = _array(snapshot, "words", np.uint32, lambda shape: shape == (NUM_WORDS + 1,))
        rows = _array(snapshot, "intervals", np.int64, lambda s: len(s) == 2 and s[1] == 3)
        if words[NUM_WORDS] > NUM_WORDS:
            raise InputError(f"words[{NUM_WORDS}] is {words[NUM_WORDS]}; allowed: 0 to {NUM_WORDS}")
        if len(rows) and not np.isin(rows[:, 0], range(self.robots)).all():
            raise InputError(f"intervals name robots beyond {self.robots - 1}; allowed: 0 to that")
        self._words = words
        self._struck = [rows]


def _array(
    snapshot: dict[str, NDArray[Any]],
    key: str,
    kind: type[np.generic],
    fits: Callable[[tuple[int, ...]], bool],
) -> NDArray[Any]:
    array = np.array(snapshot.get(key))
    if array.dtype != kind or not fits(array.shape):
        raise InputError(
            f"{key} of league delays is {array.dtype} {list(array.shape)}; "
            f"allowed: {kind.__name__}, as snapshot() gives it"
        )
    return array


def _numbers(options: LorrDelayOptions, robots: int) -> tuple[float, float, int, int, float, float]:
    """What ``_advance`` takes after its arrays."""
    low, high = options.min_delay_ticks, options.max_delay_ticks
    is_poisson = options.event_model == "poisson"
    is_gaussian = options.duration_model == "gaussian"
    mean = low + float(high - low) * options.gauss_mean_ratio if is_gaussian else math.nan
    poisson_mean = robots * options.p_delay if is_poisson else -1.0
    deviation = (high - low) * options.gauss_std_ratio
    return options.p_delay, poisson_mean, low, high, mean, deviation


def league_intervals(options: LorrDelayOptions, robots: int, ticks: int) -> list[list[Interval]]:
    """All delays of the first ``ticks`` ticks, for each robot."""
    delays = LeagueDelays(options, robots)
    delay_ticks = np.zeros((1, robots), dtype=np.int32)
    for tick in range(ticks):
        delays.advance(tick, delay_ticks)
    return delays.intervals()
