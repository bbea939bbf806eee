# SPDX-License-Identifier: Apache-2.0
"""100,000 assignments from random ranks, each certified; then as many that models ask for.

Run from the repository root: ``python -m benchmarks.certificates``. A quarter of an hour on one
core; the models alone are ``python -m benchmarks.model_certificates``.
"""

import numpy as np

from benchmarks import model_certificates
from sim.certificate import certify
from sim.conflicts import Granularity
from sim.coordinators.dispatch import dispatch
from sim.coordinators.insertion import insert_in_order
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.coordinators.robot_order import robot_order
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions, make_instance
from sim.schedule import Assignment

TOTAL = 100_000
NUM_INSTANCES = 200
OPTIONS = (
    InstanceOptions(),
    InstanceOptions(parking="floor"),
    InstanceOptions(density_bound=2, density_block_cells=5),
    InstanceOptions(granularity=Granularity.MERGED),
    InstanceOptions(turn_s=0.5, speed_spread=0.5),
)


def main() -> None:
    violations: list[str] = []
    decoded = 0
    for number in range(NUM_INSTANCES):
        rng = np.random.default_rng(number)
        graph = random_graph(number, rng)
        for _ in range(TOTAL // NUM_INSTANCES):
            violation = certify(graph, decode(graph, rng)).violation
            decoded += 1
            if violation:
                violations.append(f"instance {number}: {violation}")
    print(
        f"{decoded} random assignments on {NUM_INSTANCES} instances: {len(violations)} violations"
    )
    print("\n".join(violations[:10]))
    model_certificates.main()


def random_graph(number: int, rng: np.random.Generator) -> CoordinationGraph:
    """3 to 25 robots on open, cluttered and aisled floors, with every option."""
    options = OPTIONS[number % len(OPTIONS)]
    floor = (
        generate_random(16, 16, 0.25, rng)
        if number % 2
        else generate_warehouse(WarehouseOptions(rack_columns=3), rng)
    )
    most = 8 if options.parking == "floor" else 25
    return make_instance(floor, int(rng.integers(3, most)), options, rng).graph


def decode(graph: CoordinationGraph, rng: np.random.Generator) -> Assignment:
    """One of the decoders, from ranks without any sense."""
    if graph.merged:
        return assignment_from_node_ranks(graph, rng.normal(size=graph.num_intervals))
    if rng.random() < 0.5:
        return dispatch(graph, rng.normal(size=graph.num_events))
    return insert_in_order(graph, robot_order(graph, rng.normal(size=graph.num_robots)))


if __name__ == "__main__":
    main()
