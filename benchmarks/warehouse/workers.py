# SPDX-License-Identifier: Apache-2.0
"""Two workers beside one: the same worlds, on the clock of the wall.

What a run takes beyond one that is as short as can be (imports, Ray, compiled code, the report) is
compared; runs of one and two workers take turns. ``machine`` is what two processes that share
nothing, and only count, are worth beside one: no program can do better here.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime

from benchmarks.warehouse.living import Record, simulate

WORLDS, LONG_TICKS, SHORT_TICKS, ROUNDS = 16, 6000, 30, 3
COMMON = f"--robots 100 --controller pibt --worlds {WORLDS} --film-ticks 0"
TARGET = 1.8
COUNT, PIECES = 10_000_000, 16


def measure() -> list[Record]:
    """One record per round."""
    rounds = []
    for number in range(ROUNDS):
        one, two = (_living_s(number, workers) for workers in (1, 2))
        rounds.append(
            {
                "round": number,
                "one_worker_s": one,
                "two_workers_s": two,
                "ratio": one / two,
                "machine": _counting_s(1) / _counting_s(2),
            }
        )
    return rounds


def _counting_s(processes: int) -> float:
    """Seconds for so much counting, by so many processes."""
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_count, [1] * processes))  # they are there now
        started_s = time.perf_counter()
        list(pool.map(_count, [COUNT] * PIECES))
        return time.perf_counter() - started_s


def _count(most: int) -> int:
    total = 0
    for number in range(most):
        total += number & 1
    return total


def _living_s(number: int, workers: int) -> float:
    """Seconds that a long run takes beyond a short one."""
    short, long = (_wall_s(number, workers, ticks) for ticks in (SHORT_TICKS, LONG_TICKS))
    return long - short


def _wall_s(number: int, workers: int, ticks: int) -> float:
    name = f"bench-workers-{datetime.now():%m%d-%H%M%S}-{ticks}-{workers}"
    started_s = time.perf_counter()
    simulate(name, f"{COMMON} --ticks {ticks} --workers {workers} --seed {number}")
    return time.perf_counter() - started_s


def targets(records: list[Record]) -> dict[str, bool]:
    """What was asked for, and whether the records show it."""
    ratios = sorted(row["ratio"] for row in records)
    return {f"two workers at least {TARGET} times one": ratios[len(ratios) // 2] >= TARGET}
