# SPDX-License-Identifier: Apache-2.0
"""Small environments whose answer is known: a learner that fails one has a fault."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

ROUNDS = 8
"""Actions in an episode of ``Identity``; the share of each in the return is exact in binary."""

BANDIT_WINS, BANDIT_LUCK = 0.9, 0.1


class MemoryLength(gymnasium.Env[NDArray[np.float32], np.int64]):
    """A cue at the first step is the right action ``length`` steps later; all others are ignored.

    Observation: the cue (-1 or 1, then 0), whether this action counts, and the part of the episode
    that is left. The return is 1 for the action that the cue stood for (0: -1, 1: 1) and -1 for
    the other one. After ``memory_len`` of Osband et al., Behaviour Suite for Reinforcement
    Learning, 2020 (one bit).

    Args:
        length: steps between the cue and the action that counts; an episode has one action more.
    """

    def __init__(self, length: int) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.length = length
        self.max_steps = length + 1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw the cue."""
        super().reset(seed=seed, options=options)
        self._step, self._right = 0, int(self.np_random.integers(2))
        return self._see(), {}

    def step(
        self, action: int | np.int64
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Only the action at ``length`` is paid; with it the episode ends."""
        over = self._step == self.length
        reward = (1.0 if action == self._right else -1.0) if over else 0.0
        self._step += 1
        return self._see(), reward, over, False, {}

    def _see(self) -> NDArray[np.float32]:
        cue = 2.0 * self._right - 1.0 if self._step == 0 else 0.0
        left = max(0.0, 1.0 - self._step / self.length)
        return np.array([cue, self._step == self.length, left], np.float32)


class Bandit(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Episodes of one action: the last arm pays 1 nine times in ten, each other one in ten.

    Args:
        arms: how many there are.
    """

    max_steps = 1

    def __init__(self, arms: int) -> None:
        self.observation_space = spaces.Box(1.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Discrete(arms)
        self.best = arms - 1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """There is nothing to see."""
        super().reset(seed=seed, options=options)
        return np.ones(1, np.float32), {}

    def step(
        self, action: int | np.int64
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Pull one arm."""
        chance = BANDIT_WINS if action == self.best else BANDIT_LUCK
        return np.ones(1, np.float32), float(self.np_random.random() < chance), True, False, {}


class Identity(gymnasium.Env[np.int64, np.int64]):
    """The observation, one of ``choices``, is the right action; 8 rounds share a return of 1.

    Args:
        choices: how many there are.
    """

    max_steps = ROUNDS

    def __init__(self, choices: int) -> None:
        self.observation_space = spaces.Discrete(choices)
        self.action_space = spaces.Discrete(choices)
        self.choices = choices

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        """Draw the first observation."""
        super().reset(seed=seed, options=options)
        self._round = 0
        return self._draw(), {}

    def step(self, action: int | np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Paid where the action is the observation before it."""
        reward = (action == self._right) / ROUNDS
        self._round += 1
        return self._draw(), reward, self._round == ROUNDS, False, {}

    def _draw(self) -> np.int64:
        self._right = self.np_random.integers(self.choices)
        return self._right
