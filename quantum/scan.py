# SPDX-License-Identifier: Apache-2.0
"""Linear recurrences over time, all steps at once.

state_t = gate_t * state_{t-1} + update_t is associative in the pairs (gate, update), so doubling
the reach of every step log2(steps) times gives all states (Hillis and Steele 1986; for neural
networks Martin and Cundy, arXiv 1709.04057). There is no division and no difference of prefix sums:
gates may be zero or negative, and a short segment behind a large one keeps all its digits.
"""

from collections.abc import Callable

import torch

from quantum.errors import require

Recurrence = Callable[
    [torch.Tensor | None, torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor
]
"""The signature that :func:`linear_scan` and :func:`linear_loop` share."""


def linear_scan(
    gates: torch.Tensor | None,
    updates: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None = None,
) -> torch.Tensor:
    """All states of state_t = gate_t * state_{t-1} + update_t, in log2(steps) rounds.

    Args:
        gates: ``[batch, steps, ...]``, broadcast over the updates; None means one everywhere.
        updates: ``[batch, steps, ...]``.
        initial: the state before the first step, ``[batch, ...]``.
        reset: ``[batch, steps]``, bool; where true, the state *before* that step is zero, whatever
            it was (so a state that is not finite ends there too).

    Returns:
        The states after each step, shaped like the updates; differentiable twice.

    Raises:
        CircuitError: shapes or the dtype of ``reset`` do not fit.
    """
    _check(gates, updates, initial, reset)
    values = torch.cat([initial.unsqueeze(1), updates], 1)
    if gates is None and reset is None:
        return values.cumsum(1)[:, 1:]
    if gates is not None:
        gates = torch.cat([torch.zeros_like(gates[:, :1]), gates], 1)
    if reset is not None:
        reset = _like_state(torch.nn.functional.pad(reset, (1, 0), value=True), updates)
    span = 1
    while span < values.shape[1]:
        earlier = values[:, :-span]
        if reset is not None:
            earlier = earlier.masked_fill(reset[:, span:], 0)
            reset = torch.cat([reset[:, :span], reset[:, span:] | reset[:, :-span]], 1)
        if gates is not None:
            earlier = gates[:, span:] * earlier
            gates = torch.cat([gates[:, :span], gates[:, span:] * gates[:, :-span]], 1)
        values = torch.cat([values[:, :span], values[:, span:] + earlier], 1)
        span *= 2
    return values[:, 1:]


def linear_loop(
    gates: torch.Tensor | None,
    updates: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None = None,
) -> torch.Tensor:
    """The same as :func:`linear_scan`, one step after the other: the definition, for tests."""
    _check(gates, updates, initial, reset)
    state, states = initial, [updates[:, :0]]
    for step in range(updates.shape[1]):
        if reset is not None:
            state = state.masked_fill(_like_state(reset, updates)[:, step], 0)
        state = updates[:, step] + (state if gates is None else gates[:, step] * state)
        states.append(state.unsqueeze(1))
    return torch.cat(states, 1)


def _like_state(reset: torch.Tensor, updates: torch.Tensor) -> torch.Tensor:
    """The flags ``[batch, steps]`` with the trailing dimensions of a state."""
    return reset.reshape(*reset.shape, *(1,) * (updates.dim() - 2))


def _check(
    gates: torch.Tensor | None,
    updates: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None,
) -> None:
    shape = updates.shape
    if len(shape) < 2:
        require(False, f"updates have shape {tuple(shape)}; expected [batch, steps, ...]")
    batch, steps, *rest = shape
    if initial.shape != (batch, *rest):
        require(
            False,
            f"the initial state has shape {tuple(initial.shape)}; "
            f"the updates need {(batch, *rest)}",
        )
    if gates is not None and (gates.dim() != len(shape) or gates.shape[:2] != (batch, steps)):
        require(
            False,
            f"gates have shape {tuple(gates.shape)}; "
            f"expected ({batch}, {steps}, ...) with {len(shape)} dimensions, as the updates",
        )
    if reset is not None and not (reset.dtype == torch.bool and reset.shape == (batch, steps)):
        require(
            False,
            f"reset is {tuple(reset.shape), reset.dtype}; expected ({batch}, {steps}) of bool",
        )
