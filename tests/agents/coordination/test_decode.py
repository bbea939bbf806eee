# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from agents.coordination.decode import (
    Decoder,
    decode_events,
    decode_nodes,
    decode_robots,
    finite,
    sample_orders,
)
from sim.certificate import certify
from sim.coordinators.dive import make_diver
from sim.coordinators.dive_search import Advice, schedule_of
from sim.coordinators.fcfs import serve_by_arrival
from sim.errors import InputError
from sim.graph import FREE, CoordinationGraph
from tests.sim.tiny_instances import CELLWISE, KINDS, random_graph

SCALES = [1e-6, 1.0, 1e30]


def decoded(graph: CoordinationGraph, decoder: Decoder, scale: float, rng: np.random.Generator):
    if decoder is Decoder.ROBOTS:
        return decode_robots(graph, scale * rng.standard_normal(graph.num_robots))
    if decoder is Decoder.CONFLICTS:
        if graph.num_conflicts == 0:
            return serve_by_arrival(graph)
        logit = scale * rng.standard_normal(graph.num_conflicts)
        return schedule_of(make_diver(graph), Advice(logit, scale * rng.standard_normal(2)))
    rank = scale * rng.standard_normal(graph.num_intervals)
    if decoder is Decoder.EVENTS:
        return decode_events(graph, rank)
    return decode_nodes(graph, rank, scale * rng.standard_normal(graph.num_conflicts))


@pytest.mark.parametrize("decoder", list(Decoder))
@pytest.mark.parametrize("kind", KINDS)
def test_any_ranks_give_certified_assignments(kind: str, decoder: Decoder) -> None:
    if decoder in (Decoder.ROBOTS, Decoder.EVENTS) and kind not in CELLWISE:
        with pytest.raises(InputError, match="overlaps"):
            decoded(random_graph(kind, 3, 5, np.random.default_rng(0)), decoder, 1.0,
                    np.random.default_rng(0))  # fmt: skip
        return
    rng = np.random.default_rng(KINDS.index(kind))
    forced = 0
    for _ in range(60):
        graph = random_graph(kind, int(rng.integers(1, 6)), 7, rng)
        forced += int((graph.forced != FREE).sum())
        for scale in SCALES:
            assignment = decoded(graph, decoder, scale, rng)
            certificate = certify(graph, assignment)
            assert certificate.valid, certificate.violation
            kept = graph.forced != FREE
            assert (assignment.order[kept] == graph.forced[kept]).all()
    assert ("parked" in kind) == (forced > 0)


def test_equal_ranks_are_served_by_number() -> None:
    graph = random_graph("overlaps", 4, 7, np.random.default_rng(0))
    zeros = np.zeros(graph.num_robots)
    np.testing.assert_array_equal(
        decode_robots(graph, zeros).order, decode_robots(graph, zeros + 1).order
    )


def test_samples_follow_plackett_luce() -> None:
    """The first of three robots is each with the probability of its logit."""
    rank = np.log([[1.0, 2.0, 4.0]]).repeat(40_000, axis=0)
    for temperature, odds in ((1.0, [4, 2, 1]), (0.5, [16, 4, 1]), (0.0, [1, 0, 0])):
        noisy = sample_orders(rank, temperature, np.random.default_rng(0))
        share = np.bincount(noisy.argmin(axis=1), minlength=3) / 40_000
        np.testing.assert_allclose(share, np.array(odds) / sum(odds), atol=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="predicts robot ranks that are not finite"):
        finite("robot ranks", torch.tensor([0.0, value]))
