# SPDX-License-Identifier: Apache-2.0
"""The learned coordinators: sample, decode, keep the cheapest; then, if asked, search from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from agents.coordination.decode import (
    Decoder,
    Floats,
    decode_events,
    decode_nodes,
    decode_robots,
    finite,
    sample_orders,
)
from agents.coordination.features import collate, graph_features
from agents.coordination.model import CoordinationVAE, Prediction
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.interface import Budget, Clock, Coordinator, Outcome, Status
from sim.coordinators.local_search import local_search
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate


@dataclass(frozen=True)
class SamplingOptions:
    """What is tried for one graph, as long as the budget lasts."""

    latents: int = 8
    """Latents decoded in one pass; the first is the mean of the prior."""
    temperature: float = 0.4
    """Of the samples of robot orders around each prediction; 0 for none."""
    most: int = 256
    """Assignments tried at most; a step of the budget is one."""
    climb_share: float = 0.75
    """Part of these, and of the deadline, in which the ranks of some robots in the best order so
    far are changed; before that, samples come from the model alone. Only with decoder robots."""
    decoder: Decoder = Decoder.ROBOTS
    """How ranks become assignments. Merged graphs always use nodes."""
    search_share: float = 0.95
    """Part of the deadline that is left to local search, when that follows."""

    def __post_init__(self) -> None:
        for name in ("latents", "most"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: 1 or more")
        if not 0 <= self.temperature < float("inf"):
            raise InputError(f"temperature is {self.temperature}; allowed: 0 or more, finite")
        if not 0 <= self.climb_share < 1:
            raise InputError(f"climb_share is {self.climb_share}; allowed: 0 or more, below 1")
        if not 0 < self.search_share < 1:
            raise InputError(f"search_share is {self.search_share}; allowed: above 0, below 1")


class Candidate(NamedTuple):
    """An assignment and its cost in seconds."""

    cost_s: float
    assignment: Assignment


def learned_coordinator(model: CoordinationVAE, options: SamplingOptions) -> Coordinator:
    """The paper's method: the cheapest of what the model says for many latents.

    The mean of the latent and first come first served are always among the candidates.
    """

    def coordinator(
        graph: CoordinationGraph,
        budget: Budget,
        objective: Objective,
        rng: np.random.Generator,
        *,
        incumbent: Assignment | None = None,
    ) -> Outcome:
        clock = Clock(budget)
        best, steps = best_candidate(model, graph, clock, objective, rng, options, incumbent)
        stopped = budget.steps is None and not clock.allows(steps)
        status = Status.DEADLINE if stopped else Status.FEASIBLE
        return Outcome(best.assignment, status, bound_s=None, steps=steps)

    return coordinator


def learned_search(model: CoordinationVAE, options: SamplingOptions) -> Coordinator:
    """The same, then local search from the cheapest candidate until the deadline.

    Merged graphs have no local search; for them this is :func:`learned_coordinator`.
    """

    def coordinator(
        graph: CoordinationGraph,
        budget: Budget,
        objective: Objective,
        rng: np.random.Generator,
        *,
        incumbent: Assignment | None = None,
    ) -> Outcome:
        if graph.merged or graph.num_conflicts == 0:
            return learned_coordinator(model, options)(
                graph, budget, objective, rng, incumbent=incumbent
            )
        clock = Clock(budget)
        first = Clock(replace(budget, deadline_s=budget.deadline_s * (1 - options.search_share)))
        best, steps = best_candidate(model, graph, first, objective, rng, options, incumbent)
        found = local_search(graph, clock.rest(), objective, rng, incumbent=best.assignment)
        return replace(found, steps=found.steps + steps)

    return coordinator


def best_candidate(
    model: CoordinationVAE,
    graph: CoordinationGraph,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: SamplingOptions,
    incumbent: Assignment | None = None,
) -> tuple[Candidate, int]:
    """The cheapest candidate and the number tried; the mean of the latent is always tried.

    Raises:
        InputError: the model predicts what is not finite.
    """
    best = _priced(graph, incumbent or serve_by_arrival(graph), objective)
    if graph.num_conflicts == 0:
        return best, 1
    prediction = _predict(model, graph, rng, options)
    if _decoder(graph, options) is Decoder.ROBOTS:
        ranks = finite("robot ranks", prediction.robot_rank)
        found, tried = sample_and_climb(graph, ranks, clock, objective, rng, options)
        return min(best, found, key=_cost), tried
    tried = 0
    for decoded in _candidates(graph, prediction, _decoder(graph, options)):
        best = min(best, _priced(graph, decoded(), objective), key=_cost)
        tried += 1
        if tried >= options.most or not clock.allows(tried):
            break
    return best, tried


def sample_and_climb(
    graph: CoordinationGraph,
    ranks: Floats,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: SamplingOptions,
) -> tuple[Candidate, int]:
    """The cheapest insertion order found from some ranks, and the number tried.

    Every row without noise, Plackett-Luce samples around the rows, then changes of the best.

    Args:
        ranks: ``[K, N]`` finite.
    """
    spread = float(ranks.std()) or 1.0
    best, best_rank = _priced(graph, decode_robots(graph, ranks[0]), objective), ranks[0]
    tried = 1
    while tried < options.most and clock.allows(tried):
        if tried < len(ranks):
            rank = ranks[tried]
        elif max(tried / options.most, clock.spent_share(tried)) < 1 - options.climb_share:
            rank = sample_orders(ranks[[tried % len(ranks)]], options.temperature, rng)[0]
        else:
            rank = change_some(best_rank, spread, rng)
        found = _priced(graph, decode_robots(graph, rank), objective)
        if found.cost_s <= best.cost_s:
            best, best_rank = found, rank
        tried += 1
    return best, tried


def change_some(rank: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """Other ranks for about a twentieth or a fifth of the robots, or for all; steps of any size
    between a tenth of the spread and all of it."""
    share = rng.choice([0.05, 0.2, 1.0])
    step = spread * 10 ** rng.uniform(-1, 0)
    moved = rng.random(len(rank)) < share
    moved[rng.integers(len(rank))] = True
    return np.asarray(rank + step * moved * rng.standard_normal(len(rank)))


def _cost(candidate: Candidate) -> float:
    return candidate.cost_s


def _priced(graph: CoordinationGraph, assignment: Assignment, objective: Objective) -> Candidate:
    return Candidate(evaluate(graph, assignment).cost_s(objective), assignment)


@torch.inference_mode()
def _predict(
    model: CoordinationVAE,
    graph: CoordinationGraph,
    rng: np.random.Generator,
    options: SamplingOptions,
) -> Prediction:
    """Of all latents in one pass."""
    device = next(model.parameters()).device
    batch = collate([graph_features(graph)], device)
    noise = rng.standard_normal((options.latents, 1, model.options.latent), dtype=np.float32)
    noise[0] = 0.0
    latent = torch.from_numpy(noise).to(device)
    types = graph.num_regions > 0 and _decoder(graph, options) is Decoder.NODES
    return model.decode(batch, model.share(batch), latent, conflicts=types)


def _decoder(graph: CoordinationGraph, options: SamplingOptions) -> Decoder:
    return Decoder.NODES if graph.merged else options.decoder


def _candidates(
    graph: CoordinationGraph, prediction: Prediction, decoder: Decoder
) -> Sequence[Callable[[], Assignment]]:
    """One for each latent, to be decoded in turn; the mean of the latent comes first."""
    nodes = finite("interval ranks", prediction.node_rank)
    if decoder is Decoder.EVENTS:
        return [partial(decode_events, graph, one) for one in nodes]
    if prediction.exclusive is None:
        return [partial(decode_nodes, graph, one) for one in nodes]
    exclusive = finite("types", prediction.exclusive)
    return [partial(decode_nodes, graph, *one) for one in zip(nodes, exclusive, strict=True)]
