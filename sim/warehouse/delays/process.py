# SPDX-License-Identifier: Apache-2.0
"""The delays of many worlds, tick by tick, of whatever kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.delays import LorrDelayOptions
from sim.errors import InputError, require
from sim.warehouse.chance import Keys
from sim.warehouse.delays import kernels
from sim.warehouse.delays.noise import NoiseLaw, smoothed
from sim.warehouse.delays.options import DelayKind, TickDelayOptions
from sim.warehouse.delays.standstills import rate_of, threshold

STATE = "delay_noise"
"""Name of the only array of a snapshot."""

DelayModel = TickDelayOptions | LorrDelayOptions


def noise_of(options: TickDelayOptions) -> NoiseLaw:
    """The noise behind fractional delays; its standstills have the options' mean length."""
    if options.share == 0:
        return smoothed(options.hurst, 1.0)
    rate = rate_of(options.share, options.mean_ticks, options.hurst)
    return smoothed(options.hurst, rate)


class DelayProcess:
    """Delays of W worlds with N robots each.

    The first tick is like any other for fractional delays, whose past is drawn; under the other
    kinds all robots start free.

    Everything is a function of a world's key, the tick and the robot. Fractional delays have a
    state besides, which takes one step per call: call once per tick, in order.

    The 0/1 series of fractional delays has the Hurst index of its noise from 0.5 on: a threshold
    has Hermite rank 1, so the correlations of the series fall as slowly as those of the noise
    (Taqqu 1975). But the threshold adds short memory, the more the rarer delays are, so only
    frequencies far below one standstill show the index: of noise of 0.8, over 32,768 ticks, 0.80 at
    a share of 0.3 and 0.74 at 0.05. Below 0.5 the series has 0.5 in the long run: what swings back
    in the noise does not cancel beyond a threshold.

    ``LorrDelayOptions``: the league's model, with the same law as the league's generator but not
    its random numbers, and their ``seed`` is not used. Robots that wait are delayed as well.

    Args:
        options: what delays robots.
        keys: ``[W]``, one per world.
        robots: N, at least 1.

    Raises:
        InputError: ``robots`` is below 1, or there is no world.
    """

    def __init__(self, options: DelayModel, keys: Keys, robots: int) -> None:
        require("robots", robots, robots >= 1, "1 or more")
        require("worlds", len(keys), len(keys) >= 1, "1 or more")
        self.options, self.keys = options, np.array(keys, dtype=np.uint64)
        self.robots = robots
        self._state = np.empty((len(keys), 0, robots))
        if isinstance(options, LorrDelayOptions):
            self._cumulative = np.cumsum(options.delay_distribution)[:-1]
        elif options.kind is DelayKind.FRACTIONAL:
            self._law, self._threshold = noise_of(options), threshold(options.share)
            self._state = np.empty((len(keys), len(self._law.decay), robots))
            kernels.stationary_state(self.keys, self._law.start, self._state)

    def advance(self, tick: int, delay_ticks: NDArray[np.int32]) -> None:
        """Count delays down and let new ones begin.

        Args:
            tick: its number, at least 0.
            delay_ticks: ``[W, N]``, changed in place; afterwards, robots where it is above 0
                stand still in this tick.

        Raises:
            InputError: ``delay_ticks`` has another shape.
        """
        shape = (len(self.keys), self.robots)
        require("delay_ticks", delay_ticks.shape, delay_ticks.shape == shape, f"shape {shape}")
        if isinstance(self.options, LorrDelayOptions):
            self._advance_league(self.options, tick, delay_ticks)
        elif self.options.kind is DelayKind.NONE:
            kernels.count_down(delay_ticks)
        elif self.options.kind is DelayKind.FRACTIONAL:
            decay, gain, deviation, _ = self._law
            kernels.fractional(
                self.keys, tick, decay, gain, deviation, self._threshold, self._state, delay_ticks
            )
        else:
            chain = kernels.markov if self.options.kind is DelayKind.MARKOV else kernels.independent
            end_probability = 1 / self.options.mean_ticks
            chain(self.keys, tick, self.options.start_probability, end_probability, delay_ticks)

    def _advance_league(
        self, options: LorrDelayOptions, tick: int, delay_ticks: NDArray[np.int32]
    ) -> None:
        chosen = kernels.poisson if options.event_model == "poisson" else kernels.bernoulli
        shortest = options.min_delay_ticks
        chosen(self.keys, tick, options.p_delay, shortest, self._cumulative, delay_ticks)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """``{"delay_noise": [W, K, N]}``; K is 0 for all but fractional delays."""
        return {STATE: self._state.copy()}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such a process.
        """
        if snapshot.keys() != {STATE}:
            raise InputError(f"snapshot has {sorted(snapshot)}; allowed: {STATE} alone")
        state = snapshot[STATE]
        fits = state.shape == self._state.shape and state.dtype == np.float64
        require(STATE, f"{state.dtype}{list(state.shape)}", fits,
                f"float64{list(self._state.shape)}")  # fmt: skip
        require(STATE, "not finite", bool(np.isfinite(state).all()), "finite numbers")
        self._state[:] = state
