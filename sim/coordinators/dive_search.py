# SPDX-License-Identifier: Apache-2.0
"""Many dives: as advised, around that by chance, then changes of the best.

With nothing to advise the outlook decides alone. A learned coordinator is the same with the advice
of a model.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.dive import FORESIGHT, Diver, Found, make_diver
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.insertion import insert_in_order
from sim.coordinators.interface import Budget, Clock, Outcome, Status
from sim.coordinators.robot_order import robot_order
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, cost_of_finish_s, evaluate
from sim.times import assignment_from_times

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DiveOptions:
    """How dives are varied; see :class:`agents.coordination.sampling.SamplingOptions`.

    Args:
        temperature: of the logistic noise on logits.
        climb_share: part of the budget in which the best so far is changed; noise before that.
        most: dives at most.
        few: different schedules kept.
    """

    temperature: float = 0.4
    climb_share: float = 0.75
    most: int = 4096
    few: int = 1


class Advice(NamedTuple):
    """What a dive is told: ``[C]`` logits that v passes first, ``[2]`` weights of the outlook."""

    logit: Floats
    weight: Floats


class Dived(NamedTuple):
    """What some advice led to."""

    cost_s: float
    advice: Advice
    found: Found

    def assignment(self, graph: CoordinationGraph) -> Assignment:
        """Of the schedule found."""
        return _assignment(graph, self.found)


class Costly(Protocol):
    """Whatever knows what it costs."""

    @property
    def cost_s(self) -> float:
        """Seconds."""
        ...


T = TypeVar("T", bound=Costly)


def no_advice(graph: CoordinationGraph) -> Advice:
    """The outlook decides alone."""
    return Advice(np.zeros(graph.num_conflicts), FORESIGHT)


def dive_search(
    graph: CoordinationGraph,
    budget: Budget,
    objective: Objective,
    rng: np.random.Generator,
    *,
    incumbent: Assignment | None = None,
) -> Outcome:
    """The coordinator ``dive``: the cheapest of many dives without advice; a step is a dive."""
    if graph.num_conflicts == 0:
        return Outcome(serve_by_arrival(graph), Status.FEASIBLE, bound_s=None, steps=0)
    clock, diver, options = Clock(budget), make_diver(graph), DiveOptions()
    found, tried = search_dives(diver, [no_advice(graph)], clock, objective, rng, options)
    best = found[0].assignment(graph)
    if incumbent and evaluate(graph, incumbent).cost_s(objective) < found[0].cost_s:
        best = incumbent
    stopped = budget.steps is None and tried < options.most
    return Outcome(best, Status.DEADLINE if stopped else Status.FEASIBLE, bound_s=None, steps=tried)


def different_dives(
    graph: CoordinationGraph, count: int, objective: Objective, rng: np.random.Generator
) -> list[Assignment]:
    """So many schedules around that without advice, the cheapest first; some may be alike."""
    clock = Clock(Budget(steps=count))
    options = DiveOptions(climb_share=0.0, few=count)
    diver = make_diver(graph)
    found, _ = search_dives(diver, [no_advice(graph)], clock, objective, rng, options)
    made = [one.assignment(graph) for one in found]
    return [made[number % len(made)] for number in range(count)]


def search_dives(
    diver: Diver,
    advice: Sequence[Advice],
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: DiveOptions,
) -> tuple[list[Dived], int]:
    """The few cheapest dives, cheapest first, and the number tried.

    Args:
        advice: at least one; each is first followed without noise.
    """
    found: list[Dived] = []
    tried, longest_s = 0, 0.0
    while tried == 0 or (tried < options.most and clock.allows(tried)):
        started_s = time.monotonic()
        told = advice[tried % len(advice)]
        spent = max(tried / options.most, clock.spent_share(tried))
        if found and spent >= 1 - options.climb_share:
            told = found[0].advice
            told = Advice(change_some(told.logit, 1.0, rng), told.weight)
        elif tried >= len(advice):
            noise = rng.logistic(size=told.logit.shape)
            told = Advice(told.logit + options.temperature * noise, told.weight)
        dived = diver.dive(*told)
        one = Dived(dive_cost_s(diver, dived, objective), told, dived)
        found = cheapest([*found, one], options.few)
        tried += 1
        longest_s = max(longest_s, time.monotonic() - started_s)
        if clock.remaining_s < longest_s:  # another might end too late
            break
    return found, tried


def cheapest(found: Iterable[T], few: int) -> list[T]:
    """The cheapest, one for each cost; the latest of equal ones, so that climbing goes on."""
    by_cost = {one.cost_s: one for one in found}
    return [by_cost[cost] for cost in sorted(by_cost)[:few]]


def change_some(values: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """Others for about a twentieth or a fifth of the values, or for all; steps of any size between
    a tenth of the spread and all of it."""
    share = rng.choice([0.05, 0.2, 1.0])
    step = spread * 10 ** rng.uniform(-1, 0)
    moved = rng.random(len(values)) < share
    moved[rng.integers(len(values))] = True
    return np.asarray(values + step * moved * rng.standard_normal(len(values)))


def schedule_of(diver: Diver, advice: Advice) -> Assignment:
    """The assignment that a dive ends in, or the fallback after a dead end."""
    return _assignment(diver.graph, diver.dive(*advice))


def _assignment(graph: CoordinationGraph, found: Found) -> Assignment:
    if found.time_ms is None:
        return fallback(graph)
    return assignment_from_times(graph, found.time_ms)


def dive_cost_s(diver: Diver, found: Found, objective: Objective) -> float:
    """What a dive's schedule costs, or the fallback after a dead end."""
    if found.time_ms is None:
        return evaluate(diver.graph, fallback(diver.graph)).cost_s(objective)
    finish_ms = found.time_ms[diver.graph.offsets[1:] - 1]
    return float(cost_of_finish_s(finish_ms, diver.graph.free_ms, objective))


def fallback(graph: CoordinationGraph) -> Assignment:
    """Insertion by free travel time; first come first served on merged graphs."""
    if graph.merged:
        return serve_by_arrival(graph)
    return insert_in_order(graph, robot_order(graph, graph.free_ms))
