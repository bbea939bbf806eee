# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``train`` run in their order, each with the sentence that explains it."""

from base64 import b64encode
from pathlib import Path

from cluster.report.agent.charts import learning_chart, measure_charts
from cluster.report.agent.results import Look, TrainRun, read_train
from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.compare.results import Run
from cluster.report.compare.words import return_words
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element
from cluster.report.provenance import provenance
from cluster.report.tables import row, table
from cluster.report.wording import MISSING, counted, duration, number, percent

CURVE = (
    "The policy acts as it explores, with drawn actions; greedy actions are judged at the end. The "
    "first points favour short episodes. Of many updates each point is the mean of several."
)
MEASURES = (
    "Steps per second of all environments together, learning included. Lag: how many updates the "
    "learner was ahead of the weights that had acted; 0 in the synchronous mode."
)
EPISODE = "One episode of the final policy with greedy actions."
HEAD = ("policy", "greedy return", "drawn actions", "success", "episodes", "circuits", "time")


def train_content(folder: Path) -> Content:
    """The page of a ``train`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_train(folder)
    trained = run.rows.runs[0] if run.rows.runs else None
    shown = [
        _curve(run, trained),
        _episode(run.animation),
        _measures(run.looks),
        _result(trained),
        section("Where this comes from", "", provenance(run.manifest)),
    ]
    support = _support(run, trained) if trained else []
    return Content(run.manifest, run.name, _title(trained), support, _tiles(run, trained), shown)


def _title(run: Run | None) -> str:
    if run is None:
        return "The run has no results yet"
    if run.greedy is None:
        return f"{run.policy} on {run.env} ended without a return"
    after = f" after {number(run.steps, 0)} steps" if run.steps else ""
    return f"{run.policy} reaches {return_words(run.greedy)} on {run.env}{after}"


def _support(run: TrainRun, trained: Run) -> list[str]:
    told = []
    if trained.greedy is not None and trained.episodes:
        judged = counted(trained.episodes, "episode")
        drawn = (
            f"; drawn ones {return_words(trained.sampled)}" if trained.sampled is not None else ""
        )
        told.append(f"Greedy actions, mean over {judged}{drawn}.")
    if trained.diverged:
        told.append("The training diverged: a loss or a gradient was not finite.")
    if run.rows.trivials:
        reached = [f"{t.label} {return_words(t.mean)}" for t in run.rows.trivials]
        told.append(f"Without training: {', '.join(reached)}.")
    return [*told, "One training says nothing of other seeds."]


def _tiles(run: TrainRun, trained: Run | None) -> Markup:
    if trained is None:
        return tile_row([])
    looks = run.looks if isinstance(run.looks, list) else []
    shown = [
        (return_words(trained.greedy), "greedy return"),
        (number(trained.parameters, 0), "parameters"),
        (number(trained.steps, 0), "environment steps"),
        (number(trained.steps_per_s, 0), "steps per second"),
        (number(len(looks), 0), "updates shown") if looks else (MISSING, "updates"),
        (number(sum(look.broken or 0 for look in looks), 0), "broken episodes"),
    ]
    return tile_row(shown)


def _curve(run: TrainRun, trained: Run | None) -> Markup:
    title = "Learning curve"
    if isinstance(run.looks, Missing):
        return left_out(title, run.looks)
    if not any(look.mean_return is not None for look in run.looks):
        return left_out(title, Missing("no episode ended"))
    name = trained.policy if trained else "policy"
    chart = learning_chart(run.looks, run.rows.trivials, name)
    return section(title, CURVE, element("div", chart, class_="single"))


def _episode(animation: bytes | Missing) -> Markup:
    title = "The policy at work"
    if isinstance(animation, Missing):
        return left_out(title, animation)
    source = f"data:image/gif;base64,{b64encode(animation).decode()}"
    shown = element("img", src=source, alt="one episode of the final policy", class_="episode")
    return section(title, EPISODE, shown)


def _measures(looks: list[Look] | Missing) -> Markup:
    title = "Speed, lag and losses"
    if isinstance(looks, Missing):
        return left_out(title, looks)
    if not looks:
        return left_out(title, Missing("no update was made"))
    return section(title, MEASURES, measure_charts(looks))


def _result(run: Run | None) -> Markup:
    if run is None:
        return section("Result", "The run has no results yet.")
    cells: list[str] = [
        run.policy,
        return_words(run.greedy),
        return_words(run.sampled),
        percent(run.success),
        number(run.episodes, 0),
        number(run.circuits, 0) if run.circuits else MISSING,
        duration(run.seconds),
    ]
    return section("Result", "", table(HEAD, element("tbody", row(HEAD, cells))))
