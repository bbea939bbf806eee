# SPDX-License-Identifier: Apache-2.0
"""From the rows that an actor went through to a rollout."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Row(NamedTuple):
    """One row of all lanes, each ``[B]``; see :class:`agents.learning.rollout.Rollout`."""

    observations: NDArray[Any]
    """``[B, *shape]``"""
    begins: NDArray[np.bool_]
    actions: NDArray[np.int64]
    log_probs: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    closing: NDArray[np.bool_]
    """It shows where an episode ended; its action counts for nothing."""
    broken: NDArray[np.bool_]
    """What the action did cannot be known: the episode was dropped."""


def together(rows: Sequence[Row]) -> Row:
    """T rows as one of arrays ``[B, T, ...]``.

    They are put together at the end, because writing columns at every step costs more.
    """
    return Row(*(np.stack(part, 1) for part in zip(*rows, strict=True)))


def counting(rows: Row) -> NDArray[np.bool_]:
    """Which of the rows ``[B, T]`` can be learnt from, ``[B, T]``.

    Not the closing ones, and none of an episode that broke, as far back as these rows go. Where a
    closing row broke, it was the next episode that did, before its first row: nothing is lost.
    """
    valid = ~rows.closing
    for lane, step in np.argwhere(rows.broken & valid):
        begun = np.flatnonzero(rows.begins[lane, : step + 1])
        valid[lane, begun[-1] if len(begun) else 0 : step + 1] = False
    return valid
