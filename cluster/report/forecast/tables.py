# SPDX-License-Identifier: Apache-2.0
"""Losses by epoch, task by task, and the table of every training."""

import math

from cluster.report.forecast.headline import best_trained, best_trivial, of_task
from cluster.report.forecast.results import Training
from cluster.report.forecast.summary import Summary
from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean
from cluster.report.tables import name_cell, row, status_chip, table, titled_group
from cluster.report.wording import MISSING, duration, loss_words, number

BEFORE = ("model", "parameters")
AFTER = ("best checkpoint", "train, at the end", "circuits", "time", "seeds")
TRAINED = "trained"
EVERY_HEAD = (
    *("task", "model", "seed", "train MSE", "test MSE", "test MSE, best checkpoint"),
    *("time", "status"),
)


def summary_table(summaries: list[Summary], epochs: tuple[int, ...]) -> Markup:
    """One group of rows per task; bold is the least median test loss, trivial ones included."""
    head = (*BEFORE, *(f"test, epoch\u00a0{epoch}" for epoch in epochs), *AFTER)
    tasks = dict.fromkeys(s.task for s in summaries)
    return table(head, *(_group(head, task, summaries, epochs) for task in tasks))


def _group(
    head: tuple[str, ...], task: str, summaries: list[Summary], epochs: tuple[int, ...]
) -> Markup:
    own = of_task(summaries, task)
    ends = [s for s in (best_trained(own), best_trivial(own)) if s is not None]
    best = min(ends, key=lambda s: s.loss, default=None)
    names = [s.model for s in own]
    rows = [row(head, _cells(s, epochs, names), "best" if s is best else None) for s in own]
    return titled_group(head, task, rows)


def _cells(summary: Summary, epochs: tuple[int, ...], names: list[str]) -> list[str]:
    return [
        name_cell(summary.model, names),
        MISSING if summary.parameters is None else str(summary.parameters),
        *(_loss_at(summary, epoch, epoch == epochs[-1]) for epoch in epochs),
        MISSING if summary.is_trivial else _median(summary.best_test),
        loss_words(summary.train.value if summary.train else None),
        number(summary.circuits, 0) if summary.circuits else MISSING,
        duration(summary.seconds.value) if summary.seconds else MISSING,
        _seeds(summary),
    ]


def _seeds(summary: Summary) -> Markup:
    """How many, and how many of those came to no good end."""
    if summary.is_trivial:
        return markup(MISSING)
    chips = [status_chip(s, n) for s, n in summary.statuses.items() if s != TRAINED]
    return markup(*chips, str(len(summary.trainings)))


def _loss_at(summary: Summary, epoch: int, last: bool) -> Markup:
    """A predictor without training has one loss, which stands under the last epoch."""
    if last:
        return _median(summary.test)
    return _median(next((mean for count, mean in summary.curve if count == epoch), None))


def _median(median: Mean | None) -> Markup:
    """The median, and below it in small print the least and the greatest value."""
    if median is None:
        return markup(MISSING)
    if math.isinf(median.value):
        return markup("diverged")
    value = markup(loss_words(median.value))
    if not median.has_interval:
        return value
    ends = f"{loss_words(median.low)} … {loss_words(median.high)}"
    return markup(value, element("span", ends, class_="range"))


def training_table(trainings: list[Training]) -> Markup:
    """Every training, as in ``results.json``."""
    names = list(dict.fromkeys(t.model for t in trainings))
    return table(EVERY_HEAD, element("tbody", *(_training_row(t, names) for t in trainings)))


def _training_row(training: Training, names: list[str]) -> Markup:
    cells: list[str] = [
        training.task,
        name_cell(training.model, names),
        MISSING if training.seed is None else str(training.seed),
        loss_words(training.train_mse),
        loss_words(training.test_mse),
        loss_words(training.best_test_mse),
        duration(training.seconds),
        status_chip(training.status),
    ]
    return row(EVERY_HEAD, cells)
