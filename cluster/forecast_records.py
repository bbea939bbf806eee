# SPDX-License-Identifier: Apache-2.0
"""From single trainings to the documents that compare them, and the table on the console."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median_low
from typing import Any

from rich.table import Table

from agents.forecasting.series import Task
from cluster.records import FAILED
from cluster.report.means import median_of
from cluster.report.wording import loss_words
from cluster.trials import Record, Trial

FIELDS = (
    *("task", "model", "seed", "parameters", "status", "train_mse", "test_mse"),
    *("best_epoch", "best_train_mse", "best_test_mse", "circuits", "seconds"),
)
Keyed = tuple[str, Record]
"""A record with the key of its trial."""
ReadArrays = Callable[[str], Mapping[str, Any]]
"""The arrays of a trial by its key."""


def final_records(trials: Sequence[Trial], done: Mapping[str, Record]) -> list[Record]:
    """The rows of ``results.json``, in the order of the trials.

    Args:
        trials: all of the run.
        done: records by key; a trial that is not there has failed.
    """
    return [done.get(trial.key) or _failed(trial) for trial in trials]


def curves_document(trials: Sequence[Trial], records: Sequence[Record], read: ReadArrays) -> Any:
    """The JSON object ``artefacts/curves.json``: losses after every epoch of every training."""
    rows = []
    for trial, record in zip(trials, records, strict=True):
        if record["seed"] is None or record["status"] == FAILED:
            continue
        arrays = read(trial.key)
        named = {name: record[name] for name in ("task", "model", "seed")}
        rows.append({**named, **{n: _short(arrays[n]) for n in ("train_mse", "test_mse")}})
    return {"rows": rows}


def predictions_document(
    trials: Sequence[Trial],
    records: Sequence[Record],
    tasks: Mapping[str, Task],
    read: ReadArrays,
) -> Any:
    """The JSON object ``artefacts/predictions.json``: per model, the seed of its median test loss.

    With an even number of seeds it is the better one of the middle two.
    """
    pairs = zip(trials, records, strict=True)
    ended = [(trial.key, r) for trial, r in pairs if r["test_mse"] is not None]
    return {"tasks": [_picture(name, task, ended, read) for name, task in tasks.items()]}


def _picture(name: str, task: Task, ended: Sequence[Keyed], read: ReadArrays) -> Record:
    own = [(key, record) for key, record in ended if record["task"] == name]
    rows = []
    for model in dict.fromkeys(record["model"] for _, record in own):
        key, record = _middle([pair for pair in own if pair[1]["model"] == model])
        named = {field: record[field] for field in ("model", "seed", "test_mse")}
        rows.append({**named, "values": _short(read(key)["predictions"])})
    truth = _short(task.targets)
    return {"task": name, "train": task.num_train, "truth": truth, "rows": rows}


def _middle(pairs: Sequence[Keyed]) -> Keyed:
    chosen = median_low(record["test_mse"] for _, record in pairs)
    return next(pair for pair in pairs if pair[1]["test_mse"] == chosen)


def trained(record: Record) -> str:
    """A record in a few words."""
    return f"test MSE {loss_words(record['test_mse'])}, {record['status']}"


def results_table(records: Sequence[Record]) -> Table:
    """One row per task and model: median and range of the last test losses over the seeds."""
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "model"):
        table.add_column(heading)
    for heading in ("parameters", "test MSE", "least", "greatest", "train MSE", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("status")
    for task, model in dict.fromkeys((r["task"], r["model"]) for r in records):
        rows = [r for r in records if (r["task"], r["model"]) == (task, model)]
        table.add_row(task, model, *_summary(rows))
    return table


def _summary(rows: Sequence[Record]) -> tuple[str, ...]:
    ended = [r for r in rows if r["status"] != FAILED]
    test = median_of([_or_infinite(r["test_mse"]) for r in ended])
    train = median_of([_or_infinite(r["train_mse"]) for r in ended])
    seconds = [r["seconds"] for r in rows if r["seconds"] is not None]
    counts = {s: sum(r["status"] == s for r in rows) for s in sorted({r["status"] for r in rows})}
    parameters = next((r["parameters"] for r in rows if r["parameters"] is not None), None)
    return (
        "–" if parameters is None else str(parameters),
        *(loss_words(loss) for loss in ((test.value, test.low, test.high) if test else [None] * 3)),
        loss_words(train.value if train else None),
        f"{sum(seconds) / len(seconds):.1f}" if seconds else "–",
        ", ".join(f"{count} {status}" for status, count in counts.items()),
    )


def _failed(trial: Trial) -> Record:
    known = {name: trial.arguments.get(name) for name in ("model", "seed")}
    task = trial.key.partition("/")[0]
    record = {"task": task, "model": str(known["model"]), "seed": known["seed"], "status": FAILED}
    return {name: record.get(name) for name in FIELDS}


def _short(values: Any) -> list[float]:
    """Five figures are enough to draw."""
    return [float(f"{value:.5g}") for value in values]


def _or_infinite(loss: float | None) -> float:
    """A training that ended without a loss is worse than all that have one."""
    return math.inf if loss is None else loss
