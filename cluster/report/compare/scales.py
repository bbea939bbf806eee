# SPDX-License-Identifier: Apache-2.0
"""The scale of an environment: 0 is what random actions reach, 1 the optimum or the best known."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.compare.results import Run, Trivial

RANDOM, OPTIMUM, MEMORYLESS = "random", "optimum", "memoryless"
BOUNDS = (OPTIMUM, MEMORYLESS)
"""Nobody plays like this: nobody can expect more, or nobody without a memory can."""


@dataclass(frozen=True)
class Scale:
    """Two returns and where they are from.

    Args:
        zero: what random actions reach.
        one: the optimum, else the best that anybody reached.
        source: who reached it.
        is_optimum: whether it is proven that there is no more.
    """

    zero: float
    one: float
    source: str
    is_optimum: bool

    def share(self, value: float) -> float:
        """How far a return is from random (0) to one (1); it may be less or more."""
        return (value - self.zero) / (self.one - self.zero)


def scale_of(runs: Sequence[Run], trivials: Sequence[Trivial]) -> Scale | None:
    """The scale of one environment.

    None where random actions were not judged, or where nothing is known that is above the interval
    of what they reach: then a share of the way would be a share of chance.
    """
    start = next((t for t in trivials if t.policy == RANDOM), None)
    if start is None:
        return None
    top = next((t for t in trivials if t.policy == OPTIMUM), None)
    if top is not None:
        found = Scale(start.mean, top.mean, top.label, is_optimum=True)
    else:
        found = _best_known(start.mean, runs, trivials)
    return found if found.one > max(start.high, start.mean) else None


def _best_known(zero: float, runs: Sequence[Run], trivials: Sequence[Trivial]) -> Scale:
    reached = [(t.mean, t.label) for t in trivials if t.policy not in BOUNDS]
    reached += [(r.greedy, f"{r.policy}, seed {r.seed}") for r in runs if r.greedy is not None]
    value, source = max(reached, key=lambda pair: pair[0])
    return Scale(zero, value, source, is_optimum=False)
