# SPDX-License-Identifier: Apache-2.0
"""What an actor hands to the learner: rows of several lanes, and the memory before the first.

An episode of n actions has n + 1 rows; the last one shows where it ended, and its action counts
for nothing. So the value of a final observation is a value of the sequence like any other, and an
episode that was cut off is bootstrapped from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Batch:
    """B lanes, H rows of history that are only run again, T rows to learn from.

    Args:
        observations: ``[B, H + T + 1, *shape]``; the last is what follows the last action.
        begins: ``[B, H + T + 1]``; the observation begins an episode. Lanes with a shorter history
            are filled up in front with rows that begin, so that they leave no trace.
        state: the memory before the first row, ``[B, S]``.
        stored: the memory before the first row to learn from, ``[B, S]``, as it was when acting.
        actions: ``[B, T]``.
        log_probs: of the actions, by the policy that acted, ``[B, T]``.
        rewards, terminated, truncated: of the actions, ``[B, T]``.
        valid: ``[B, T]``; not the row after a last action, and not an episode that broke.
    """

    observations: NDArray[Any]
    begins: NDArray[np.bool_]
    state: NDArray[np.float32]
    stored: NDArray[np.float32]
    actions: NDArray[np.int64]
    log_probs: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    @property
    def history(self) -> int:
        """H."""
        return int(self.begins.shape[1] - self.actions.shape[1] - 1)


@dataclass(frozen=True, eq=False)
class Rollout(Batch):
    """What one group went through, and where it is from.

    Args:
        version: of the parameters that acted: how many updates had made them.
        index: which rollout of its group it is, from 0.
        returns, lengths: of the episodes that ended in it, undiscounted.
        broken: episodes that were dropped in it.
    """

    version: int
    index: int
    returns: NDArray[np.float32]
    lengths: NDArray[np.int64]
    broken: int

    @property
    def steps(self) -> int:
        """Actions that count."""
        return int(self.valid.sum())


def stack(rollouts: Sequence[Rollout]) -> Batch:
    """One batch of rollouts with equally many rows to learn from.

    Shorter histories are filled up in front.
    """
    history = max(one.history for one in rollouts)
    alike = [one.name for one in fields(Batch) if one.name not in ("observations", "begins")]
    return Batch(
        observations=np.concatenate([_led_in(one.observations, history, one) for one in rollouts]),
        begins=np.concatenate([_led_in(one.begins, history, one, True) for one in rollouts]),
        **{name: np.concatenate([getattr(one, name) for one in rollouts]) for name in alike},
    )


def _led_in(rows: NDArray[Any], history: int, rollout: Rollout, fill: bool = False) -> NDArray[Any]:
    missing = history - rollout.history
    if not missing:
        return rows
    lead = np.full((len(rows), missing, *rows.shape[2:]), fill, dtype=rows.dtype)
    return np.concatenate([lead, rows], 1)
