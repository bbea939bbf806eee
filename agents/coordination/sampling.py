# SPDX-License-Identifier: Apache-2.0
"""What is tried for one prediction, and insertion orders around ranks of robots."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.coordination.decode import Decoder, Floats, decode_robots, sample_orders
from sim.coordinators.dive_search import DiveOptions, change_some, cheapest
from sim.coordinators.insertion import insertion_costs_s
from sim.coordinators.interface import Clock
from sim.coordinators.pool import Priced, priced
from sim.coordinators.robot_order import robot_order
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Objective

TOGETHER = 8
"""Samples that are evaluated in one call, between two looks at the clock."""


@dataclass(frozen=True)
class SamplingOptions:
    """What is tried for one graph, as long as the budget lasts."""

    latents: int = 8
    """Latents decoded in one pass; the first is the mean of the prior."""
    temperature: float = DiveOptions.temperature
    """Of the samples around each prediction; 0 for none."""
    most: int = DiveOptions.most
    """Assignments tried at most; a step of the budget is one."""
    climb_share: float = DiveOptions.climb_share
    """Part of these, and of the deadline, in which a part of the best so far is changed; before
    that, samples come from the model alone. Only with decoders conflicts and robots."""
    decoder: Decoder = Decoder.CONFLICTS
    """How predictions become assignments. Merged graphs know no robots and no events."""
    search_share: float = 0.95
    """Part of the deadline that is left to local search, when that follows."""
    few: int = DiveOptions.few
    """Candidates that local search tries, each for a while, before it goes on with the cheapest."""

    def __post_init__(self) -> None:
        for name in ("latents", "most", "few"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: 1 or more")
        if not 0 <= self.temperature < float("inf"):
            raise InputError(f"temperature is {self.temperature}; allowed: 0 or more, finite")
        if not 0 <= self.climb_share < 1:
            raise InputError(f"climb_share is {self.climb_share}; allowed: 0 or more, below 1")
        if not 0 < self.search_share < 1:
            raise InputError(f"search_share is {self.search_share}; allowed: above 0, below 1")

    @property
    def dives(self) -> DiveOptions:
        """The same for dives."""
        return DiveOptions(self.temperature, self.climb_share, self.most, self.few)


class _Ranked(NamedTuple):
    cost_s: float
    rank: Floats


def sample_and_climb(
    graph: CoordinationGraph,
    ranks: Floats,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: SamplingOptions,
) -> tuple[list[Priced], int]:
    """The few cheapest insertion orders found from some ranks, and the number tried.

    Every row without noise, Plackett-Luce samples around the rows, then changes of the best.

    Args:
        ranks: ``[K, N]`` finite.

    Returns:
        At most ``options.few`` candidates of different costs, the cheapest first.
    """
    spread = float(ranks.std()) or 1.0
    found = _cost(graph, ranks[:1], objective)
    tried, most = 1, min(options.most, clock.budget.steps or options.most)
    while tried < options.most and clock.allows(tried):
        left = min(TOGETHER, most - tried)
        if tried < len(ranks):
            tries = ranks[tried : tried + left]
        elif max(tried / options.most, clock.spent_share(tried)) < 1 - options.climb_share:
            rows = (tried + np.arange(left)) % len(ranks)
            tries = sample_orders(ranks[rows], options.temperature, rng)
        else:
            tries = change_some(found[0].rank, spread, rng)[None]
        found = cheapest(found + _cost(graph, tries, objective), options.few)
        tried += len(tries)
    decoded = [decode_robots(graph, one.rank) for one in found]
    return [priced(graph, assignment, objective) for assignment in decoded], tried


def _cost(graph: CoordinationGraph, ranks: Floats, objective: Objective) -> list[_Ranked]:
    orders = np.stack([robot_order(graph, rank) for rank in ranks])
    costs = insertion_costs_s(graph, orders, objective)
    return [_Ranked(float(cost), rank) for cost, rank in zip(costs, ranks, strict=True)]
