# SPDX-License-Identifier: Apache-2.0
"""Many assignments out of one prediction: all latents and samples around them, all decoders."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

import numpy as np
from torch import Tensor

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
from agents.coordination.sampling import SamplingOptions
from sim.coordinators.dive import Diver
from sim.coordinators.dive_search import Advice, change_some, schedule_of
from sim.graph import CoordinationGraph
from sim.schedule import Assignment

Decode = Callable[[], Assignment]

SAMPLING = SamplingOptions(latents=8, decoder=Decoder.CONFLICTS)
"""This decoder has the model say all that any decoder reads."""


def decoders_of(graph: CoordinationGraph) -> Sequence[Decoder]:
    """Those that a graph has: merged intervals do not say who is in which cell."""
    return (Decoder.CONFLICTS, Decoder.NODES) if graph.merged else tuple(Decoder)


def decodings_of(
    diver: Diver, prediction: Prediction, decoder: Decoder, rng: np.random.Generator
) -> list[Decode]:
    """Of all latents, and of samples around them.

    Raises:
        InputError: what the decoder reads is not finite.
    """

    def said(name: str, values: Tensor | None) -> Floats:
        assert values is not None
        return around(finite(name, values), rng)

    graph = diver.graph
    match decoder:
        case Decoder.CONFLICTS:
            orders = said("orders of conflicts", prediction.order)
            weights = np.resize(finite("weights of outlooks", prediction.outlook), (len(orders), 2))
            told = [Advice(*row) for row in zip(orders, weights, strict=True)]
            return [partial(schedule_of, diver, advice) for advice in told]
        case Decoder.ROBOTS:
            ranks = said("robot ranks", prediction.robot_rank)
            return [partial(decode_robots, graph, rank) for rank in ranks]
        case Decoder.EVENTS:
            ranks = said("interval ranks", prediction.node_rank)
            return [partial(decode_events, graph, rank) for rank in ranks]
        case Decoder.NODES:
            ranks = said("interval ranks", prediction.node_rank)
            pairs = zip(ranks, said("types", prediction.exclusive), strict=True)
            return [partial(decode_nodes, graph, *pair) for pair in pairs]
        case _:
            assert_never(decoder)


def around(values: Floats, rng: np.random.Generator) -> Floats:
    """``[4 K, .]`` the rows, Plackett-Luce samples of two temperatures, and changes of some."""
    spread = float(values.std()) or 1.0
    changed = np.stack([change_some(row, spread, rng) for row in values])
    near = sample_orders(values, SAMPLING.temperature, rng)
    return np.concatenate([values, near, sample_orders(values, spread, rng), changed])
