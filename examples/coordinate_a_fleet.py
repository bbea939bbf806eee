# SPDX-License-Identifier: Apache-2.0
"""Decide who passes first in a small warehouse, prove it safe, and drive it under delays.

Run from the repository root: ``python -m examples.coordinate_a_fleet``.
"""

import numpy as np

from sim.certificate import certify
from sim.coordinators.fcfs import plain_first_come_first_served
from sim.coordinators.interface import Budget
from sim.coordinators.portfolio import CoordinatorName, coordinate
from sim.delays import DelayOptions, sample_durations_ms
from sim.execution_summary import summarise
from sim.generate import WarehouseOptions, generate_warehouse
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Objective


def main() -> None:
    """Sixty robots, three coordinators."""
    rng = np.random.default_rng(0)
    floor = generate_warehouse(WarehouseOptions(), rng)
    graph = make_instance(floor, 60, InstanceOptions(), rng).graph
    print(f"{graph.num_robots} robots, {graph.num_conflicts} conflicts to decide")

    plain = plain_first_come_first_served(graph)
    if plain.deadlocked:
        print(f"without a check, {plain.robots_stuck} robots are stuck after {plain.at_s:.0f} s")

    durations_ms = sample_durations_ms(graph.duration_ms, DelayOptions(), 200, rng)
    for name in (CoordinatorName.FCFS, CoordinatorName.INSERTION, CoordinatorName.LOCAL_SEARCH):
        decision = coordinate(name, graph, Budget(steps=500), Objective.MEAN_TRAVEL, rng)
        if not certify(graph, decision.assignment).valid:
            raise RuntimeError("never drive robots by an assignment without a certificate")
        delayed = summarise(graph, decision.assignment, durations_ms).to_record()
        print(
            f"{name:13} mean travel {decision.cost_s:5.1f} s planned, "
            f"{delayed['travel_s_mean']:5.1f} s under delays, {delayed['collisions']} collisions"
        )


if __name__ == "__main__":
    main()
