# SPDX-License-Identifier: Apache-2.0
"""How long robots really take: random durations of the events of a schedule.

An event is the traversal of one cell. Delays of different events and samples are independent.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.jit import kernel
from sim.text_files import quoted

MAX_MS = 2**31 - 1
MAX_DELAY_PROBABILITY = 0.99
NEVER = 2**62


def _require(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{field} is {value}; allowed: {low} to {high}")


@dataclass(frozen=True)
class DelayOptions:
    """Robots drive unevenly and stop now and then."""

    slow_spread: float = 0.2
    """Each cell takes its nominal time, times a uniform factor within 1 - this and 1 + this;
    0 to 0.99."""

    stop_probability: float = 0.03
    """Chance of one stop in each cell, 0 to 1."""

    stop_mean_s: float = 4.0
    """Mean length of a stop in seconds, exponentially distributed; 0 to 3600."""

    def __post_init__(self) -> None:
        _require("slow_spread", self.slow_spread, 0, 0.99)
        _require("stop_probability", self.stop_probability, 0, 1)
        _require("stop_mean_s", self.stop_mean_s, 0, 3600)


@dataclass(frozen=True)
class LorrDelayOptions:
    """The delay model of the League of Robot Runners 2026 (``delayConfig``).

    Time passes in ticks. In each tick every robot that is not delayed may fall into a delay; a
    delayed robot stands still for a whole number of ticks and may fall into the next one right
    after. The league also delays robots that wait; here only driving robots are delayed, and what
    a wait would have swallowed does not count. Source: the league's Start-Kit, its
    ``Input_Output_Format.md`` and the behaviour of its delay generator.
    """

    seed: int = 0
    """The league's seed, kept for the record; sampling uses the generator it is given."""

    min_delay_ticks: int = 1
    """Shortest delay in ticks, 1 to 100000."""

    max_delay_ticks: int = 1
    """Longest delay in ticks, from the shortest to 100000."""

    event_model: Literal["bernoulli", "poisson"] = "bernoulli"
    """Who is delayed in a tick: each free robot by its own coin, or a Poisson number of robots
    drawn from the free ones (taken at its mean: the fewer are free, the more often each)."""

    p_delay: float = 0.0
    """Chance of the coin, or Poisson mean per robot of the team, per tick; 0 to 0.99."""

    duration_model: Literal["uniform", "gaussian"] = "uniform"
    """Length of a delay: uniform between both ends, or normal, rounded and cut off there."""

    gauss_mean_ratio: float = 0.5
    """Place of the normal mean between the shortest (0) and the longest delay (1)."""

    gauss_std_ratio: float = 0.0
    """Normal standard deviation as a share of the difference between both ends, 0 to 1000."""

    tick_ms: int = 100
    """Length of a tick in milliseconds, 1 to 60000."""

    def __post_init__(self) -> None:
        _require("min_delay_ticks", self.min_delay_ticks, 1, 100_000)
        _require("max_delay_ticks", self.max_delay_ticks, self.min_delay_ticks, 100_000)
        _require("p_delay", self.p_delay, 0, MAX_DELAY_PROBABILITY)
        _require("tick_ms", self.tick_ms, 1, 60_000)
        if self.event_model not in ("bernoulli", "poisson"):
            raise InputError(
                f"event_model is {quoted(self.event_model)}; allowed: bernoulli, poisson"
            )
        if self.duration_model not in ("uniform", "gaussian"):
            raise InputError(
                f"duration_model is {quoted(self.duration_model)}; allowed: uniform, gaussian"
            )
        if self.duration_model == "gaussian":
            _require("gauss_mean_ratio", self.gauss_mean_ratio, 0, 1)
            _require("gauss_std_ratio", self.gauss_std_ratio, 0, 1000)
        if self.delay_probability > MAX_DELAY_PROBABILITY:
            raise InputError(
                f"p_delay is {self.p_delay} at a mean delay of {self.mean_delay_ticks:g} ticks; "
                f"allowed is less, since robots would be delayed all the time"
            )

    @property
    def delay_distribution(self) -> NDArray[np.float64]:
        """``[max - min + 1]``: the probability of each length of a delay, shortest first."""
        span = self.max_delay_ticks - self.min_delay_ticks
        if self.duration_model == "uniform":
            return np.full(span + 1, 1 / (span + 1))
        mean, deviation = span * self.gauss_mean_ratio, span * self.gauss_std_ratio
        if deviation == 0:
            point = np.zeros(span + 1)
            point[math.floor(mean + 0.5)] = 1
            return point
        scaled = (np.arange(span) + 0.5 - mean) / (deviation * math.sqrt(2))
        below = [0.0, *(0.5 * (1 + math.erf(edge)) for edge in scaled), 1.0]
        distribution: NDArray[np.float64] = np.diff(below)
        return distribution

    @property
    def mean_delay_ticks(self) -> float:
        """Mean length of a delay."""
        distribution = self.delay_distribution
        return float(self.min_delay_ticks + distribution @ np.arange(len(distribution)))

    @property
    def delay_probability(self) -> float:
        """Chance per tick that a robot that is not delayed falls into a delay.

        In the Poisson model ``p_delay`` robots per robot of the team are delayed in a tick, but
        those still in an earlier delay, ``p_delay * (mean_delay_ticks - 1)`` of them, cannot be.
        """
        if self.event_model == "bernoulli":
            return self.p_delay
        free = 1 - self.p_delay * (self.mean_delay_ticks - 1)
        return min(self.p_delay / free, 1.0) if free > 0 else 1.0


