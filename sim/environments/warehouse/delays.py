# SPDX-License-Identifier: Apache-2.0
"""Delays of worlds whose episodes begin at different ticks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.warehouse.delays.options import TickDelayOptions
from sim.warehouse.delays.process import DelayProcess
from sim.warehouse.fleet import Int32s
from sim.warehouse.world import inner, outer


class EpisodeDelays:
    """One process for each world, so that an episode's delays do not depend on when it began.

    Args:
        options: what delays robots.
        worlds, robots: W and N.
    """

    def __init__(self, options: TickDelayOptions, worlds: int, robots: int) -> None:
        self._options, self._robots = options, robots
        self._begun = np.zeros(worlds, dtype=np.int64)
        keys = np.zeros(worlds, dtype=np.uint64)
        self._processes = [self._process(key) for key in keys]

    def _process(self, key: np.uint64) -> DelayProcess:
        return DelayProcess(self._options, np.array([key], dtype=np.uint64), self._robots)

    def begin(self, world: int, tick: int, key: np.uint64) -> None:
        """An episode begins in a world at a tick; its delays follow from the key."""
        self._begun[world], self._processes[world] = tick, self._process(key)

    def advance(self, tick: int, delay_ticks: Int32s) -> None:
        """Count ``[W, N]`` down by one in place, then draw new delays among those at 0."""
        for world, process in enumerate(self._processes):
            own = tick - int(self._begun[world])
            process.advance(own, delay_ticks[world : world + 1])

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """When episodes began, and what the processes remember; not their keys."""
        parts: dict[str, NDArray[Any]] = {"begun": self._begun.copy()}
        for world, process in enumerate(self._processes):
            parts |= outer(process.snapshot(), str(world))
        return parts

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot, after ``begin`` with the keys of its episodes.

        Raises:
            InputError: the arrays are not those of such delays.
        """
        begun = snapshot.get("begun")
        if begun is None or begun.shape != self._begun.shape:
            raise InputError(f"snapshot has no begun; allowed: {list(self._begun.shape)} ticks")
        self._begun[:] = begun
        for world, process in enumerate(self._processes):
            process.restore(inner(snapshot, str(world)))
