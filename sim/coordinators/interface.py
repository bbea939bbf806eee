# SPDX-License-Identifier: Apache-2.0
"""What every coordinator takes and returns."""

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective


class Status(StrEnum):
    """How a coordinator ended."""

    OPTIMAL = "optimal"
    """Proven: no assignment is cheaper."""
    FEASIBLE = "feasible"
    """Ran its course, or used up its step budget."""
    DEADLINE = "deadline"
    """Stopped by the clock; this is its incumbent."""
    FALLBACK = "fallback"
    """Had nothing better than first come first served, whose assignment this is."""


@dataclass(frozen=True)
class Budget:
    """How long a coordinator may think.

    With ``steps`` the clock is not looked at, so that the result depends on the seed alone.
    """

    deadline_s: float = 10.0
    steps: int | None = None

    def __post_init__(self) -> None:
        if not self.deadline_s > 0:
            raise InputError(f"deadline_s is {self.deadline_s}; it must be greater than 0")
        if self.steps is not None and self.steps < 1:
            raise InputError(f"steps is {self.steps}; it must be at least 1")

    def part(self, share: float) -> "Budget":
        """A share of the budget, at least one step."""
        steps = None if self.steps is None else max(1, round(share * self.steps))
        return Budget(share * self.deadline_s, steps)


@dataclass(frozen=True)
class Clock:
    """A budget that has started to run."""

    budget: Budget
    started_s: float = field(default_factory=time.monotonic)

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline; infinite under a step budget."""
        if self.budget.steps is not None:
            return float("inf")
        return self.budget.deadline_s - (time.monotonic() - self.started_s)

    def rest(self) -> Budget:
        """What is left, for the next to use; an instant at least."""
        if self.budget.steps is not None:
            return self.budget
        return replace(self.budget, deadline_s=max(self.remaining_s, 1e-3))

    def spent_share(self, steps_done: int) -> float:
        """How much of the budget is used, 0 to 1."""
        if self.budget.steps is not None:
            return min(1.0, steps_done / self.budget.steps)
        return min(1.0, max(0.0, 1.0 - self.remaining_s / self.budget.deadline_s))

    def allows(self, steps_done: int) -> bool:
        """Whether another step may begin."""
        if self.budget.steps is not None:
            return steps_done < self.budget.steps
        return self.remaining_s > 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a coordinator found.

    Args:
        assignment: feasible by construction; certified by whoever drives robots with it.
        status: how it ended.
        bound_s: proven lower bound of the objective in seconds, None when it proves none.
        steps: steps used, in the coordinator's own unit.
    """

    assignment: Assignment
    status: Status
    bound_s: float | None
    steps: int


class Coordinator(Protocol):
    """Graph in, assignment out, within a budget; random choices only from ``rng``."""

    def __call__(
        self,
        graph: CoordinationGraph,
        budget: Budget,
        objective: Objective,
        rng: np.random.Generator,
        *,
        incumbent: Assignment | None = None,
    ) -> Outcome:
        """Decide every conflict.

        Args:
            incumbent: a feasible assignment to start from; a search never returns a worse one.

        Raises:
            InputError: the coordinator cannot serve this kind of graph.
        """
        ...
