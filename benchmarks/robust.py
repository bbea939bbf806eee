# SPDX-License-Identifier: Apache-2.0
"""What a robust choice gains: pick by mean or tail cost under delays instead of nominal cost.

Run from the repository root: ``python -m benchmarks.robust``. Candidates are what local
search finds in 16 short runs; choosing and judging use different delay samples.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.setting import interval, warehouse_graph
from sim.coordinators.interface import Budget
from sim.coordinators.local_search import local_search
from sim.delays import DelayModel, DelayOptions, LorrDelayOptions, sample_durations_ms
from sim.graph import CoordinationGraph
from sim.robust import held_out
from sim.schedule import Assignment, Objective

SEEDS = range(8)
NUM_CANDIDATES = 16
NUM_SAMPLES = 256
MODELS: dict[str, DelayModel] = {
    "speed noise and stops": DelayOptions(),
    "league, bernoulli": LorrDelayOptions(p_delay=0.02, min_delay_ticks=5, max_delay_ticks=40),
}


@dataclass(frozen=True)
class Gain:
    """Per cent saved against the nominal choice, on fresh samples."""

    by_mean: float
    by_tail: float


def main() -> None:
    print("robust choice among 16 local-search results: cost saved under delays against the")
    print("nominally cheapest, in per cent of travel time, 95 % intervals over 8 instances")
    print(f"{'robots':>7}{'delays':>24}{'mean, chosen by mean':>24}{'tail, chosen by tail':>24}")
    for num_robots in (50, 100):
        for title, model in MODELS.items():
            gains = [measure(num_robots, seed, model) for seed in SEEDS]
            by_mean = interval([gain.by_mean for gain in gains])
            by_tail = interval([gain.by_tail for gain in gains])
            print(f"{num_robots:7}{title:>24}{by_mean:>24}{by_tail:>24}", flush=True)


def measure(num_robots: int, seed: int, model: DelayModel) -> Gain:
    graph = warehouse_graph(num_robots, seed)
    rng = np.random.default_rng(seed)
    candidates = [short_search(graph, child) for child in rng.spawn(NUM_CANDIDATES)]
    durations_ms = sample_durations_ms(graph.duration_ms, model, 2 * NUM_SAMPLES, rng)
    by_mean = held_out(graph, candidates, durations_ms, "mean")
    by_tail = held_out(graph, candidates, durations_ms, "tail")
    return Gain(
        by_mean=100 * (1 - by_mean.chosen_s.mean / by_mean.nominal_s.mean),
        by_tail=100 * (1 - by_tail.chosen_tail_s / by_tail.nominal_tail_s),
    )


def short_search(graph: CoordinationGraph, rng: np.random.Generator) -> Assignment:
    return local_search(graph, Budget(steps=2000), Objective.MEAN_TRAVEL, rng).assignment


if __name__ == "__main__":
    main()
