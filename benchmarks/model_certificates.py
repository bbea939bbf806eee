# SPDX-License-Identifier: Apache-2.0
"""100,000 decodes of what models with random and damaged weights say, each certified.

Run from the repository root: ``python -m benchmarks.model_certificates``, or with the other
certificates: ``python -m benchmarks.certificates``. Three minutes on one core.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import torch

from agents.coordination.coordinate import predict
from benchmarks.damaged_models import DAMAGES, damaged_model
from benchmarks.model_decodings import SAMPLING, decoders_of, decodings_of
from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.dive import make_diver
from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Assignment

TOTAL = 100_000
MOST_ROBOTS, MOST_PARKED = 40, 8
KINDS = (
    InstanceOptions(),
    InstanceOptions(parking="floor"),
    InstanceOptions(density_bound=2, density_block_cells=5),
    InstanceOptions(turn_s=0.5, speed_spread=0.5),
    InstanceOptions(granularity=Granularity.MERGED),
    InstanceOptions(granularity=Granularity.MERGED, parking="floor"),
    InstanceOptions(granularity=Granularity.MERGED, density_bound=2, density_block_cells=5),
)


@dataclass
class Tally:
    """What became of the decodes of one kind of damage."""

    decodes: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def main() -> None:
    torch.set_num_threads(1)
    tallies = {damage: Tally() for damage in DAMAGES}
    distinct = number = 0
    while sum(tally.decodes for tally in tallies.values()) < TOTAL:
        rng = np.random.default_rng(number)
        distinct += judge(random_graph(number, rng), tallies, rng)
        number += 1
    print(f"{'weights':22} decodes refusals violations")
    for damage, tally in tallies.items():
        refused, violated = tally.refusals.total(), len(tally.violations)
        print(f"{damage:22} {tally.decodes:7} {refused:8} {violated:10}")
    print_sum(tallies, number, distinct)


def print_sum(tallies: dict[str, Tally], num_graphs: int, distinct: int) -> None:
    """The totals, each kind of refusal, and the first violations."""
    decodes = sum(tally.decodes for tally in tallies.values())
    refusals = sum((tally.refusals for tally in tallies.values()), Counter[str]())
    violations = [one for tally in tallies.values() for one in tally.violations]
    print(
        f"{decodes} decodes ({distinct} different assignments) on {num_graphs} instances: "
        f"{refusals.total()} refusals, {len(violations)} violations"
    )
    for message, count in refusals.most_common():
        print(f"{count} times: {message}")
    print("\n".join(violations[:10]))


def random_graph(number: int, rng: np.random.Generator) -> CoordinationGraph:
    """2 to 40 robots, rather few, who meet each other on open, cluttered or aisled floors."""
    options = KINDS[number % len(KINDS)]
    most = MOST_PARKED if options.parking == "floor" else MOST_ROBOTS
    while True:
        num_robots = int(np.exp(rng.uniform(np.log(2), np.log(most + 1))))
        floor = (
            generate_random(16, 16, float(rng.choice([0.0, 0.25])), rng)
            if rng.random() < 0.5
            else generate_warehouse(WarehouseOptions(rack_columns=3), rng)
        )
        graph = make_instance(floor, num_robots, options, rng).graph
        if graph.num_conflicts:
            return graph


def judge(graph: CoordinationGraph, tallies: dict[str, Tally], rng: np.random.Generator) -> int:
    """One model of every damage on one graph; the number of different assignments."""
    known: dict[bytes, str | None] = {}
    diver = make_diver(graph)
    for damage, tally in tallies.items():
        model = damaged_model(DAMAGES[damage], rng)
        (prediction,) = predict(model, [graph], rng, SAMPLING)
        for decoder in decoders_of(graph):
            try:
                decodings = decodings_of(diver, prediction, decoder, rng)
            except InputError as refusal:
                tally.refusals[str(refusal)] += 1
                continue
            tally.decodes += len(decodings)
            found = (violation(graph, decode(), known) for decode in decodings)
            tally.violations += [f"{damage}, {decoder}: {one}" for one in found if one]
    return len(known)


def violation(
    graph: CoordinationGraph, assignment: Assignment, known: dict[bytes, str | None]
) -> str | None:
    """Of an assignment, certified when it is seen for the first time."""
    key = assignment.order.tobytes() + assignment.following.tobytes()
    if key not in known:
        known[key] = certify(graph, assignment).violation
    return known[key]


if __name__ == "__main__":
    main()
