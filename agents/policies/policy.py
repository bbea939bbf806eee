# SPDX-License-Identifier: Apache-2.0
"""A policy: encoder, front, core, heads; it acts step by step and learns by whole sequences."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from agents.policies.encoders import Encoder
from quantum.core import Core
from quantum.initialise import linear
from sim.errors import InputError, require

HEAD_SCALE = 0.01
"""Of the initial weights of the action head: every action begins as likely as another."""


class Unrolled(NamedTuple):
    """What a policy says of sequences."""

    logits: torch.Tensor
    """``[batch, steps, actions]``"""
    values: torch.Tensor
    """``[batch, steps]``"""
    state: torch.Tensor
    """After the last step, ``[batch, state]``."""


class Acted(NamedTuple):
    """What a policy does in one step."""

    actions: NDArray[np.int64]
    """``[batch]``"""
    log_probs: NDArray[np.float32]
    """Of these actions, ``[batch]``."""
    values: NDArray[np.float32]
    """``[batch]``"""
    state: torch.Tensor
    """``[batch, state]``"""


class Policy(nn.Module):
    """Observation, state and mask in; action, value and new state out.

    The mask says where episodes begin: there the core finds an empty memory. The state is one flat
    tensor ``[batch, state]`` for every core, so that rollouts and checkpoints need not know which
    it is.

    Args:
        encoder: observations to features.
        front: features to what the core reads; identity for cores that have fronts of their own.
        core: the memory.
        actions: how many there are.
        generator: of the initial values of the heads.
    """

    def __init__(
        self,
        encoder: Encoder,
        front: nn.Module,
        core: Core[Any],
        actions: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.front = front
        self.core = core
        self.actor = linear(core.num_outputs, actions, generator)
        self.critic = linear(core.num_outputs, 1, generator)
        with torch.no_grad():
            self.actor.weight *= HEAD_SCALE
            self.actor.bias.zero_()
            self.critic.bias.zero_()

    @property
    def num_parameters(self) -> int:
        """Numbers that training changes."""
        return sum(p.numel() for p in self.parameters())

    def initial_state(self, batch: int) -> torch.Tensor:
        """The empty memory, ``[batch, state]``."""
        return torch.zeros(batch, self.core.state_size)

    def unroll(
        self,
        observations: torch.Tensor,
        state: torch.Tensor,
        begins: torch.Tensor,
        last: int | None = None,
    ) -> Unrolled:
        """What it says at every step of sequences, or at the last few.

        Args:
            observations: ``[batch, steps, *shape]``.
            state: before the first step, ``[batch, state]``.
            begins: ``[batch, steps]``, bool.
            last: only the last so many steps are wanted; the others still write the memory.
        """
        features = self.front(self.encoder(observations))
        outputs, after = self.core(features, self.core.unflat(state), begins, last=last)
        values: torch.Tensor = self.critic(outputs).squeeze(-1)
        return Unrolled(self.actor(outputs), values, self.core.flat(after))

    @torch.inference_mode()
    def act(
        self,
        observations: NDArray[Any],
        state: torch.Tensor,
        begins: NDArray[np.bool_],
        uniforms: NDArray[np.float64] | None,
    ) -> Acted:
        """One step of every environment.

        Args:
            observations: ``[batch, *shape]``.
            state: ``[batch, state]``.
            begins: ``[batch]``.
            uniforms: numbers in [0, 1) that choose the actions, ``[batch]``; None takes the most
                likely action.
        """
        unrolled = self.unroll(
            torch.from_numpy(observations).unsqueeze(1), state, torch.from_numpy(begins[:, None])
        )
        logits = unrolled.logits[:, 0].numpy()
        actions, log_probs = choose(logits, uniforms)
        return Acted(actions, log_probs, unrolled.values[:, 0].numpy(), unrolled.state)

    def num_circuits(self, batch: int, steps: int) -> int:
        """How many circuits a pass over so many sequences of so many steps evaluates."""
        return self.core.num_circuits(batch, steps)


def choose(
    logits: NDArray[np.float32], uniforms: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Actions of the softmax of logits ``[batch, actions]``, and their logarithmic probabilities.

    Args:
        uniforms: choose by the inverse of the distribution; None takes the most likely.
    """
    shifted = logits - logits.max(1, keepdims=True)
    cumulative = np.exp(shifted).cumsum(1)
    total = cumulative[:, -1]
    if uniforms is None:
        actions = logits.argmax(1)
    else:
        # Rounding may leave a threshold at the total itself; the last action then stays in range.
        above = cumulative[:, :-1] <= (uniforms * total)[:, None]
        actions = above.sum(1)
    return actions, shifted[np.arange(len(actions)), actions] - np.log(total)


def to_arrays(policy: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The parameters by name; copies."""
    return {name: p.detach().numpy().copy() for name, p in policy.named_parameters()}


@torch.no_grad()
def load_arrays(policy: nn.Module, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Set the parameters; the inverse of :func:`to_arrays`.

    Raises:
        InputError: names or shapes differ.
    """
    parameters = dict(policy.named_parameters())
    if parameters.keys() != arrays.keys():
        missing, unknown = parameters.keys() - arrays.keys(), arrays.keys() - parameters.keys()
        raise InputError(
            f"arrays do not fit this policy: without {sorted(missing)}, with {sorted(unknown)}"
        )
    for name, parameter in parameters.items():
        shape = tuple(parameter.shape)
        require(f"shape of {name}", arrays[name].shape, arrays[name].shape == shape, f"{shape}")
    for name, parameter in parameters.items():
        # By numpy: torch warns of arrays that cannot be written, such as those of a shared memory.
        np.copyto(parameter.numpy(), arrays[name])
