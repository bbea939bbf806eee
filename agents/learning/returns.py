# SPDX-License-Identifier: Apache-2.0
"""Advantages and targets of values, for all steps at once.

Each is a linear recurrence backwards in time, x_t = gate_t x_{t+1} + delta_t, so one scan gives it.
The row after a last action (see :mod:`agents.learning.rollout`) has the value of the final
observation and no delta; where an episode terminated that value counts for nothing, where it was
cut off it is what the rewards that did not come any more are estimated by.
"""

from typing import NamedTuple

import torch

from quantum.scan import Recurrence, linear_scan


class Outcome(NamedTuple):
    """What happened in the rows to learn from, each ``[B, T]``, and what values they had."""

    rewards: torch.Tensor
    terminated: torch.Tensor
    """bool"""
    ended: torch.Tensor
    """bool; terminated or truncated."""
    valid: torch.Tensor
    """bool; the action counted."""
    values: torch.Tensor
    """``[B, T + 1]``, without gradient"""


class Advantages(NamedTuple):
    """What a learner needs, each ``[B, T]``; zero advantage where nothing is valid."""

    advantages: torch.Tensor
    targets: torch.Tensor
    """Of the values."""


def gae(
    outcome: Outcome, discount: float, gae_lambda: float, recurrence: Recurrence = linear_scan
) -> Advantages:
    """Generalised advantage estimate (Schulman et al., arXiv 1506.02438, eq. 16).

    With ``gae_lambda`` 1 it is the n-step return less the value, n up to the end of the rows.
    """
    gates = discount * gae_lambda * (~outcome.ended & outcome.valid).to(outcome.values)
    advantages = _backwards(recurrence, gates, _deltas(outcome, discount))
    return Advantages(advantages, advantages + outcome.values[:, :-1])


def vtrace(
    outcome: Outcome,
    log_ratios: torch.Tensor,
    discount: float,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
    trace_lambda: float = 1.0,
    recurrence: Recurrence = linear_scan,
) -> Advantages:
    """V-trace (Espeholt et al., arXiv 1802.01561, eq. 1 and remark 2).

    Args:
        outcome: what happened.
        log_ratios: log pi(a|x) - log mu(a|x), learner over actor, ``[B, T]``.
        discount: of rewards.
        rho_clip, c_clip: bounds of the ratios in the deltas and in the trace.
        trace_lambda: a factor of the trace.
    """
    ratios = log_ratios.exp()
    rho, trace = ratios.clamp(max=rho_clip), trace_lambda * ratios.clamp(max=c_clip)
    gates = discount * trace * (~outcome.ended & outcome.valid)
    above = _backwards(recurrence, gates, rho * _deltas(outcome, discount))
    targets = above + outcome.values[:, :-1]
    # The row after a last action has no delta: its target is its value, as bootstrapping needs.
    following = torch.cat([targets[:, 1:], outcome.values[:, -1:]], 1)
    continued = discount * following.masked_fill(outcome.terminated, 0)
    advantages = rho * (outcome.rewards + continued - outcome.values[:, :-1])
    return Advantages(advantages.masked_fill(~outcome.valid, 0), targets)


def _deltas(outcome: Outcome, discount: float) -> torch.Tensor:
    continued = discount * outcome.values[:, 1:].masked_fill(outcome.terminated, 0)
    deltas = outcome.rewards + continued - outcome.values[:, :-1]
    return deltas.masked_fill(~outcome.valid, 0)


def _backwards(recurrence: Recurrence, gates: torch.Tensor, deltas: torch.Tensor) -> torch.Tensor:
    nothing = torch.zeros_like(deltas[:, 0])
    return recurrence(gates.flip(1), deltas.flip(1), nothing, None).flip(1)
