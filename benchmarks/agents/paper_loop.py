# SPDX-License-Identifier: Apache-2.0
"""The public way to train QFWP by A3C, plainly: one environment, one circuit at a time.

Written from ``fast_weights.md`` 3.2 to 3.4, not copied: original MiniGrid, PennyLane's
``default.qubit`` behind torch, float64; every 5 steps the loss runs the circuits of these steps
again, one after another and from an empty memory; the gradients go to a shared net with Adam, and
the local net takes its parameters. One worker of many; they share nothing that would save time.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import gymnasium
import minigrid  # noqa: F401 (registers its environments)
import numpy as np
import pennylane as qml
import torch
from numpy.typing import NDArray
from torch import nn

QUBITS, LAYERS, PIXELS, ACTIONS = 8, 2, 147, 7
SEGMENT, DISCOUNT, RATE, BETAS = 5, 0.9, 1e-4, (0.92, 0.999)

Gradient = Literal["backprop", "adjoint"]


class Said(NamedTuple):
    """Of one step: ``[actions]``, scalar, ``[layers, qubits]``."""

    logits: torch.Tensor
    value: torch.Tensor
    memory: torch.Tensor


class Net(nn.Module):
    """The actor-critic of 2,530 parameters.

    Args:
        gradient: how PennyLane differentiates.
    """

    def __init__(self, gradient: Gradient) -> None:
        super().__init__()
        self.front = nn.Linear(PIXELS, QUBITS)
        self.encoder = nn.Linear(PIXELS, QUBITS)
        self.row_head = nn.Linear(QUBITS, LAYERS)
        self.column_head = nn.Linear(QUBITS, QUBITS)
        self.actor, self.critic = nn.Linear(QUBITS, ACTIONS), nn.Linear(QUBITS, 1)
        self.double()
        device = qml.device("default.qubit", wires=QUBITS)
        self.circuit = qml.QNode(_circuit, device, interface="torch", diff_method=gradient)

    def take(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """The parameters of one of our policies."""
        for name, parameter in self.named_parameters():
            (array,) = [a for ours, a in arrays.items() if ours.endswith(name)]
            parameter.data.copy_(torch.from_numpy(array))

    def forward(self, observation: torch.Tensor, memory: torch.Tensor) -> Said:
        """One step, ``[147]``."""
        latent = self.encoder(observation).tanh()
        memory = memory + torch.outer(self.row_head(latent), self.column_head(latent))
        outputs = torch.stack(self.circuit(self.front(observation), memory))
        return Said(self.actor(outputs), self.critic(outputs)[0], memory)


def _circuit(angles: torch.Tensor, memory: torch.Tensor) -> object:
    for qubit in range(QUBITS):
        qml.Hadamard(qubit)
        qml.RY(angles[qubit], qubit)
    for layer in range(LAYERS):
        for first in [*range(0, QUBITS - 1, 2), *range(1, QUBITS - 1, 2)]:
            qml.CNOT([first, first + 1])
        for qubit in range(QUBITS):
            qml.RY(memory[layer, qubit], qubit)
    return [qml.expval(qml.PauliZ(qubit)) for qubit in range(QUBITS)]


class PaperLoop:
    """One worker and the shared net.

    Args:
        environment: its name.
        gradient: how PennyLane differentiates.
    """

    def __init__(self, environment: str, gradient: Gradient) -> None:
        torch.manual_seed(0)
        self.shared, self.local = Net(gradient), Net(gradient)
        self.optimizer = torch.optim.Adam(self.shared.parameters(), RATE, BETAS)
        self.environment = gymnasium.make(environment)
        self.begin()

    def begin(self) -> None:
        """The next episode."""
        self.observation = _numbers(self.environment.reset()[0])
        self.memory = _empty()

    def segment(self) -> int:
        """Up to 5 steps and an update; says how many steps."""
        observations, actions, rewards, over = [], [], [], False
        while len(actions) < SEGMENT and not over:
            with torch.no_grad():
                said = self.local(self.observation, self.memory)
            action = int(torch.distributions.Categorical(logits=said.logits).sample())
            seen, reward, ended, cut, _ = self.environment.step(action)
            observations.append(self.observation)
            actions.append(action)
            rewards.append(float(reward))
            self.observation, self.memory, over = _numbers(seen), said.memory, ended or cut
        self._learn(observations, actions, self._targets(rewards, bool(ended)))
        if over:
            self.begin()
        return len(actions)

    def _targets(self, rewards: list[float], ended: bool) -> torch.Tensor:
        value = 0.0
        if not ended:
            with torch.no_grad():
                value = float(self.local(self.observation, self.memory).value)
        targets = []
        for reward in reversed(rewards):
            value = reward + DISCOUNT * value
            targets.append(value)
        return torch.tensor(targets[::-1], dtype=torch.float64)

    def _learn(
        self, observations: list[torch.Tensor], actions: list[int], targets: torch.Tensor
    ) -> None:
        memory, logits, values = _empty(), [], []
        for observation in observations:
            said = self.local(observation, memory)
            memory = said.memory
            logits.append(said.logits)
            values.append(said.value)
        errors = targets - torch.stack(values)
        log_probs = torch.stack(logits).log_softmax(-1)[range(len(actions)), actions]
        loss = (errors**2 - log_probs * errors.detach()).mean()
        self.local.zero_grad()
        loss.backward()
        for mine, common in zip(self.local.parameters(), self.shared.parameters(), strict=True):
            common.grad = mine.grad
        self.optimizer.step()
        self.local.load_state_dict(self.shared.state_dict())


def _numbers(seen: Mapping[str, NDArray[np.uint8]]) -> torch.Tensor:
    return torch.from_numpy(seen["image"].astype(np.float64).reshape(-1))


def _empty() -> torch.Tensor:
    return torch.zeros(LAYERS, QUBITS, dtype=torch.float64)
