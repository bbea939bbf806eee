# SPDX-License-Identifier: Apache-2.0
"""What a policy must know of an environment, and how several are stepped in one call."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Observations = NDArray[Any]  # [B, *shape] of the interface's dtype


class ObservationKind(StrEnum):
    """What the numbers of one observation mean."""

    VECTOR = "vector"  # measured values, or a one-hot code
    GRID = "grid"  # cells, each a few channels of categories
    IMAGE = "image"  # pixels


@dataclass(frozen=True)
class Interface:
    """What goes in and out of one environment.

    Args:
        kind: what the numbers of an observation mean.
        shape: of one observation.
        actions: how many there are; an action is one of ``0 .. actions - 1``.
        categories: grids only: how many values each channel has. MiniGrid's observation has the
            shape (7, 7, 3) and the categories (11, 6, 4): type, colour and state.
        max_steps: the episode is cut off after so many actions; None: never.
    """

    kind: ObservationKind
    shape: tuple[int, ...]
    actions: int
    categories: tuple[int, ...] = ()
    max_steps: int | None = None

    @property
    def dtype(self) -> DTypeLike:
        """float32 for vectors, uint8 for grids and images."""
        return np.float32 if self.kind is ObservationKind.VECTOR else np.uint8


class Steps(NamedTuple):
    """What one action in each of B lanes brought about.

    Where an episode ended, ``observations`` holds its final one. At the next call the action of
    that lane is ignored: the lane returns the first observation of its next episode, with
    ``begins`` true and reward 0.

    Args:
        observations: ``[B, *shape]``, after the action.
        rewards: ``[B]`` float32, of the action just taken.
        terminated: ``[B]`` bool: the episode came to its own end; nothing follows.
        truncated: ``[B]`` bool: the episode was cut off; its value lives on.
        begins: ``[B]`` bool: the observation is the first of an episode.
        broken: ``[B]`` bool: the running episode was dropped at this call, as its environment
            raised or gave NaN or inf. Then ``begins`` is true, the reward is 0 and the
            observation is the first of a fresh episode.
    """

    observations: Observations
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    broken: NDArray[np.bool_]


class VectorEnvironment(Protocol):
    """B environments of one kind, one in each lane, stepped by one call.

    What is returned belongs to the caller: later calls do not change it.
    """

    @property
    def interface(self) -> Interface:
        """Of each lane."""

    @property
    def count(self) -> int:
        """B, how many lanes there are."""

    def reset(self) -> Observations:
        """``[B, *shape]``: every lane begins its episode 0."""

    def step(self, actions: NDArray[np.int64]) -> Steps:
        """Take one action ``[B]`` in each lane; begin the next episode where one had ended."""

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where the lanes stand, as a few small arrays; nothing that needs pickle."""

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where the snapshot of a vector of the same name, lanes and seed was taken.

        Raises:
            InputError: the arrays are not those of such a vector.
        """
