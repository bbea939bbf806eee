# SPDX-License-Identifier: Apache-2.0
"""A batch of rollouts as tensors, in the form that the losses need."""

from typing import NamedTuple

import torch

from agents.learning.returns import Outcome
from agents.learning.rollout import Batch


class Tensors(NamedTuple):
    """Rows to learn from, and those before and after; see :class:`agents.learning.rollout.Rollout`.

    Of ``observations`` and ``begins`` the last T + 1 steps are meant, earlier ones only lead in.
    """

    observations: torch.Tensor
    begins: torch.Tensor
    state: torch.Tensor
    """Before the first of the observations."""
    actions: torch.Tensor
    log_probs: torch.Tensor
    rewards: torch.Tensor
    terminated: torch.Tensor
    ended: torch.Tensor
    valid: torch.Tensor

    def lanes(self, which: torch.Tensor) -> "Tensors":
        """Only some lanes."""
        return Tensors(*(part[which] for part in self))

    def after(self, steps: int, state: torch.Tensor) -> "Tensors":
        """Without the first steps, which lead to this state."""
        begins = self.begins[:, steps:]
        return self._replace(observations=self.observations[:, steps:], begins=begins, state=state)

    def outcome(self, values: torch.Tensor) -> Outcome:
        """What happened, with these values of the rows, ``[B, T + 1]``."""
        return Outcome(self.rewards, self.terminated, self.ended, self.valid, values)


def tensors_of(batch: Batch) -> Tensors:
    """The batch with all of its history."""
    ended = batch.terminated | batch.truncated
    parts = (
        batch.observations,
        batch.begins,
        batch.state,
        batch.actions,
        batch.log_probs,
        batch.rewards,
        batch.terminated,
        ended,
        batch.valid,
    )
    return Tensors(*map(torch.from_numpy, parts))
