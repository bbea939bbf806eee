# SPDX-License-Identifier: Apache-2.0
"""What is read from fast weights without the weights of every step.

W_t z_t = sum_s a(t, s) l_s (q_s . z_t) + a(t, 0) W_0 z_t, where a(t, s) is the product of the gates
after s: linear attention (Schlag, Irie, Schmidhuber 2021, arXiv 2102.11174). Products over pairs of
steps take the place of a matrix for each step, chunk by chunk, so that memory grows with the
length and not with its square.

The delta rule writes e_t = l_t - W_{t-1} k_t in place of l_t. As W_{t-1} is what was written
before, that is a triangular system for all e of a chunk (Yang et al. 2024, arXiv 2406.06484).
"""

import torch

from quantum.scan import linear_scan

CHUNK = 64
"""Steps whose pairs are looked at at once."""


def linear_attention(
    gates: torch.Tensor | None,
    rows: torch.Tensor,
    columns: torch.Tensor,
    queries: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None = None,
    keys: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """W_t z_t of the last steps, for W_t = gate_t W_{t-1} + l_t q_t^T.

    With keys it is the delta rule, W_t = W_{t-1} + (l_t - W_{t-1} k_t) q_t^T, which has no gates.

    Args:
        gates: ``[batch, steps, 1]``; None means one everywhere.
        rows: l, ``[batch, steps, rows]``.
        columns: q, ``[batch, steps, columns]``.
        queries: z, ``[batch, last, columns]``, of the last so many steps.
        initial: the weights before the first step, ``[batch, rows, columns]``, finite.
        reset: ``[batch, steps]``, bool; where true, the weights *before* that step are zero.
        keys: k, ``[batch, steps, columns]``.

    Returns:
        ``[batch, last, rows]``, and the weights after the last step.
    """
    steps, weights, reads = rows.shape[1], initial, []
    first = steps - queries.shape[1]
    for begin in range(0, steps, CHUNK):
        part = slice(begin, begin + CHUNK)
        written, values = columns[:, part], rows[:, part]
        reach = _reach(
            None if gates is None else gates[:, part],
            values,
            None if reset is None else reset[:, part],
        )
        if keys is not None:
            values = _errors(values, keys[:, part], written, reach, weights)
        if begin + CHUNK > first:
            late = max(first - begin, 0)
            asked = queries[:, max(begin - first, 0) : begin + CHUNK - first]
            near, old = reach[:, late:, 1:], reach[:, late:, :1]
            scores = torch.bmm(asked, written.mT) * near
            reads.append(torch.bmm(scores, values) + old * torch.bmm(asked, weights.mT))
        end = reach[:, -1:]
        kept = weights * end[:, :, :1]
        weights = torch.baddbmm(kept, values.mT * end[:, :, 1:], written)
    return torch.cat(reads, 1), weights


def _errors(
    values: torch.Tensor,
    keys: torch.Tensor,
    written: torch.Tensor,
    reach: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    """e_t + sum_{s<t} a(t, s) (k_t . q_s) e_s = l_t - a(t, 0) W_0 k_t, ``[batch, t, rows]``."""
    mixing = torch.bmm(keys, written.mT) * reach[:, :, 1:]
    news = values - reach[:, :, :1] * torch.bmm(keys, weights.mT)
    errors: torch.Tensor = torch.linalg.solve_triangular(
        mixing.tril(-1), news, upper=False, unitriangular=True
    )
    return errors


def _reach(
    gates: torch.Tensor | None, like: torch.Tensor, reset: torch.Tensor | None
) -> torch.Tensor:
    """How much of the initial weights, and of each update, is in each W, ``[batch, t, 1 + t]``.

    It is a linear recurrence as well, whose updates are unit vectors.
    """
    batch, steps = like.shape[:2]
    unit = torch.eye(1 + steps, dtype=like.dtype, device=like.device).expand(batch, -1, -1)
    return linear_scan(gates, unit[:, 1:], unit[:, 0], reset)
