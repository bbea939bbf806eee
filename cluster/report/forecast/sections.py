# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``forecast`` run in their order, each with the sentence that explains it."""

from pathlib import Path

from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.forecast.charts import task_charts
from cluster.report.forecast.headline import headline, memory_words, of_task
from cluster.report.forecast.pictures import pictures
from cluster.report.forecast.results import ForecastRun, read_forecast
from cluster.report.forecast.summary import Summary, snapshots, summarise
from cluster.report.forecast.tables import summary_table, training_table
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import provenance
from cluster.report.wording import counted, number

COMPARED = (
    "Medians over seeds; bands (for up to five models), bars and small print span the least to the "
    "greatest seed. Dashed and "
    "grey: predictors without training, which fit nothing (persistence, order_blind), one number "
    "(mean) or a line (ar: least squares on the last four inputs; for recall on those after the "
    "recalled one, if fewer). Losses are those of the weights at the end of an epoch."
)
TABLE = (
    "Mean squared error on the test part: median over seeds, below it the least and the greatest "
    "seed. Best checkpoint: the test loss of the weights with the least training loss. Circuits: "
    "evaluated forwards in one training, by simulation. A training that diverged counts as "
    "infinitely bad, one that failed does not count. Bold: the least median of the task."
)
PICTURES = (
    "Coloured: what the model said with its last weights; grey: the truth. Of each model the seed "
    "with the median test loss is drawn. Shaded: the test part, later in time, which no model saw "
    "in training."
)


def forecast_content(folder: Path) -> Content:
    """The page of a ``forecast`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_forecast(folder)
    summaries = summarise(run)
    title, support = headline(summaries)
    shown = [
        _compared(run, summaries),
        _table(run, summaries),
        *_pictures(run),
        section("Where this comes from", "", provenance(run.manifest)),
    ]
    return Content(run.manifest, run.name, title, support, _tiles(summaries), shown)


def _tiles(summaries: list[Summary]) -> Markup:
    trained = [s for s in summaries if not s.is_trivial]
    statuses = [t.status for s in trained for t in s.trainings]
    circuits = sum(t.circuits or 0 for s in trained for t in s.trainings)
    tasks, models = {s.task for s in summaries}, {s.model for s in trained}
    counts = [(len(tasks), "task"), (len(models), "model"), (len(statuses), "training")]
    shown = [(str(count), word if count == 1 else f"{word}s") for count, word in counts]
    ends = [(statuses.count("diverged"), "diverged"), (circuits, "circuits evaluated")]
    return tile_row([*shown, *((number(count, 0), words) for count, words in ends)])


def _epochs(run: ForecastRun) -> tuple[int, ...]:
    """The epochs to report; of the configuration, since trainings may have ended early."""
    wanted = run.manifest.config.get("epochs")
    return snapshots(wanted if isinstance(wanted, int) and wanted >= 1 else 1)


def _compared(run: ForecastRun, summaries: list[Summary]) -> Markup:
    epochs = _epochs(run)
    if not run.trainings:
        return section("Models compared", "The run has no results yet.")
    tasks = dict.fromkeys(s.task for s in summaries)
    missing = run.curves.reason if isinstance(run.curves, Missing) else ""
    note = f"{COMPARED} No learning curves: {missing}." if missing else COMPARED
    return section("Models compared", note, *(_task(summaries, t, epochs) for t in tasks))


def _task(summaries: list[Summary], task: str, epochs: tuple[int, ...]) -> Markup:
    words = memory_words(of_task(summaries, task))
    told = element("p", words, class_="callout") if words else ""
    return element("div", task_charts(summaries, task, epochs), told, class_="task")


def _table(run: ForecastRun, summaries: list[Summary]) -> Markup:
    if not run.trainings:
        return markup()
    every = element(
        "details",
        element("summary", f"Every training ({counted(len(run.trainings), 'row')})"),
        training_table(run.trainings),
    )
    return section("Results", TABLE, summary_table(summaries, _epochs(run)), every)


def _pictures(run: ForecastRun) -> list[Markup]:
    title = "Forecasts against the truth"
    if isinstance(run.pictures, Missing):
        return [left_out(title, run.pictures)]
    drawn = [
        element("div", element("h3", p.task), pictures(p), class_="task")
        for p in run.pictures
        if p.rows and p.truth
    ]
    return [section(title, PICTURES, *drawn)] if drawn else []