DelayModel = DelayOptions | LorrDelayOptions


@kernel
def _successes(failure_probability: float, rng: np.random.Generator) -> int:
    """How often a coin succeeds before it fails; one draw in place of many."""
    if failure_probability <= 0:
        return NEVER
    if failure_probability >= 1:
        return 0
    return int(min(math.log1p(-rng.random()) / math.log1p(-failure_probability), NEVER))


@kernel
def _own(
    nominal_ms: NDArray[np.int32],
    num_samples: int,
    slow_spread: float,
    stop_probability: float,
    stop_mean_ms: float,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    sampled_ms = np.zeros((len(nominal_ms), num_samples), dtype=np.int32)
    cells_before_stop = _successes(stop_probability, rng)
    for event in range(len(nominal_ms)):
        if nominal_ms[event] == 0:
            continue
        for sample in range(num_samples):
            factor = 1 - slow_spread + 2 * slow_spread * rng.random()
            duration_ms = nominal_ms[event] * factor
            if cells_before_stop == 0:
                duration_ms += stop_mean_ms * rng.standard_exponential()
                cells_before_stop = _successes(stop_probability, rng)
            else:
                cells_before_stop -= 1
            sampled_ms[event, sample] = int(min(max(duration_ms + 0.5, 1.0), MAX_MS))
    return sampled_ms


@kernel
def _lorr(
    nominal_ms: NDArray[np.int32],
    num_samples: int,
    tick_ms: int,
    delay_probability: float,
    min_delay_ticks: int,
    cumulative: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    sampled_ms = np.zeros((len(nominal_ms), num_samples), dtype=np.int32)
    ticks_before_delay = _successes(delay_probability, rng)
    for event in range(len(nominal_ms)):
        if nominal_ms[event] == 0:
            continue
        driving_ticks = max((nominal_ms[event] + tick_ms // 2) // tick_ms, 1)
        for sample in range(num_samples):
            delay_ticks = 0
            left_ticks = driving_ticks
            while ticks_before_delay < left_ticks:
                left_ticks -= ticks_before_delay
                delay_ticks += min_delay_ticks
                delay_ticks += int(np.searchsorted(cumulative, rng.random(), side="right"))
                ticks_before_delay = _successes(delay_probability, rng)
            ticks_before_delay -= left_ticks
            sampled_ms[event, sample] = min(nominal_ms[event] + delay_ticks * tick_ms, MAX_MS)
    return sampled_ms


def sample_durations_ms(
    duration_ms: NDArray[np.int32], model: DelayModel, num_samples: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Draw durations of all events from a delay model.

    Args:
        duration_ms: ``[E]`` nominal durations in milliseconds; 0 marks an event without any.
        model: how robots are delayed.
        num_samples: S, at least 1.
        rng: the source of all chance.

    Returns:
        ``[E, S]`` milliseconds, samples innermost in memory: at least 1 where the nominal
        duration is more than 0, and 0 where it is 0; cut off at the largest int32.

    Raises:
        InputError: ``num_samples`` is below 1, or a nominal duration is negative.
    """
    if num_samples < 1:
        raise InputError(f"num_samples is {num_samples}; allowed: 1 or more")
    nominal_ms = np.ascontiguousarray(duration_ms, dtype=np.int32)
    if (nominal_ms < 0).any():
        raise InputError(f"a duration is {nominal_ms.min()} ms; allowed: 0 or more")
    if isinstance(model, DelayOptions):
        stop_mean_ms = 1000 * model.stop_mean_s
        return _own(
            nominal_ms, num_samples, model.slow_spread, model.stop_probability, stop_mean_ms, rng
        )
    cumulative = np.cumsum(model.delay_distribution)[:-1]
    return _lorr(
        nominal_ms,
        num_samples,
        model.tick_ms,
        model.delay_probability,
        model.min_delay_ticks,
        cumulative,
        rng,
    )
