# SPDX-License-Identifier: Apache-2.0
"""Where a training stands, between two updates."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from agents.learning.learner import POLICY
from agents.learning.options import Setup
from agents.learning.rollout import Arrays


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a training stands.

    Args:
        learner: everything that it has to remember; None at the beginning.
        positions: of the groups that have acted.
    """

    learner: Arrays | None = None
    positions: Mapping[int, Arrays] = field(default_factory=dict)

    @property
    def updates(self) -> int:
        """So far."""
        return 0 if self.learner is None else int(self.learner["updates"])

    @property
    def steps(self) -> int:
        """Actions learnt from so far."""
        return 0 if self.learner is None else int(self.learner["steps"])

    @property
    def has_diverged(self) -> bool:
        """Whether a parameter is no number any more."""
        arrays = (self.learner or {}).items()
        return not all(np.isfinite(v).all() for name, v in arrays if name.startswith(POLICY))

    def is_over(self, setup: Setup) -> bool:
        """Whether nothing is left to do."""
        return self.steps >= setup.steps or self.has_diverged
