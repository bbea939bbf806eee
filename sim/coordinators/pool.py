# SPDX-License-Identifier: Apache-2.0
"""Several good answers to one instance: the cheapest that is known, and others almost as good."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.certificate import certify
from sim.coordinators.portfolio import CertificateError
from sim.errors import InputError
from sim.graph import FREE, CoordinationGraph, Int8s
from sim.schedule import Assignment, Objective, evaluate

ROUNDING_S = 1e-9
"""Costs are means of whole milliseconds."""


@dataclass(frozen=True)
class PoolOptions:
    """Which assignments belong to a pool.

    Args:
        size: most assignments.
        ratio: none costs more than this many times the cheapest.
    """

    size: int = 8
    ratio: float = 1.02

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"pool is {self.size}; allowed: 1 or more")
        if not 1 <= self.ratio <= 2:
            raise InputError(f"pool_ratio is {self.ratio}; allowed: 1 to 2")


@dataclass(frozen=True, eq=False)
class Pool:
    """Certified assignments that differ in their orders, the cheapest first.

    Args:
        assignments: P of them, at least one.
        cost_s: ``[P]`` ascending.
        bound_s: proven lower bound of the cost.
    """

    assignments: tuple[Assignment, ...]
    cost_s: NDArray[np.float64]
    bound_s: float

    @property
    def proven(self) -> bool:
        """Whether nothing is cheaper than the first."""
        return bool(self.cost_s[0] <= self.bound_s + ROUNDING_S)

    @property
    def order(self) -> Int8s:
        """``[P, C]`` the orders of all."""
        return np.stack([assignment.order for assignment in self.assignments])


class Priced(NamedTuple):
    """An assignment and its cost in seconds."""

    cost_s: float
    assignment: Assignment


def priced(graph: CoordinationGraph, assignment: Assignment, objective: Objective) -> Priced:
    """What an assignment costs."""
    return Priced(evaluate(graph, assignment).cost_s(objective), assignment)


def make_pool(
    graph: CoordinationGraph, found: Iterable[Priced], bound_s: float, options: PoolOptions
) -> Pool:
    """The cheapest of what was found, then again and again what differs most from all chosen.

    Raises:
        CertificateError: a chosen assignment must not drive robots: a bug of ours.
    """
    cheapest: dict[bytes, Priced] = {}
    for one in sorted(found, key=lambda p: (p.cost_s, p.assignment.order.tobytes())):
        cheapest.setdefault(one.assignment.order.tobytes(), one)
    ranked = list(cheapest.values())
    near = [one for one in ranked if one.cost_s <= options.ratio * ranked[0].cost_s]
    rows = _most_different(np.stack([one.assignment.order for one in near]), options.size)
    assignments = tuple(near[row].assignment for row in rows)
    for assignment in assignments:
        certificate = certify(graph, assignment)
        if not certificate.valid:
            raise CertificateError(f"not certified: {certificate.violation}")
    return Pool(assignments, np.array([near[row].cost_s for row in rows]), bound_s)


def _most_different(order: Int8s, size: int) -> list[int]:
    """At most so many rows, ascending; the first is one of them."""
    rows = [0]
    distance = (order != order[0]).sum(axis=1)
    while len(rows) < min(size, len(order)):
        rows.append(int(distance.argmax()))
        distance = np.minimum(distance, (order != order[rows[-1]]).sum(axis=1))
    return sorted(rows)


def diversity(graph: CoordinationGraph, order: Int8s) -> float:
    """Share of the conflicts that two assignments order differently, mean over all pairs.

    Args:
        order: ``[P, C]``; forced conflicts do not count. One assignment alone has diversity 0.
    """
    free = order[:, graph.forced == FREE].astype(np.int64)
    count = len(free)
    if count < 2 or free.shape[1] == 0:
        return 0.0
    ones = free.sum(axis=0)  # a conflict differs in ones * zeros of the pairs
    return float((ones * (count - ones)).mean() / (count * (count - 1) / 2))
