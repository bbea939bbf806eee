# SPDX-License-Identifier: Apache-2.0
"""Execution under delays: its pace against a plain event queue, and 10,000 runs without harm.

Run from the repository root: ``python -m benchmarks.execution``. CPU time, one core.
"""

import numpy as np

from benchmarks.setting import cpu_s, warehouse
from sim.collisions import collisions
from sim.delays import DelayOptions, LorrDelayOptions, sample_durations_ms
from sim.event_queue import execute_reference, waiting_events
from sim.execution import SharedDurations, costs_s, event_times_ms, execute, execute_by_clock
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.kernels.execution import NEVER
from sim.schedule import Assignment, evaluate

DELAYS = (
    DelayOptions(),
    LorrDelayOptions(p_delay=0.02, min_delay_ticks=5, max_delay_ticks=40),
)
REQUIRED_RATIO = 2000


def main() -> None:
    measure_pace(num_robots=250, num_candidates=32, num_samples=512)
    count_harm(num_instances=25, num_assignments=10, num_samples=20)


def one_after_another(graph: CoordinationGraph, rng: np.random.Generator) -> Assignment:
    """Robots in a random total order, which is always feasible when they have bays."""
    position = rng.permutation(graph.num_robots)
    owner = graph.event_robot[graph.interval_enter]
    order = position[owner[graph.conflict_u]] > position[owner[graph.conflict_v]]
    return Assignment(order.astype(np.int8), graph.following_allowed)


def measure_pace(num_robots: int, num_candidates: int, num_samples: int) -> None:
    rng = np.random.default_rng(0)
    graph = make_instance(warehouse(), num_robots, InstanceOptions(), rng).graph
    candidates = [one_after_another(graph, rng) for _ in range(num_candidates)]
    durations_ms = sample_durations_ms(graph.duration_ms, DELAYS[0], num_samples, rng)
    shared = SharedDurations.of(graph, durations_ms)
    waiting = waiting_events(graph, candidates[0])
    num_runs = num_candidates * num_samples
    runs_per_s = {
        "event queue (prepared)": 1
        / cpu_s(lambda: execute_reference(graph, waiting, durations_ms[:, 0])),
        "one candidate alone": num_samples
        / cpu_s(lambda: execute(graph, candidates[0], durations_ms)),
        "shared durations, with their layout": num_runs
        / cpu_s(lambda: costs_s(graph, candidates, SharedDurations.of(graph, durations_ms))),
        "shared durations": num_runs / cpu_s(lambda: costs_s(graph, candidates, shared)),
    }
    print(
        f"{graph.num_robots} robots, {graph.num_events} events, {num_candidates} candidates, "
        f"{num_samples} delay samples"
    )
    print(f"{'':38}{'runs/s':>10}{'M events/s':>12}{'ratio':>8}")
    slow = runs_per_s["event queue (prepared)"]
    for name, pace in runs_per_s.items():
        print(f"{name:38}{pace:10.0f}{pace * graph.num_events / 1e6:12.1f}{pace / slow:8.0f}")
    print(f"required with shared durations: {REQUIRED_RATIO}\n")


def varied_graph(number: int, rng: np.random.Generator) -> CoordinationGraph:
    """Warehouses and random floors, 10 to 150 robots, with turns, slow robots or regions."""
    options = (
        InstanceOptions(),
        InstanceOptions(turn_s=1.0, headway_s=0.5),
        InstanceOptions(speed_spread=0.5),
        InstanceOptions(density_bound=3),
    )[number % 4]
    layouts = (
        warehouse(),
        generate_warehouse(WarehouseOptions(), rng),
        generate_random(32, 32, 0.2, rng),
    )
    num_robots = 25 if options.density_bound else (10, 25, 50, 100, 150)[number % 5]
    return make_instance(layouts[number % 3], num_robots, options, rng).graph


def count_harm(num_instances: int, num_assignments: int, num_samples: int) -> None:
    rng = np.random.default_rng(1)
    runs = deadlocked = collided = by_clock_collided = 0
    for number in range(num_instances):
        graph = varied_graph(number, rng)
        for model in DELAYS:
            durations_ms = sample_durations_ms(graph.duration_ms, model, num_samples, rng)
            for _ in range(num_assignments):
                assignment = one_after_another(graph, rng)
                time_ms = event_times_ms(graph, assignment, durations_ms)
                planned_ms = evaluate(graph, assignment).time_ms
                by_clock_ms = execute_by_clock(graph, planned_ms, durations_ms)
                runs += num_samples
                deadlocked += int((time_ms == NEVER).any(axis=0).sum())
                collided += int((collisions(graph, time_ms) > 0).sum())
                by_clock_collided += int((collisions(graph, by_clock_ms) > 0).sum())
    print(f"{runs} runs: {num_instances} instances x {len(DELAYS)} delay models x ", end="")
    print(f"{num_assignments} assignments x {num_samples} samples")
    print(f"by precedence: {deadlocked} deadlocks, {collided} runs with collisions")
    print(f"by clock: {by_clock_collided} runs with collisions")


if __name__ == "__main__":
    main()
