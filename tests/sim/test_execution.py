# SPDX-License-Identifier: Apache-2.0
"""Execution under delays: equal to a plain event queue, never a collision, deadlocks seen."""

from dataclasses import replace

import numpy as np
import pytest

from sim.collisions import collisions, collisions_reference
from sim.conflicts import Granularity, Motion, build_graph
from sim.errors import InputError
from sim.event_queue import execute_reference, waiting_events
from sim.execution import (
    SharedDurations,
    costs_s,
    event_times_ms,
    execute,
    execute_by_clock,
)
from sim.execution_summary import Estimate, summarise
from sim.generate import WarehouseOptions, generate_warehouse
from sim.graph import CoordinationGraph, Int32s
from sim.instances import InstanceOptions, make_instance
from sim.kernels.execution import LANES, NEVER
from sim.robust import choose_robust, held_out
from sim.routes import Routes
from sim.schedule import (
    Assignment,
    DeadlockError,
    Objective,
    cost_of_finish_s,
    evaluate,
    evaluate_reference,
)

SEEDS = range(4)
OPTIONS = {
    "overlaps": InstanceOptions(),
    "merged": InstanceOptions(granularity=Granularity.MERGED),
    "turns": InstanceOptions(turn_s=0.5, headway_s=0.4),
    "density": InstanceOptions(density_bound=2, density_block_cells=6),
}


def graph_of(options: str, num_robots: int = 15, seed: int = 0) -> CoordinationGraph:
    rng = np.random.default_rng(seed)
    layout = generate_warehouse(WarehouseOptions(rack_rows=4, rack_columns=3), rng)
    return make_instance(layout, num_robots, OPTIONS[options], rng).graph


def one_after_another(
    graph: CoordinationGraph, rng: np.random.Generator, *, exclusive: bool = False
) -> Assignment:
    """Robots in a random total order: always feasible when they have bays."""
    position = rng.permutation(graph.num_robots)
    owner = graph.event_robot[graph.interval_enter]
    order = position[owner[graph.conflict_u]] > position[owner[graph.conflict_v]]
    return Assignment(order.astype(np.int8), graph.following_allowed & (not exclusive))


def delayed(graph: CoordinationGraph, num_samples: int, rng: np.random.Generator) -> Int32s:
    shape = (graph.num_events, num_samples)
    stops = rng.exponential(3.0, shape) * (rng.random(shape) < 0.05)
    factor = rng.uniform(0.8, 1.3, shape) + stops
    return np.ceil(graph.duration_ms[:, None] * factor).astype(np.int32)


def graph_of_routes(*routes: list[int], parked: bool = False) -> CoordinationGraph:
    """Robots that take 1000 ms for a cell, with a headway of 100 ms."""
    lengths = [len(route) for route in routes]
    motion = Motion(
        duration_ms=np.concatenate([[1000] * length + [0] for length in lengths]).astype(np.int32),
        release_ms=np.zeros(len(routes), dtype=np.int32),
        headway_ms=100,
        parked=np.full(len(routes), parked),
    )
    return build_graph(
        Routes(np.concatenate(routes).astype(np.int32), np.cumsum([0, *lengths])), motion
    )


def decided(graph: CoordinationGraph, *order: int, following: bool = False) -> Assignment:
    types = np.full(graph.num_conflicts, following)
    return Assignment(np.array(order, dtype=np.int8), types)


HEAD_ON = graph_of_routes([0, 1, 2], [2, 1, 0])
U_FIRST = decided(HEAD_ON, 0)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
def test_equal_to_the_event_queue_event_by_event(options: str, exclusive: bool) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        graph = graph_of(options, seed=seed)
        assignment = one_after_another(graph, rng, exclusive=exclusive)
        durations = delayed(graph, LANES + 3, rng)
        times = event_times_ms(graph, assignment, durations)
        waiting = waiting_events(graph, assignment)
        for sample in (0, 1, LANES, LANES + 2):
            assert times[:, sample].tolist() == execute_reference(
                graph, waiting, durations[:, sample]
            )


@pytest.mark.parametrize("options", OPTIONS)
def test_times_are_the_longest_paths_of_the_whole_event_graph(options: str) -> None:
    rng = np.random.default_rng(1)
    graph = graph_of(options)
    assignment = one_after_another(graph, rng)
    durations = delayed(graph, 2, rng)
    times = event_times_ms(graph, assignment, durations)
    for sample in range(2):
        slow = replace(graph, duration_ms=durations[:, sample].copy())
        assert (times[:, sample] == evaluate_reference(slow, assignment).time_ms).all()


