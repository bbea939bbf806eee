# SPDX-License-Identifier: Apache-2.0
"""What a learner tells of an update."""

from dataclasses import dataclass
from typing import NamedTuple

import torch


class Stepped(NamedTuple):
    """What one step of the optimizer did, each a scalar; see :class:`Metrics`."""

    loss: torch.Tensor
    policy_loss: torch.Tensor
    value_loss: torch.Tensor
    entropy: torch.Tensor
    gradient_norm: torch.Tensor
    kl: torch.Tensor
    clipped: torch.Tensor


@dataclass(frozen=True)
class Metrics:
    """What one update did.

    Args:
        update: how many there have been.
        steps: actions learnt from since the beginning.
        loss, policy_loss, value_loss, entropy: means over its steps of the optimizer.
        gradient_norm: before clipping, mean over them.
        lag: updates between the parameters that acted and those that learn; the mean, and the most.
        kl: of the actor from the learner before the update, estimated from the actions.
        clipped: share of rows whose ratio the algorithm bounds.
        staleness: how far the actor's memory at the first row was from what the learner's own
            parameters make of the rows before; relative, root mean square; None where the learner
            does not run them again.
        circuits: evaluated, forward.
        finite: whether the parameters still are numbers.
    """

    update: int
    steps: int
    loss: float
    policy_loss: float
    value_loss: float
    entropy: float
    gradient_norm: float
    lag: float
    most_lag: int
    kl: float
    clipped: float
    staleness: float | None
    circuits: int
    finite: bool
