# SPDX-License-Identifier: Apache-2.0
"""Environments for tests, by names such as ``tests.agents.learning.worlds:Ragged-v0``."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

RAGGED = "tests.agents.learning.worlds:Ragged-v0"
TERMINATES = "tests.agents.learning.worlds:Terminates-v0"
CUT_OFF = "tests.agents.learning.worlds:CutOff-v0"
FAULTY = "tests.agents.learning.worlds:Faulty-v0"

Vector = NDArray[np.float32]
Info = dict[str, Any]


class Ragged(gymnasium.Env[Vector, np.int64]):
    """Noise, for 1 to 9 actions; half of the episodes terminate, the others are cut off."""

    observation_space = spaces.Box(-5.0, 5.0, (3,), np.float32)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Vector, Info]:
        super().reset(seed=seed, options=options)
        self.left = int(self.np_random.integers(1, 10))
        self.terminates = bool(self.np_random.integers(2))
        return self.see(), {}

    def step(self, action: Any) -> tuple[Vector, float, bool, bool, Info]:
        self.left -= 1
        over = self.left == 0
        reward = float(self.np_random.normal()) + int(action)
        return self.see(), reward, over and self.terminates, over and not self.terminates, {}

    def see(self) -> Vector:
        return self.np_random.uniform(-2, 2, 3).astype(np.float32)


class Faulty(Ragged):
    """The same, but one episode in six breaks after some actions: it raises, or shows no number."""

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Vector, Info]:
        begun = super().reset(seed=seed, options=options)
        self.breaks = bool(self.np_random.random() < 1 / 6)
        self.raises = bool(self.np_random.integers(2))
        return begun

    def step(self, action: Any) -> tuple[Vector, float, bool, bool, Info]:
        seen, *others = super().step(action)
        if self.breaks and self.np_random.random() < 0.5:
            if self.raises:
                raise RuntimeError("a wheel came off")
            seen = np.full(3, np.nan, np.float32)
        return seen, *others


class Three(gymnasium.Env[Vector, np.int64]):
    """Rewards 1, 2 and 3, and the episode is over."""

    observation_space = spaces.Box(-5.0, 5.0, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, terminates: bool) -> None:
        self.terminates = terminates

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Vector, Info]:
        super().reset(seed=seed, options=options)
        self.taken = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Vector, float, bool, bool, Info]:  # noqa: ARG002
        self.taken += 1
        over = self.taken == 3
        seen = np.full(1, self.taken, np.float32)
        return seen, float(self.taken), over and self.terminates, over and not self.terminates, {}


gymnasium.register("Ragged-v0", Ragged)
gymnasium.register("Faulty-v0", Faulty)
gymnasium.register("Terminates-v0", lambda: Three(True))
gymnasium.register("CutOff-v0", lambda: Three(False))
