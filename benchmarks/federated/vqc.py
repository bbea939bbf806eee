# SPDX-License-Identifier: Apache-2.0
"""A real round of 1,000 clients, each a VQC of 4 qubits with its digits, against ``flwr run``.

FedAvg and one local epoch on both sides, the same task, seed and rounds; theirs calls the ClientApp
of this project once for each client, ours trains blocks of clients as one batch on two hosts. The
models after the last round have to agree, also with clients that are trained one by one.
"""

import numpy as np

from benchmarks.federated.setting import (
    Figure,
    compared,
    distance,
    hosted,
    one_by_one_grid,
    rounds_of,
    vqc_clients,
)
from benchmarks.federated.theirs import Rounds, flower_rounds
from cluster.federation_sites import task_maker, task_options
from federated.run_config import to_run_config

CLIENTS, ROUNDS, REPEATS = 1000, 6, 3
TARGET = 20.0
MOST_APART = 1e-5


def measure() -> list[Figure]:
    pairs = [(ours(CLIENTS, ROUNDS), theirs(CLIENTS, ROUNDS)) for _ in range(REPEATS)]
    seconds = ([their.later_s for _, their in pairs], [our.later_s for our, _ in pairs])
    apart = (
        ("flwr run", tuple(distance(their.arrays, our.arrays) for our, their in pairs)),
        ("one by one", (distance(_one_by_one().arrays, pairs[0][0].arrays),)),
    )
    return [
        *compared(f"round of {CLIENTS} VQC clients", *seconds, TARGET),
        *(
            Figure(f"distance of the final model to {name}", values, "", MOST_APART, at_most=True)
            for name, values in apart
        ),
    ]


def ours(clients: int, rounds: int) -> Rounds:
    """On hosts of our own."""
    options = vqc_clients(clients)
    with hosted(options) as (task, grid):
        done = list(rounds_of(grid, task.initial(), rounds, clients))
    if any(len(one.good) < clients for one in done):
        raise AssertionError(f"replies did not count: {done[0].rejections[:1]}")
    return Rounds(np.array([one.seconds for one in done]), done[-1].progress.arrays)


def theirs(clients: int, rounds: int) -> Rounds:
    """By ``flwr run``."""
    options = vqc_clients(clients)
    config = to_run_config(task_options(options), options.fit)
    return flower_rounds("federated.client:app", {**config, "rounds": rounds})


def _one_by_one() -> Rounds:
    options = vqc_clients(CLIENTS)
    initial = task_maker(options)().initial()
    done = list(rounds_of(one_by_one_grid(options), initial, ROUNDS, CLIENTS))
    print(f"one by one in this process: {np.median([one.seconds for one in done]):.3g} s a round")
    return Rounds(np.array([one.seconds for one in done]), done[-1].progress.arrays)
