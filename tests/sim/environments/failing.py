# SPDX-License-Identifier: Apache-2.0
"""An environment that does what a test tells it to."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from sim.environments.gymnasium_vector import GymnasiumVector
from sim.environments.lane import Source
from sim.environments.spaces import translate

Script = Callable[[int, int], tuple[float, float]]
"""From the number of the reset in this process (1 the first) and the step in the episode (0: the
reset) to what is shown and what is paid; may raise."""


class Scripted(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Episodes of four steps that show and pay what a script says.

    Args:
        script: see above.
        resets: counts all resets of all environments that share it.
    """

    def __init__(self, script: Script, resets: list[int]) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._script, self._resets = script, resets

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self._resets[0] += 1
        self._number, self._step = self._resets[0], 0
        return np.full(2, self._script(self._number, 0)[0], np.float32), {}

    def step(
        self, _action: int | np.int64
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        self._step += 1
        shown, paid = self._script(self._number, self._step)
        return np.full(2, shown, np.float32), paid, self._step == 4, False, {}


def scripted(script: Script, lanes: Sequence[int] = (7,)) -> GymnasiumVector:
    """A vector of scripted environments, which share the count of resets."""
    resets = [0]
    translation = translate(Scripted(script, resets), "Scripted", None)
    return GymnasiumVector(
        Source("Scripted", lambda: Scripted(script, resets), translation, seed=1), lanes, None
    )
