# SPDX-License-Identifier: Apache-2.0
"""A round in which clients do nothing: what the engine itself costs, against ``flwr run``.

Flower's own FedAvg, ten numbers, the same ClientApp, two workers of one core on both sides; seconds
of the rounds after the first, as the ServerApp sees them. Ours and theirs take turns.
"""

import time
from collections.abc import Mapping, Sequence

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
    ours, theirs = zip(*((_ours(), _theirs()) for _ in range(REPEATS)), strict=True)
    return [figure for clients in CLIENTS for figure in _figures(clients, ours, theirs)]


def _figures(
    clients: int,
    ours: Sequence[Mapping[tuple[int, int], np.ndarray]],
    theirs: Sequence[Mapping[int, np.ndarray]],
) -> list[Figure]:
    title = f"empty round, {clients} clients"
    slow = [one[clients] for one in theirs]
    blocks, calls = ([one[clients, n] for one in ours] for n in (block_of(clients), 1))
    target = TARGET if clients == max(CLIENTS) else None
    return [
        *compared(title, slow, blocks, target),
        *compared(f"{title}, a call for each", slow, calls, None)[1:],
    ]


def _theirs() -> dict[int, np.ndarray]:
    """Seconds of the rounds after the first, by clients."""
    configs = {n: {"task": EMPTY, "clients": n, "rounds": ROUNDS} for n in CLIENTS}
    return {n: flower_rounds(CLIENT, config).later_s for n, config in configs.items()}


def _ours() -> dict[tuple[int, int], np.ndarray]:
    """The same by clients, and how many of them are asked in one call."""
    sizes = [(n, block) for n in CLIENTS for block in (block_of(n), 1)]
    with ray_runtime(None, WORKERS), identity(run_id=1):
        return {(n, block): _seconds(n, block) for n, block in sizes}


def _seconds(clients: int, block: int) -> np.ndarray:
    times_s: list[float] = []
    sites = RaySites(empty_answers, clients, WORKERS, block)
    fedavg(clients).start(
        SiteGrid(sites),
        to_record(initial({"task": EMPTY})),
        num_rounds=ROUNDS,
        evaluate_fn=lambda _, __: times_s.append(time.perf_counter()),
    )
    sites.close()
    return np.diff(times_s)[1:]
