# SPDX-License-Identifier: Apache-2.0
"""100,000 decodes of what models with random and damaged weights say, each certified.

Run from the repository root: ``python -m benchmarks.model_certificates``, or with the other
certificates: ``python -m benchmarks.certificates``. Four minutes on one core.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from agents.coordination.coordinate import predict
from agents.coordination.decode import (
    Decoder,
    Floats,
    decode_events,
    decode_nodes,
    decode_robots,
    finite,
    sample_orders,
)
from agents.coordination.model import Prediction
from agents.coordination.sampling import SamplingOptions, change_some
from benchmarks.damaged_models import DAMAGES, damaged_model
from sim.certificate import certify
from sim.conflicts import Granularity
from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Assignment

TOTAL = 100_000
SAMPLING = SamplingOptions(latents=8, decoder=Decoder.NODES)  # the one that asks for all there is
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

Decode = Callable[[], Assignment]


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
    for damage, tally in tallies.items():
        model = damaged_model(DAMAGES[damage], rng)
        (prediction,) = predict(model, [graph], rng, SAMPLING)
        for decoder in [Decoder.NODES] if graph.merged else list(Decoder):
            try:
                decodings = decodings_of(graph, prediction, decoder, rng)
            except InputError as refusal:
                tally.refusals[str(refusal)] += 1
                continue
            tally.decodes += len(decodings)
            found = (violation(graph, decode(), known) for decode in decodings)
            tally.violations += [f"{damage}, {decoder}: {one}" for one in found if one]
    return len(known)


def decodings_of(
    graph: CoordinationGraph, prediction: Prediction, decoder: Decoder, rng: np.random.Generator
) -> list[Decode]:
    """Of all latents, and of samples around them.

    Raises:
        InputError: what the decoder reads is not finite.
    """
    if decoder is Decoder.ROBOTS:
        ranks = around(finite("robot ranks", prediction.robot_rank), rng)
        return [partial(decode_robots, graph, rank) for rank in ranks]
    ranks = around(finite("interval ranks", prediction.node_rank), rng)
    if decoder is Decoder.EVENTS:
        return [partial(decode_events, graph, rank) for rank in ranks]
    if prediction.exclusive is None:
        return [partial(decode_nodes, graph, rank) for rank in ranks]
    types = around(finite("types", prediction.exclusive), rng)
    return [partial(decode_nodes, graph, *pair) for pair in zip(ranks, types, strict=True)]


def around(values: Floats, rng: np.random.Generator) -> Floats:
    """``[4 K, .]`` the rows, Plackett-Luce samples of two temperatures, and changes of some."""
    spread = float(values.std()) or 1.0
    changed = np.stack([change_some(row, spread, rng) for row in values])
    near = sample_orders(values, SAMPLING.temperature, rng)
    return np.concatenate([values, near, sample_orders(values, spread, rng), changed])


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
