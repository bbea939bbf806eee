# SPDX-License-Identifier: Apache-2.0
"""Rolling coordination beside PIBT under delays: 200 robots, 100,000 ticks, five seeds.

On ``warehouse-10-20-10-2-1.map``, robots that slide, a tenth of all ticks lost to delays of mean
length 5, with Hurst index 0.5 (no memory) and 0.8 (long memory). All controllers meet the same
starts, orders and delays. Hours; what is done is kept.
"""

from collections.abc import Sequence
from statistics import fmean

from scipy import stats

from benchmarks.warehouse.living import Record, data, simulate

HURST = (0.5, 0.8)
CONTROLLERS = ("pibt", "coordinated:dive")
SEEDS, TICKS = 5, 100_000


def measure(ticks: int = TICKS) -> list[Record]:
    """One record per Hurst index and controller."""
    floor = data("maps/warehouse-10-20-10-2-1.map")
    rows = []
    for hurst in HURST:
        for controller in CONTROLLERS:
            options = (
                f"--map {floor} --robots 200 --controller {controller} --ticks {ticks} "
                f"--worlds {SEEDS} --workers 0 --seed 0 --delays.kind fractional "
                f"--delays.share 0.1 --delays.hurst {hurst} --dispatch.every-ticks 5 "
                "--dispatch.no-change --rolling.window.iterations 50 "
                "--rolling.coordinator-steps 1 --checkpoint-ticks 5000 --film-ticks 0"
            )
            name = f"bench-coordination-{hurst}-{controller.replace(':', '-')}"
            rows.append(_summary(hurst, controller, simulate(name, options)))
    return rows


def _summary(hurst: float, controller: str, worlds: Sequence[Record]) -> Record:
    rates = [world["orders_per_tick"] for world in worlds]
    half = stats.sem(rates) * stats.t.ppf(0.975, len(rates) - 1)
    return {
        "hurst": hurst,
        "controller": controller,
        "orders_per_tick": fmean(rates),
        "plus_minus_95": float(half),
        "service_ticks": fmean(world["service_ticks_mean"] for world in worlds),
        "waiting_share": fmean(world["waiting_share"] + world["refused_share"] for world in worlds),
        "deadlocks": sum(world["deadlocked"] for world in worlds),
        "longest_still_ticks": max(world["longest_still_ticks"] for world in worlds),
        "longest_without_errand_ticks": max(w["longest_without_errand_ticks"] for w in worlds),
        "improved_share": worlds[0]["improved_share"],
        "decision_ms_per_tick": fmean(world["decision_ms_mean"] for world in worlds),
    }


def targets(records: list[Record]) -> dict[str, bool]:
    """What was asked for, and whether the records show it."""
    found = {}
    for hurst in HURST:
        pibt, ours = (row for row in records if row["hurst"] == hurst)
        better = ours["orders_per_tick"] >= pibt["orders_per_tick"]
        found[f"throughput at or above PIBT's, Hurst {hurst}"] = better
        found[f"no deadlock, Hurst {hurst}"] = ours["deadlocks"] == 0
    return found
