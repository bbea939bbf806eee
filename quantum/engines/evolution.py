# SPDX-License-Identifier: Apache-2.0
"""Expectations of a plan in torch operations; pure functions of angles."""

import math
from collections.abc import Sequence
from itertools import groupby

import torch

from quantum.engines.plan import Plan, Step

FULL_TURN = 2 * math.pi

Turn = tuple[Step, torch.Tensor]
"""A step, and the halves of its angles: ``[batch, angles]``, or ``[1, angles]`` for all samples."""


def half_angles(
    plan: Plan, columns: torch.Tensor, parameters: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The halves of all angles ``[batch, angles]``, and what they are without inputs.

    Args:
        plan: of the program.
        columns: transformed inputs, ``[batch, columns]``.
        parameters: ``[parameters]`` or ``[batch, parameters]``.
    """
    own = torch.atleast_2d(parameters).to(plan.offsets.dtype)
    fixed = torch.addmm(plan.offsets, own, plan.by_parameters)
    return torch.addmm(fixed, columns.to(fixed.dtype), plan.by_inputs), fixed


def expectations(plan: Plan, every: torch.Tensor, fixed: torch.Tensor) -> torch.Tensor:
    """``[batch, observables]``, or ``[1, observables]`` where no angle depends on inputs.

    Args:
        plan: of the program.
        every, fixed: of :func:`half_angles`.
    """
    sizes = [len(step.turns) for step in plan.steps]
    dtype = plan.start.dtype
    varying = _reduced(every).to(dtype).split(sizes, dim=1)
    shared = varying if len(fixed) == len(every) else _reduced(fixed).to(dtype).split(sizes, dim=1)
    turns = [
        (step, one if step.reads_inputs else other)
        for step, one, other in zip(plan.steps, varying, shared, strict=True)
    ]
    states = plan.start
    for _, run in groupby(turns, key=lambda turn: turn[0].reads_inputs):
        states = _through(list(run), states)
    outputs = [change(states).square() @ signs for change, signs in plan.measurements]
    return outputs[0] if len(outputs) == 1 else torch.stack(outputs).sum(0)


def _reduced(angles: torch.Tensor) -> torch.Tensor:
    """Between -pi and pi, so that their sums keep their digits in single precision too."""
    return angles - (angles.detach() / FULL_TURN).round() * FULL_TURN


def _through(turns: Sequence[Turn], states: torch.Tensor) -> torch.Tensor:
    """The states ``[batch or 1, rows]`` after some steps."""
    rows = states.shape[1]
    alike = all(len(angles) == 1 for _, angles in turns)
    if alike and len(turns) > 1 and len(states) > 2 * rows:
        # For so many samples it pays to multiply the steps first.
        return states @ _through(turns, torch.eye(rows, dtype=states.dtype, device=states.device))
    for step, angles in turns:
        states = _turned(step, states if step.change is None else step.change(states), angles)
    return states


def _turned(step: Step, states: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Every pair of coordinates, read as a complex number, times its phase."""
    rows, patterns = states.shape[1], step.turns.shape[1] // 2
    pairs = states.reshape(len(states), patterns, rows // patterns // 2, 2)
    phases = torch.addmm(step.quarters, angles, step.turns).sin()
    phases = phases.reshape(len(angles), patterns, 1, 2)
    product = torch.view_as_complex(pairs) * torch.view_as_complex(phases)
    return torch.view_as_real(product).flatten(1)
