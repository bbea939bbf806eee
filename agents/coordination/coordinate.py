# SPDX-License-Identifier: Apache-2.0
"""The learned coordinators: sample, decode, keep the cheapest; then, if asked, search from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from agents.coordination.decode import Decoder, decode_events, decode_nodes, finite
from agents.coordination.features import collate, graph_features
from agents.coordination.model import CoordinationVAE, Prediction
from agents.coordination.sampling import SamplingOptions, sample_and_climb
from sim.coordinators.dive import make_diver
from sim.coordinators.dive_search import Advice, search_dives
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.interface import Budget, Clock, Coordinator, Outcome, Status
from sim.coordinators.local_search import local_search
from sim.coordinators.pool import Priced, priced
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective


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
        found, steps = best_candidates(model, graph, clock, objective, rng, options, incumbent)
        status = _status(graph, clock, steps, options)
        return Outcome(found[0].assignment, status, bound_s=None, steps=steps)

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
        found, steps = best_candidates(model, graph, first, objective, rng, options, incumbent)
        best = _search_few(graph, found, clock, objective, rng)
        return replace(best, steps=best.steps + steps)

    return coordinator


MOST_READ = 40_000
"""Conflicts that the model reads at most, over all latents: about 0.1 s of a core. In larger fleets
the time is worth more to a few dives."""
TRIAL_SHARE = 0.1
"""Part of what is left of the deadline that local search spends on each of several starts."""


def _search_few(
    graph: CoordinationGraph,
    found: Sequence[Priced],
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
) -> Outcome:
    """Local search from each candidate for a while, then from the cheapest until the deadline."""
    best, steps = found[0].assignment, 0
    if len(found) > 1:
        budget = clock.rest().part(TRIAL_SHARE)
        trials = [
            local_search(graph, budget, objective, rng, incumbent=one.assignment) for one in found
        ]
        steps = sum(one.steps for one in trials)
        best = min((priced(graph, one.assignment, objective) for one in trials), key=_cost_s)[1]
    rest = clock.rest()
    if rest.steps is not None:
        rest = replace(rest, steps=max(1, rest.steps - steps))
    last = local_search(graph, rest, objective, rng, incumbent=best)
    return replace(last, steps=last.steps + steps)


def best_candidates(
    model: CoordinationVAE,
    graph: CoordinationGraph,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: SamplingOptions,
    incumbent: Assignment | None = None,
) -> tuple[list[Priced], int]:
    """The few cheapest candidates, cheapest first, and the number tried.

    The mean of the latent and first come first served are always tried.

    Raises:
        InputError: the model predicts what is not finite.
    """
    floor = priced(graph, incumbent or serve_by_arrival(graph), objective)
    if graph.num_conflicts == 0:
        return [floor], 1
    latents = min(options.latents, max(1, MOST_READ // graph.num_conflicts))
    (prediction,) = predict(model, [graph], rng, replace(options, latents=latents))
    found, tried = decode(graph, prediction, clock, objective, rng, options)
    return sorted([*found, floor], key=_cost_s)[: options.few], tried


def decode(
    graph: CoordinationGraph,
    prediction: Prediction,
    clock: Clock,
    objective: Objective,
    rng: np.random.Generator,
    options: SamplingOptions,
) -> tuple[list[Priced], int]:
    """What the model says of one graph, as at least one candidate, the cheapest first; and the
    number tried.

    Raises:
        InputError: the prediction is not finite.
    """
    decoder = _decoder(graph, options)
    if decoder is Decoder.ROBOTS:
        ranks = finite("robot ranks", prediction.robot_rank)
        return sample_and_climb(graph, ranks, clock, objective, rng, options)
    if decoder is Decoder.CONFLICTS and prediction.order is not None:
        logits = finite("orders of conflicts", prediction.order)
        weights = finite("weights of outlooks", prediction.outlook)
        advice = [Advice(*row) for row in zip(logits, weights, strict=True)]
        diver, varied = make_diver(graph), options.dives
        dived, tried = search_dives(diver, advice, clock, objective, rng, varied)
        return [Priced(one.cost_s, one.assignment(graph)) for one in dived], tried
    return _decode_all(graph, prediction, clock, objective, options)


def _status(graph: CoordinationGraph, clock: Clock, steps: int, options: SamplingOptions) -> Status:
    """Those that sample go on until the clock stops them."""
    if clock.budget.steps is not None or graph.num_conflicts == 0:
        return Status.FEASIBLE
    samples = _decoder(graph, options) in (Decoder.CONFLICTS, Decoder.ROBOTS)
    stopped = steps < options.most if samples else not clock.allows(steps)
    return Status.DEADLINE if stopped else Status.FEASIBLE


def _cost_s(candidate: Priced) -> float:
    return candidate.cost_s


def _decode_all(
    graph: CoordinationGraph,
    prediction: Prediction,
    clock: Clock,
    objective: Objective,
    options: SamplingOptions,
) -> tuple[list[Priced], int]:
    """One candidate for each latent, as long as the clock allows."""
    found: list[Priced] = []
    for decoded in _decodings(graph, prediction, _decoder(graph, options)):
        found.append(priced(graph, decoded(), objective))
        if len(found) >= options.most or not clock.allows(len(found)):
            break
    return sorted(found, key=_cost_s), len(found)


@torch.inference_mode()
def predict(
    model: CoordinationVAE,
    graphs: Sequence[CoordinationGraph],
    rng: np.random.Generator,
    options: SamplingOptions,
) -> list[Prediction]:
    """For every graph what the model says for all latents; all graphs in one pass.

    The latents are the same for all graphs, so that a graph's prediction does not depend on its
    company.

    Args:
        graphs: at least one, all with conflicts.
    """
    device = next(model.parameters()).device
    batch = collate([graph_features(graph) for graph in graphs], device)
    noise = rng.standard_normal((options.latents, 1, model.options.latent), dtype=np.float32)
    noise[0] = 0.0
    latent = torch.from_numpy(noise).to(device).expand(-1, len(graphs), -1)
    conflicts = any(_reads_conflicts(graph, options) for graph in graphs)
    return model.decode(batch, model.share(batch), latent, conflicts=conflicts).split(batch)


def _reads_conflicts(graph: CoordinationGraph, options: SamplingOptions) -> bool:
    decoder = _decoder(graph, options)
    return decoder is Decoder.CONFLICTS or (decoder is Decoder.NODES and graph.num_regions > 0)


def _decoder(graph: CoordinationGraph, options: SamplingOptions) -> Decoder:
    cellwise = options.decoder in (Decoder.ROBOTS, Decoder.EVENTS)
    return Decoder.NODES if graph.merged and cellwise else options.decoder


def _decodings(
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