def test_without_delays_the_schedule_comes_out() -> None:
    graph = graph_of("overlaps")
    assignment = one_after_another(graph, np.random.default_rng(0))
    schedule = evaluate(graph, assignment)
    execution = execute(graph, assignment, graph.duration_ms[:, None])
    assert (execution.finish_ms[:, 0] == schedule.finish_ms).all()
    assert (execution.wait_ms[:, 0] == schedule.finish_ms - schedule.free_ms).all()


def test_a_delay_is_passed_on_to_who_waits() -> None:
    durations = np.tile(HEAD_ON.duration_ms[:, None], (1, 2))
    durations[1, 1] += 5000  # the first robot stops on the middle cell, in the second run
    execution = execute(HEAD_ON, U_FIRST, durations)
    assert execution.finish_ms.tolist() == [[3000, 8000], [6100, 11100]]
    assert execution.wait_ms.tolist() == [[0, 0], [3100, 8100]]


@pytest.mark.parametrize("objective", Objective)
def test_costs_of_many_candidates_are_those_of_each_alone(objective: Objective) -> None:
    rng = np.random.default_rng(0)
    graph = graph_of("overlaps")
    candidates = [one_after_another(graph, rng) for _ in range(3)]
    durations = delayed(graph, 2 * LANES + 1, rng)
    shared = SharedDurations.of(graph, durations)
    costs = costs_s(graph, candidates, shared, objective)
    for candidate, cost in zip(candidates, costs, strict=True):
        finish_ms = execute(graph, candidate, durations).finish_ms
        assert np.allclose(cost, cost_of_finish_s(finish_ms.T, graph.free_ms, objective))
    assert (costs_s(graph, candidates[:1], shared, objective) == costs[:1]).all()


@pytest.mark.parametrize("options", OPTIONS)
def test_by_precedence_nobody_collides_and_everybody_finishes(options: str) -> None:
    rng = np.random.default_rng(5)
    graph = graph_of(options)
    durations = delayed(graph, 50, rng)
    for _ in range(5):
        times = event_times_ms(graph, one_after_another(graph, rng), durations)
        assert (times != NEVER).all()
        assert not collisions(graph, times).any()


def test_by_clock_robots_collide_only_under_delays() -> None:
    rng = np.random.default_rng(6)
    graph = graph_of("overlaps")
    planned = evaluate(graph, one_after_another(graph, rng)).time_ms
    on_time = execute_by_clock(graph, planned, graph.duration_ms[:, None])
    assert (on_time[:, 0] == planned).all()
    assert collisions(graph, on_time).tolist() == [0]
    late = execute_by_clock(graph, planned, delayed(graph, 50, rng))
    assert (late >= planned[:, None]).all()
    assert collisions(graph, late).mean() > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_collisions_are_those_that_a_comparison_of_all_stays_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = graph_of("overlaps", num_robots=12, seed=seed)
    start_ms = np.round(rng.uniform(0, 8_000, 12), -3).astype(np.int32)
    durations = rng.choice(np.array([500, 1000], dtype=np.int32), (graph.num_events, 30))
    times = execute_by_clock(graph, start_ms[graph.event_robot], durations)
    counts = collisions(graph, times)
    assert counts.tolist() == [collisions_reference(graph, run) for run in times.T]
    assert counts.any()


@pytest.mark.parametrize(
    ("times", "met"),
    [
        ([0, 1, 2, 3, 3, 4, 5, 6], 0),  # the second enters when the first has left
        ([0, 1, 2, 3, 2, 4, 5, 6], 1),  # both on cell 2
        ([0, 1, 3, 4, 0, 1, 3, 4], 1),  # both on cell 1
        ([0, 2, 4, 6, 0, 3, 4, 5], 1),  # cells 1 and 2 exchanged, or both on cell 1
        ([0, 1, NEVER, NEVER, 0, NEVER, NEVER, NEVER], 0),  # stuck face to face
    ],
)
def test_collisions_by_hand_head_on(times: list[int], met: int) -> None:
    times_ms = np.array(times, dtype=np.int32)
    assert collisions(HEAD_ON, times_ms[:, None]).tolist() == [met]
    assert collisions_reference(HEAD_ON, times_ms) == met


def test_an_exchange_of_two_cells_is_a_collision() -> None:
    graph = graph_of_routes([0, 1], [1, 0])
    times_ms = np.array([0, 1, 2, 0, 1, 2], dtype=np.int32)
    assert collisions(graph, times_ms[:, None]).tolist() == [1]
    assert collisions_reference(graph, times_ms) == 1


