# SPDX-License-Identifier: Apache-2.0
"""The losses of the learners; every mean is over the valid rows."""

from typing import NamedTuple

import torch

from agents.learning.options import LearnOptions
from agents.learning.returns import Advantages


class Said(NamedTuple):
    """What the policy says of the rows to learn from, with gradient."""

    log_probs: torch.Tensor
    """Of the actions taken, ``[B, T]``."""
    entropy: torch.Tensor
    """``[B, T]``"""
    values: torch.Tensor
    """``[B, T]``"""


class Loss(NamedTuple):
    """The parts of a loss, each a scalar."""

    policy: torch.Tensor
    value: torch.Tensor
    entropy: torch.Tensor

    def total(self, value_weight: float, entropy_weight: float) -> torch.Tensor:
        """What is minimised."""
        return self.policy + value_weight * self.value - entropy_weight * self.entropy


def say(logits: torch.Tensor, values: torch.Tensor, actions: torch.Tensor) -> Said:
    """From logits ``[B, T, A]`` and values ``[B, T]`` of the rows with these actions ``[B, T]``."""
    log_probs = logits.log_softmax(-1)
    taken = log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    return Said(taken, -(log_probs.exp() * log_probs).sum(-1), values)


def actor_critic(said: Said, learn: Advantages, valid: torch.Tensor) -> Loss:
    """-log pi(a) A, and half the squared error of the value (V-trace, arXiv 1802.01561)."""
    return Loss(
        policy=mean_of(-said.log_probs * learn.advantages, valid),
        value=mean_of(0.5 * (said.values - learn.targets) ** 2, valid),
        entropy=mean_of(said.entropy, valid),
    )


def a3c(said: Said, learn: Advantages, valid: torch.Tensor) -> Loss:
    """The same with the whole squared error, as in the public code on quantum A3C."""
    loss = actor_critic(said, learn, valid)
    return loss._replace(value=2 * loss.value)


def clipped(
    said: Said,
    old_log_probs: torch.Tensor,
    learn: Advantages,
    valid: torch.Tensor,
    options: LearnOptions,
) -> Loss:
    """The clipped surrogate of PPO (Schulman et al., arXiv 1707.06347, eq. 7)."""
    advantages = _standardised(learn.advantages, valid) if options.normalise else learn.advantages
    ratio = (said.log_probs - old_log_probs).exp()
    bounded = ratio.clamp(1 - options.ratio_clip, 1 + options.ratio_clip)
    surrogate = torch.minimum(ratio * advantages, bounded * advantages)
    return actor_critic(said, learn, valid)._replace(policy=mean_of(-surrogate, valid))


def mean_of(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Over the valid rows; 0 where there are none."""
    return (values * valid).sum() / valid.sum().clamp(min=1)


def _standardised(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    mean = mean_of(values, valid)
    deviation = mean_of((values - mean) ** 2, valid).sqrt()
    return (values - mean) / (deviation + 1e-8)
