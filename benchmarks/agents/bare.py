# SPDX-License-Identifier: Apache-2.0
"""The least that somebody would write: Gymnasium's vector, torch's LSTM, a loop.

It stores nothing, so it cannot learn; it has no log-probabilities, no returns of episodes, no
seeds that can be replayed. It only acts, and forgets where an episode begins.
"""

import gymnasium
import numpy as np
import torch
from torch import nn


class BareLoop:
    """CartPole in some lanes, and a policy as large as ours.

    Args:
        lanes: environments.
        hidden: of the LSTM.
        steps: of all lanes in one call.
    """

    def __init__(self, lanes: int, hidden: int, steps: int) -> None:
        self.lanes, self.steps = lanes, steps
        make = [lambda: gymnasium.make("CartPole-v1")] * lanes
        self.environments = gymnasium.vector.SyncVectorEnv(make)
        self.front, self.lstm = nn.Linear(4, 8), nn.LSTM(8, hidden)
        self.actor, self.critic = nn.Linear(hidden, 2), nn.Linear(hidden, 1)
        self.observations, _ = self.environments.reset(seed=0)
        self.begins = np.ones(lanes, dtype=np.bool_)
        self.memory = torch.zeros(1, lanes, hidden), torch.zeros(1, lanes, hidden)
        self.choices = np.random.default_rng(0).integers(0, 2, (steps, lanes))

    @torch.no_grad()
    def act(self) -> int:
        """Play; says how many actions counted."""
        counted = 0
        for _ in range(self.steps):
            keep = torch.as_tensor(~self.begins).float()[None, :, None]
            features = self.front(torch.as_tensor(self.observations))[None]
            memory = self.memory[0] * keep, self.memory[1] * keep
            outputs, self.memory = self.lstm(features, memory)
            self.critic(outputs[0])
            chances = self.actor(outputs[0]).softmax(-1)
            actions = torch.multinomial(chances, 1).squeeze(1)
            counted += self._step(actions.numpy())
        return counted

    def step(self) -> int:
        """The environments alone, with actions from a list."""
        return sum(self._step(actions) for actions in self.choices)

    def _step(self, actions: np.ndarray) -> int:
        # In the call after a last action Gymnasium resets, and the action counts for nothing.
        counted = self.lanes - int(self.begins.sum())
        self.observations, _, ended, cut, _ = self.environments.step(actions)
        self.begins = ended | cut
        return counted