def test_a_parked_robot_is_in_the_way_before_and_after_it_drives() -> None:
    graph = graph_of_routes([0, 1], [3, 0, 4], parked=True)
    clear = np.array([0, 1, 2, 5, 6, 7, 8], dtype=np.int32)
    early = np.array([9, 10, 11, 5, 6, 7, 8], dtype=np.int32)
    for times_ms, met in ((clear, 0), (early, 1)):
        assert collisions(graph, times_ms[:, None]).tolist() == [met]
        assert collisions_reference(graph, times_ms) == met


def deadlock() -> tuple[CoordinationGraph, Assignment]:
    """Two robots meet head on twice and let each other go first; a third is elsewhere."""
    graph = graph_of_routes([0, 1, 2, 3, 4], [4, 3, 9, 1, 0], [7])
    return graph, decided(graph, 1, 0)


def test_a_deadlock_is_seen() -> None:
    graph, assignment = deadlock()
    durations = np.tile(graph.duration_ms[:, None], (1, 2))
    times = event_times_ms(graph, assignment, durations)
    assert (times[-2:] != NEVER).all()
    assert (times == NEVER).any(axis=0).all()
    assert not collisions(graph, times).any()
    waiting = waiting_events(graph, assignment)
    assert times[:, 0].tolist() == execute_reference(graph, waiting, durations[:, 0])
    with pytest.raises(DeadlockError):
        execute(graph, assignment, durations)
    with pytest.raises(DeadlockError):
        summarise(graph, assignment, durations)


def test_a_deadlock_is_never_chosen() -> None:
    graph, circle = deadlock()
    sound = decided(graph, 0, 0)
    shared = SharedDurations.of(graph, graph.duration_ms[:, None])
    assert np.isinf(costs_s(graph, [circle, sound], shared)[0]).all()
    assert choose_robust(graph, [circle, sound], graph.duration_ms[:, None], "mean") == 1


def test_summary_of_a_case_by_hand() -> None:
    durations = np.tile(HEAD_ON.duration_ms[:, None], (1, 2))
    durations[1, 1] += 5000
    summary = summarise(HEAD_ON, U_FIRST, durations)
    record = summary.to_record()
    assert record["travel_s_mean"] == pytest.approx((4.55 + 9.55) / 2)
    assert record["wait_s_mean"] == pytest.approx((1.55 + 4.05) / 2)
    assert record["throughput_per_min"] == pytest.approx((120 / 6.1 + 120 / 11.1) / 2)
    assert (record["collisions"], record["deadlocks"], record["samples"]) == (0, 0, 2)
    assert record["by_clock_collisions_mean"] == record["by_clock_collided_share"] == 0.5
    assert summary.travel_s.half_width == pytest.approx(1.96 * 2.5, rel=1e-3)


def test_the_interval_holds_the_truth_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    estimates = [Estimate.of(rng.exponential(1.0, 200)) for _ in range(1000)]
    held = np.mean([abs(estimate.mean - 1.0) <= estimate.half_width for estimate in estimates])
    assert 0.92 <= held <= 0.97
    assert Estimate.of(np.array([1.0])).half_width == np.inf


def test_robust_choice_takes_what_is_best_under_delays() -> None:
    """The first robot often stops, so it pays to let the other pass before it."""
    graph = graph_of_routes([0, 1, 2], [3, 4, 2, 1, 5])
    candidates = [decided(graph, 0), decided(graph, 1)]
    rng = np.random.default_rng(0)
    durations = np.tile(graph.duration_ms[:, None], (1, 200))
    durations[1] += (rng.random(200) < 0.5) * np.int32(20_000)
    assert choose_robust(graph, candidates, durations, "nominal") == 0
    assert choose_robust(graph, candidates, durations, "mean") == 1
    assert choose_robust(graph, candidates, durations, "tail") == 1
    result = held_out(graph, candidates, durations, "mean")
    assert (result.chosen, result.nominal) == (1, 0)
    assert result.gain_s.mean - result.gain_s.half_width > 0
    assert result.gain_s.mean == pytest.approx(result.nominal_s.mean - result.chosen_s.mean)
    assert result.chosen_tail_s < result.nominal_tail_s


@pytest.mark.parametrize(
    ("durations", "problem"),
    [
        (np.ones((3, 2), dtype=np.int32), r"shape \(3, 2\)"),
        (np.ones(HEAD_ON.num_events, dtype=np.int32), "shape"),
        (np.full((HEAD_ON.num_events, 2), -1, dtype=np.int32), "negative"),
        (np.full((HEAD_ON.num_events, 2), 2**30, dtype=np.int32), "24 days"),
    ],
)
def test_impossible_durations_are_refused(durations: Int32s, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        execute(HEAD_ON, U_FIRST, durations)
