# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.coordination.coordinate import (
    best_candidates,
    learned_coordinator,
    learned_search,
    predict,
)
from agents.coordination.decode import Decoder
from agents.coordination.sampling import SamplingOptions, sample_and_climb
from sim.certificate import certify
from sim.coordinators.fcfs import serve_by_arrival
from sim.coordinators.interface import Budget, Clock, Status
from sim.errors import InputError
from sim.schedule import Objective, evaluate
from tests.agents.coordination.coordination_examples import (
    replace_weight,
    small_model,
    some_instance,
    with_random_weights,
)
from tests.sim.tiny_instances import KINDS, graph_of, random_graph

MEAN = Objective.MEAN_TRAVEL
FEW = SamplingOptions(latents=3, most=12)
STEPS = Budget(steps=12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("kind", KINDS)
def test_any_weights_give_certified_assignments_no_worse_than_first_come(
    kind: str, scale: float
) -> None:
    rng = np.random.default_rng(KINDS.index(kind))
    for number in range(6):
        model = with_random_weights(small_model(), scale, number)
        graph = random_graph(kind, int(rng.integers(1, 6)), 7, rng)
        outcome = learned_coordinator(model, FEW)(graph, STEPS, MEAN, rng)
        certificate = certify(graph, outcome.assignment)
        assert certificate.valid, certificate.violation
        first_come_s = evaluate(graph, serve_by_arrival(graph)).cost_s()
        assert evaluate(graph, outcome.assignment).cost_s() <= first_come_s
        assert outcome.status is Status.FEASIBLE


@pytest.mark.parametrize("decoder", list(Decoder))
def test_every_decoder_can_drive_the_coordinator(decoder: Decoder) -> None:
    graph = some_instance(1).graph
    options = SamplingOptions(latents=4, most=8, decoder=decoder)
    outcome = learned_coordinator(small_model(), options)(
        graph, STEPS, MEAN, np.random.default_rng(0)
    )
    assert certify(graph, outcome.assignment).valid
    climbs = decoder in (Decoder.CONFLICTS, Decoder.ROBOTS)
    assert outcome.steps == (8 if climbs else 4)


def test_the_same_seed_gives_the_same_assignment() -> None:
    graph = some_instance(2).graph
    runs = [
        learned_search(small_model(), FEW)(graph, STEPS, MEAN, np.random.default_rng(5))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].assignment.order, runs[1].assignment.order)


def test_search_is_no_worse_than_what_it_starts_from() -> None:
    graph = some_instance(3, robots=12).graph
    alone = learned_coordinator(small_model(), FEW)(graph, STEPS, MEAN, np.random.default_rng(0))
    more = learned_search(small_model(), FEW)(
        graph, Budget(steps=200), MEAN, np.random.default_rng(0)
    )
    assert certify(graph, more.assignment).valid
    cost = [evaluate(graph, one.assignment).cost_s() for one in (more, alone)]
    assert cost[0] < cost[1]


def test_climbing_finds_more_than_sampling_at_equal_steps() -> None:
    costs = []
    for share in (0.0, 0.75):
        options = SamplingOptions(most=100, climb_share=share)
        found = []
        for seed in range(4):
            graph = some_instance(seed, robots=16).graph
            rng, budget = np.random.default_rng(seed), Budget(steps=100)
            ranks = graph.free_ms[None] / 1000.0
            (best,), tried = sample_and_climb(graph, ranks, Clock(budget), MEAN, rng, options)
            assert tried == 100
            assert best.cost_s == evaluate(graph, best.assignment).cost_s()
            found.append(best.cost_s)
        costs.append(sum(found))
    assert costs[1] < costs[0]


def test_what_is_said_of_a_graph_does_not_depend_on_its_company() -> None:
    graphs = [some_instance(seed, robots=5 + seed).graph for seed in range(3)]
    together = predict(small_model(), graphs, np.random.default_rng(0), FEW)
    for graph, said in zip(graphs, together, strict=True):
        (alone,) = predict(small_model(), [graph], np.random.default_rng(0), FEW)
        assert said.robot_rank.shape == (FEW.latents, graph.num_robots)
        torch.testing.assert_close(said.robot_rank, alone.robot_rank)
        torch.testing.assert_close(said.node_rank, alone.node_rank)


def test_search_may_start_from_several_candidates() -> None:
    graph = some_instance(4, robots=25).graph
    several = replace(FEW, few=3)
    outcome = learned_search(small_model(), several)(
        graph, Budget(steps=300), MEAN, np.random.default_rng(0)
    )
    (first, *others), _ = best_candidates(
        small_model(), graph, Clock(STEPS), MEAN, np.random.default_rng(0), several
    )
    assert [one.cost_s for one in others] == sorted(one.cost_s for one in others)
    assert first.cost_s < others[0].cost_s
    assert evaluate(graph, outcome.assignment).cost_s() < first.cost_s


@pytest.mark.parametrize("routes", [([0, 1], [5, 6]), ([0, 1, 2],)])
def test_nothing_to_decide_is_decided_at_once(routes: tuple[list[int], ...]) -> None:
    graph = graph_of(*routes)
    for make in (learned_coordinator, learned_search):
        outcome = make(small_model(), FEW)(graph, Budget(1.0), MEAN, np.random.default_rng(0))
        assert len(outcome.assignment.order) == 0
        assert outcome.status is Status.FEASIBLE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    model = small_model()
    for weight in model.parameters():
        weight.data.fill_(value)
    with pytest.raises(InputError, match="orders of conflicts that are not finite"):
        learned_coordinator(model, FEW)(
            some_instance(1).graph, STEPS, MEAN, np.random.default_rng(0)
        )


def test_one_damaged_weight_is_either_harmless_or_refused() -> None:
    model = small_model()
    replace_weight(model, np.nan)  # of the encoder, which nobody asks here
    graph = some_instance(1).graph
    outcome = learned_coordinator(model, FEW)(graph, STEPS, MEAN, np.random.default_rng(0))
    assert certify(graph, outcome.assignment).valid


@pytest.mark.parametrize(
    "wrong",
    [
        {"latents": 0},
        {"most": 0},
        {"few": 0},
        {"temperature": -1.0},
        {"search_share": 1.0},
        {"climb_share": 1.0},
    ],
)
def test_impossible_sampling_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        SamplingOptions(**wrong)  # type: ignore[arg-type]
