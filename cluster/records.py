# SPDX-License-Identifier: Apache-2.0
"""From the records of single trials to the documents that compare them."""

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.trials import Record, Trial
from sim.delays import DelayModel, DelayOptions

DECIMALS = 6
FAILED = "failed"
"""Status of a trial without a result."""


def final_records(trials: Sequence[Trial], done: Mapping[str, Record]) -> list[Record]:
    """The rows of ``results.json``, in the order of the trials; compares within each instance.

    Args:
        trials: all of the run.
        done: records by key; a trial that is not there has failed.
    """
    rows = [done.get(trial.key) or _failed(trial) for trial in trials]
    return [_compared(row, [r for r in rows if r["instance"] == row["instance"]]) for row in rows]


def execution_document(
    trials: Sequence[Trial], done: Mapping[str, Record], model: DelayModel, samples: int
) -> dict[str, Any]:
    """The JSON object ``artefacts/execution.json``: every schedule under the same delays."""
    records = [done[trial.key] for trial in trials if trial.key in done]
    heads = ("coordinator", "instance", "robots")
    rows = [{**{h: r[h] for h in heads}, **r["execution"]} for r in records if "execution" in r]
    return {"samples": samples, "delay_model": describe(model), "rows": rows}


def describe(model: DelayModel) -> str:
    """A delay model in words."""
    if isinstance(model, DelayOptions):
        return (
            f"cells take their nominal time within {model.slow_spread:.0%}; robots stop in "
            f"{model.stop_probability:.0%} of the cells for {model.stop_mean_s:g} s on average"
        )
    return (
        f"League of Robot Runners: {model.event_model} delays with p = {model.p_delay:g} per tick "
        f"of {model.tick_ms} ms, {model.min_delay_ticks} to {model.max_delay_ticks} ticks long"
    )


def _failed(trial: Trial) -> Record:
    return {
        "instance": trial.arguments["instance"],
        "robots": trial.arguments["robots"],
        "coordinator": str(trial.arguments["coordinator"]),
        "cost": None,
        "bound": None,
        "seconds": None,
        "certified": False,
        "status": FAILED,
    }


def _compared(row: Record, rows_of_instance: Sequence[Record]) -> Record:
    best = min((r["cost"] for r in rows_of_instance if r["cost"] is not None), default=None)
    bound = max((r["bound"] for r in rows_of_instance if r["bound"] is not None), default=None)
    cost = row["cost"]
    return {
        "instance": row["instance"],
        "robots": row["robots"],
        "coordinator": row["coordinator"],
        "cost": cost,
        "best_known": best,
        "ratio": _ratio(best, cost),
        "bound": bound,
        "gap": _gap(bound, cost),
        "seconds": row["seconds"],
        "certified": row["certified"],
        "status": row["status"],
        "own_cost": row.get("own_cost"),
    }


def _ratio(best: float | None, cost: float | None) -> float | None:
    """1 for the best known; also where it costs nothing, as when nobody is delayed."""
    if best is None or cost is None:
        return None
    return round(best / cost, DECIMALS) if cost else 1.0


def _gap(bound: float | None, cost: float | None) -> float | None:
    """0 when proven optimal."""
    if bound is None or cost is None:
        return None
    return round(max(cost - bound, 0.0) / cost, DECIMALS) if cost else 0.0
