# SPDX-License-Identifier: Apache-2.0
"""A round in which clients do nothing: what the engine itself costs, against ``flwr run``.

Flower's own FedAvg, ten numbers, the same ClientApp, two workers of one core on both sides; seconds
of the rounds after the first, as the ServerApp sees them. Ours and theirs take turns.
"""

import time

import numpy as np

from benchmarks.federated.flower_apps import EMPTY, empty_answers, fedavg, initial
from benchmarks.federated.setting import WORKERS, Figure, block_of, compared
from benchmarks.federated.theirs import flower_rounds
from cluster.runtime import ray_runtime
from cluster.sites import RaySites
from federated.flower import identity
from federated.grid import SiteGrid
from federated.records import to_record

CLIENTS = (10, 100, 1000)
ROUNDS, REPEATS = 6, 2
TARGET = 3.0
CLIENT = "benchmarks.federated.flower_apps:empty"


def measure() -> list[Figure]:
    return [figure for clients in CLIENTS for figure in _at(clients)]


def _at(clients: int) -> list[Figure]:
    ours_s, single_s, theirs_s = [], [], []
    for _ in range(REPEATS):
        ours_s.append(_ours(clients, block_of(clients)))
        single_s.append(_ours(clients, 1))
        config = {"task": EMPTY, "clients": clients, "rounds": ROUNDS}
        theirs_s.append(flower_rounds(CLIENT, config).later_s)
    title = f"empty round, {clients} clients"
    return [
        *compared(title, theirs_s, ours_s, TARGET if clients == max(CLIENTS) else None),
        *compared(f"{title}, one call each", theirs_s, single_s, None)[1:],
    ]


def _ours(clients: int, block: int) -> np.ndarray:
    """Seconds of the rounds after the first."""
    times_s: list[float] = []
    with ray_runtime(None, WORKERS), identity(run_id=1):
        sites = RaySites(empty_answers, clients, WORKERS, block)
        fedavg(clients).start(
            SiteGrid(sites),
            to_record(initial({"task": EMPTY})),
            num_rounds=ROUNDS,
            evaluate_fn=lambda _, __: times_s.append(time.perf_counter()),
        )
        sites.close()
    return np.diff(times_s)[1:]
