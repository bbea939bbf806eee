# SPDX-License-Identifier: Apache-2.0
"""What learning, the latent and sampling bring: held-out costs of the model and of less.

Those that sample all try as many assignments, and nothing climbs from the best of them, as the
coordinators do: that would hide what the model says. First come first served is the floor under
all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from agents.coordination.coordinate import best_candidates
from agents.coordination.decode import decode_robots
from agents.coordination.model import CoordinationVAE
from agents.coordination.sampling import SamplingOptions, sample_and_climb
from agents.coordination.training import JUDGE_SEED, Example
from sim.coordinators.dive import make_diver
from sim.coordinators.dive_search import DiveOptions, no_advice, search_dives
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.insertion import NOISE
from sim.coordinators.interface import Budget, Clock
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate

Cost = Callable[[CoordinationGraph, Assignment], float]
"""Of a graph and its first come first served, which takes longer than most methods: made once."""

OBJECTIVE = Objective.MEAN_TRAVEL
LATENTS = 8


class Method(StrEnum):
    """Who decides."""

    FCFS = "fcfs"
    """First come first served."""
    ARRIVAL_RANK = "arrival_rank"
    """Robots inserted in the order in which they would arrive if they were alone."""
    INSERTION = "insertion"
    """Samples around that order."""
    GREEDY = "greedy"
    """One dive where the outlook decides alone, with weights that we set: the decoder alone."""
    GREEDY_SAMPLES = "greedy_samples"
    """Samples around that: everything but the learning."""
    UNTRAINED_MEAN = "untrained_mean"
    """The mean of the latent before the first step, decoded once."""
    UNTRAINED = "untrained"
    """As ``gnn_vae``, before the first step."""
    MEAN = "mean"
    """The mean of the latent, decoded once."""
    LATENTS = "latents"
    """The mean and samples of the latent, each decoded once."""
    MEAN_SAMPLES = "mean_samples"
    """Samples around what the mean of the latent says."""
    GNN_VAE = "gnn_vae"
    """Samples around what the mean and samples of the latent say."""


@dataclass(frozen=True)
class HeldOut:
    """What a method reached on a held-out instance.

    Args:
        best_s: the cheapest label, or what a method found if that is cheaper still.
    """

    instance: int
    robots: int
    method: Method
    cost_s: float
    best_s: float

    @property
    def ratio(self) -> float:
        """``best_s / cost_s``, 1 for the best."""
        return self.best_s / self.cost_s if self.cost_s else 1.0


def held_out_costs(
    model: CoordinationVAE, untrained: CoordinationVAE, examples: Iterable[Example], samples: int
) -> Iterator[HeldOut]:
    """All methods on all instances, instance by instance.

    Args:
        samples: assignments that a method may try.
    """
    methods = _methods(model, untrained, samples)
    for number, one in enumerate(examples):
        floor = serve_by_arrival(one.graph)
        floor_s = evaluate(one.graph, floor).cost_s(OBJECTIVE)
        costs = {name: min(cost(one.graph, floor), floor_s) for name, cost in methods.items()}
        best_s = min(one.best_s, *costs.values())
        for name, cost_s in costs.items():
            yield HeldOut(number, one.graph.num_robots, name, cost_s, best_s)


def _methods(
    model: CoordinationVAE, untrained: CoordinationVAE, samples: int
) -> dict[Method, Cost]:
    """What each method costs on a graph."""
    few = min(LATENTS, samples)

    def fcfs(graph: CoordinationGraph, floor: Assignment) -> float:
        return evaluate(graph, floor).cost_s(OBJECTIVE)

    def arrival_rank(graph: CoordinationGraph, _: Assignment) -> float:
        rank = graph.free_ms.astype(np.float64)
        return evaluate(graph, decode_robots(graph, rank)).cost_s(OBJECTIVE)

    def insertion(graph: CoordinationGraph, _: Assignment) -> float:
        clock, rng = Clock(Budget(steps=samples)), np.random.default_rng(JUDGE_SEED)
        scale = NOISE * max(float(graph.free_ms.std()), 1.0)
        rank = graph.free_ms[None] / scale
        options = SamplingOptions(most=samples, temperature=1.0, climb_share=0.0)
        found, _tried = sample_and_climb(graph, rank, clock, OBJECTIVE, rng, options)
        return found[0].cost_s

    def greedy(most: int) -> Cost:
        def cost(graph: CoordinationGraph, _: Assignment) -> float:
            clock, rng = Clock(Budget(steps=most)), np.random.default_rng(JUDGE_SEED)
            options = DiveOptions(most=most, climb_share=0.0)
            told = [no_advice(graph)]
            dived, _tried = search_dives(make_diver(graph), told, clock, OBJECTIVE, rng, options)
            return dived[0].cost_s

        return cost

    def sampled(asked: CoordinationVAE, latents: int, most: int) -> Cost:
        options = SamplingOptions(latents=latents, most=most, climb_share=0.0)

        def cost(graph: CoordinationGraph, floor: Assignment) -> float:
            clock, rng = Clock(Budget(steps=most)), np.random.default_rng(JUDGE_SEED)
            found, _ = best_candidates(asked, graph, clock, OBJECTIVE, rng, options, floor)
            return found[0].cost_s

        return cost

    return {
        Method.FCFS: fcfs,
        Method.ARRIVAL_RANK: arrival_rank,
        Method.INSERTION: insertion,
        Method.GREEDY: greedy(1),
        Method.GREEDY_SAMPLES: greedy(samples),
        Method.UNTRAINED_MEAN: sampled(untrained, 1, 1),
        Method.UNTRAINED: sampled(untrained, few, samples),
        Method.MEAN: sampled(model, 1, 1),
        Method.LATENTS: sampled(model, few, few),
        Method.MEAN_SAMPLES: sampled(model, 1, samples),
        Method.GNN_VAE: sampled(model, few, samples),
    }
