# SPDX-License-Identifier: Apache-2.0
"""The rows before a rollout, for learners that run them again."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.learning.rollout import Arrays


class Rows(NamedTuple):
    """Rows of all lanes of a group, and the memory before them."""

    state: NDArray[np.float32]
    """``[B, S]``"""
    observations: NDArray[Any]
    """``[B, H, *shape]``"""
    begins: NDArray[np.bool_]
    """``[B, H]``"""


class History:
    """Remembers as many rows as the learner will run again, in the pieces that rollouts are.

    Only for the first row of a rollout it is known what the memory was, so a number of steps is
    rounded up to whole rollouts. Rows of an earlier episode do no harm: where the next one begins,
    the memory is emptied.

    Args:
        steps: rows; 0 none, None as many as the longest running episode has.
    """

    def __init__(self, steps: int | None) -> None:
        self.steps = steps
        self.pieces: list[Rows] = []

    def before(self, rollout: Rows) -> Rows:
        """The rows before a rollout; its own tell the shapes."""
        if not self.pieces:
            return Rows(rollout.state, rollout.observations[:, :0], rollout.begins[:, :0])
        observations = np.concatenate([piece.observations for piece in self.pieces], 1)
        begins = np.concatenate([piece.begins for piece in self.pieces], 1)
        if self.steps is not None:
            return Rows(self.pieces[0].state, observations, begins)
        longest = _longest_running(begins, ~rollout.begins[:, 0])
        first = begins.shape[1] - longest
        return Rows(np.zeros_like(rollout.state), observations[:, first:], begins[:, first:])

    def add(self, rollout: Rows) -> None:
        """Append the rows of a rollout, all but its last, and let go of what nobody will want."""
        if self.steps == 0:
            return
        self.pieces.append(
            Rows(rollout.state, rollout.observations[:, :-1], rollout.begins[:, :-1])
        )
        begins = np.concatenate([piece.begins for piece in self.pieces], 1)
        wanted = self.steps
        if wanted is None:
            wanted = _longest_running(begins, ~rollout.begins[:, -1])
        while self.pieces and _rows(self.pieces[1:]) >= wanted:
            self.pieces.pop(0)

    def snapshot(self) -> Arrays:
        """What it remembers, as arrays."""
        return {
            f"{number}/{name}": value
            for number, piece in enumerate(self.pieces)
            for name, value in piece._asdict().items()
        }

    def restore(self, arrays: Arrays) -> None:
        """Go on from a snapshot."""
        count = len(arrays) // len(Rows._fields)
        self.pieces = [Rows(*(arrays[f"{n}/{f}"] for f in Rows._fields)) for n in range(count)]


def _rows(pieces: list[Rows]) -> int:
    return sum(piece.begins.shape[1] for piece in pieces)


def _longest_running(begins: NDArray[np.bool_], running: NDArray[np.bool_]) -> int:
    """Rows ``[B, H]`` since the episodes of the running lanes began, of the longest one."""
    if not running.any():
        return 0
    since = begins[running, ::-1].argmax(1) + 1
    return int(since.max())
