# SPDX-License-Identifier: Apache-2.0
"""The slow net that programs fast weights, and the rules by which they change.

Source: Schmidhuber 1992; with circuit angles as fast weights Chen, arXiv 2402.17760.
"""

from enum import StrEnum

import torch
from torch import nn

from quantum.core import at_least_one, choice, emptied
from quantum.errors import require
from quantum.initialise import linear
from quantum.scan import Recurrence, linear_scan


class UpdateRule(StrEnum):
    """How fast weights W_t follow from W_{t-1} and the update D_t = l_t q_t^T."""

    ADDITIVE = "additive"
    """W_t = W_{t-1} + D_t (arXiv 2402.17760)."""
    DECAY = "decay"
    """W_t = a W_{t-1} + D_t with one number a in (0, 1), learned or fixed."""
    GATED = "gated"
    """W_t = g W_{t-1} + (1 - g) D_t with a scalar g = sigmoid(linear(z_t)) (arXiv 2605.06734)."""
    BOUNDED = "bounded"
    """W_t = tanh(linear(z_t)) W_{t-1} + linear'(z_t) D_t with two scalars (arXiv 2607.02363)."""


class SlowProgrammer(nn.Module):
    """Features to fast weights: z = E x, l = A z, q = C z, D = l q^T, then an update rule.

    Every rule is a linear recurrence, so one scan over time gives the weights of all steps.

    **The additive rule cannot see the order of the past.** Proof: W_T = W_0 + sum_t D(x_t), and D
    has no state; a sum does not change when its terms change places. So what a core computes from
    W_T and x_T is the same for every order of x_1 .. x_{T-1}. The other rules weigh D(x_t) by the
    product of the gates after t, which does depend on t. For the same reason dW_T/dW_t is the
    identity under the additive rule: through this path gradients neither vanish nor explode.

    Args:
        features: columns of x.
        rows: rows of the fast weights (layers of a circuit).
        columns: their columns (qubits of a circuit); also the size of z.
        rule: how the weights change.
        squash: tanh on z, as in the reinforcement-learning version.
        decay: the number a of the decay rule; None learns it, from 0.9.
        generator: of the initial values, torch's defaults.

    Raises:
        CircuitError: a size is below 1, or ``decay`` is not within (0, 1).
    """

    def __init__(
        self,
        features: int,
        rows: int,
        columns: int,
        rule: UpdateRule | str = UpdateRule.ADDITIVE,
        *,
        squash: bool = False,
        decay: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        at_least_one(features=features, rows=rows, columns=columns)
        require(
            decay is None or 0 < decay < 1, f"decay is {decay}; allowed: strictly between 0 and 1"
        )
        self.rule = choice(UpdateRule, "rule", rule)
        self.squash = squash
        self.decay = decay
        self.shape = (rows, columns)
        self.encoder = linear(features, columns, generator)
        self.row_head = linear(columns, rows, generator)
        self.column_head = linear(columns, columns, generator)
        if self.rule is UpdateRule.DECAY and decay is None:
            self.decay_logit = nn.Parameter(torch.tensor(0.9).logit())
        if self.rule in (UpdateRule.GATED, UpdateRule.BOUNDED):
            self.old_gate = linear(columns, 1, generator)
        if self.rule is UpdateRule.BOUNDED:
            self.new_gate = linear(columns, 1, generator)

    def latent(self, x: torch.Tensor) -> torch.Tensor:
        """What the heads and gates read, ``[batch, steps, columns]``."""
        z: torch.Tensor = self.encoder(x)
        return z.tanh() if self.squash else z

    def forward(
        self,
        latent: torch.Tensor,
        initial: torch.Tensor,
        reset: torch.Tensor | None,
        recurrence: Recurrence = linear_scan,
    ) -> torch.Tensor:
        """The fast weights after each step.

        Args:
            latent: of each step, ``[batch, steps, columns]``.
            initial: weights before the first step, ``[batch, rows, columns]``.
            reset: where episodes begin, ``[batch, steps]``, or None.
            recurrence: the scan, or the loop that defines it.

        Returns:
            ``[batch, steps, rows, columns]``.

        Raises:
            CircuitError: the shape of the initial weights does not fit.
        """
        gates, rows, columns = self.update(latent)
        if latent.shape[1] == 1 and recurrence is linear_scan:
            return self._one_step(gates, rows, columns, initial, reset)
        return recurrence(gates, rows.unsqueeze(-1) * columns.unsqueeze(-2), initial, reset)

    def update(
        self, latent: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor]:
        """What a step does to the weights: W = gate W + l q^T.

        Returns:
            The gates ``[batch, steps, 1, 1]``, None for one; l, ``[batch, steps, rows]``, with the
            factor of the rule in it; and q, ``[batch, steps, columns]``.
        """
        gates, factors = self._gates(latent)
        rows: torch.Tensor = self.row_head(latent)
        return gates, rows if factors is None else factors * rows, self.column_head(latent)

    def _one_step(
        self,
        gates: torch.Tensor | None,
        rows: torch.Tensor,
        columns: torch.Tensor,
        initial: torch.Tensor,
        reset: torch.Tensor | None,
    ) -> torch.Tensor:
        """What the scan says of one step, in two operations: who acts takes one step per call."""
        self.check_state(initial, len(rows))
        kept = emptied(initial, reset, 0)
        kept = kept if gates is None else gates.squeeze(1) * kept
        return torch.addcmul(kept, rows.mT, columns).unsqueeze(1)

    def check_state(self, initial: torch.Tensor, batch: int) -> None:
        """The weights before the first step are ``[batch, rows, columns]``.

        Raises:
            CircuitError: they are not; naming both shapes.
        """
        if initial.shape != (shape := (batch, *self.shape)):
            require(
                False,
                f"the initial state has shape {tuple(initial.shape)}; the updates need {shape}",
            )

    def _gates(self, latent: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Factors of the old weights ``[batch, steps, 1, 1]`` and of the update (one dim less)."""
        match self.rule:
            case UpdateRule.ADDITIVE:
                return None, None
            case UpdateRule.DECAY:
                shape = (*latent.shape[:2], 1, 1)
                if self.decay is not None:
                    return latent.new_full(shape, self.decay), None
                return self.decay_logit.sigmoid().expand(shape), None
            case UpdateRule.GATED:
                logit = self.old_gate(latent)
                return logit.sigmoid().unsqueeze(-1), (-logit).sigmoid()
            case UpdateRule.BOUNDED:
                return self.old_gate(latent).tanh().unsqueeze(-1), self.new_gate(latent)
