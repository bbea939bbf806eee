# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``compare`` run in their order, each with the sentence that explains it."""

from pathlib import Path

from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.compare.charts import environment_charts, standing_charts
from cluster.report.compare.environment_words import environment_words
from cluster.report.compare.headline import headline
from cluster.report.compare.odds import odds_table
from cluster.report.compare.results import TRAINED, CompareRun, Rows, read_compare
from cluster.report.compare.standing import Standing, standing
from cluster.report.compare.summary import SOLVED, Environment, environments
from cluster.report.compare.tables import environment_table, run_table, scale_table, score_table
from cluster.report.compare.words import listed
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import provenance
from cluster.report.wording import counted, number, percent

TOGETHER = (
    "A score is the share of the way from what random actions reach (0) to the optimum, or where "
    "it is not known to the best that anybody reached (1). IQM, the interquartile mean: the mean "
    "of the middle half of all scores. Optimality gap: by how much scores fall short of 1 on "
    "average. Intervals: 95 %, seeds drawn again within each environment (stratified bootstrap, "
    "2\u2009000 resamples); percentiles of 10 seeds cover about 93 %, of 5 about 90 %, of 3 about "
    "86 %. Bands are drawn for up to five policies."
)
ODDS = (
    "The probability that a seed of the policy on the left has a higher return than a seed of the "
    "policy above, in the same environment; ties count half. Small print: the 95 % interval. "
    "Coloured: the interval leaves out one half. Where nothing differs, still about one pair in "
    "twenty is coloured by chance."
)
EACH = (
    "Left: the mean return of the episodes that ended since the point before, as the policies "
    "acted while they learnt; the first points favour short episodes. Interquartile mean over "
    "seeds with its 95 % interval. Right: greedy actions at the end, one dot per seed, on top the "
    "interquartile mean and its interval. Dashed and grey: what needs no training."
)
TABLE = (
    "Returns of greedy actions at the end of the training; drawn actions: those of the policy as "
    f"it explores. Solved: seeds that came {percent(SOLVED)} of the way from random to the "
    "optimum; where no optimum is known there is no such number. Steps per second of one "
    "training, median over seeds. A training that diverged has no policy to judge and counts as "
    "random actions, one that failed does not count. Bold: the highest interquartile mean of the "
    "environment. Rows below: what needs no training, a mean over episodes."
)


def compare_content(folder: Path) -> Content:
    """The page of a ``compare`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_compare(folder)
    found = environments(run.rows)
    together = standing(found)
    title, support = headline(found, together)
    shown = [
        _together(together),
        _odds(together),
        _each(run, found),
        _table(run.rows, found),
        section("Where this comes from", "", provenance(run.manifest)),
    ]
    return Content(run.manifest, run.name, title, support, _tiles(run.rows), shown)


def _tiles(rows: Rows) -> Markup:
    runs = rows.runs
    counts = [
        (len({r.env for r in runs} | {t.env for t in rows.trivials}), "environment"),
        (len({r.policy for r in runs}), "policy"),
        (len({r.seed for r in runs}), "seed"),
        (len(runs), "training"),
    ]
    plurals = {"policy": "policies"}
    shown = [(str(n), word if n == 1 else plurals.get(word, f"{word}s")) for n, word in counts]
    steps = sum(r.steps or 0 for r in runs)
    shown.append((number(steps, 0), "environment steps"))
    bad = sum(r.status != TRAINED for r in runs)
    return tile_row([*shown, (str(bad), "diverged or failed")])


def _together(together: Standing) -> Markup:
    alone = len(together.environments) == 1
    title = "From random to the best" if alone else "All environments together"
    if not together.policies:
        return left_out(title, Missing("no environment has random actions and a better return"))
    scales = element(
        "details", element("summary", "What 0 and 1 are, by environment"), scale_table(together)
    )
    note = " ".join([TOGETHER, *_gaps(together)])
    return section(title, note, standing_charts(together), score_table(together), scales)


def _gaps(together: Standing) -> list[str]:
    """What does not count, and why."""
    told = []
    if together.left_out:
        names = listed(together.left_out)
        told.append(f"Left out, for nobody is clearly above random there: {names}.")
    if together.absent:
        told.append(f"Left out, for no seed ended in all environments: {listed(together.absent)}.")
    expected = {one.policy: len(one.scores) * len(together.environments) for one in
                together.policies}  # fmt: skip
    fewer = [one.policy for one in together.policies if one.runs > expected[one.policy]]
    if fewer:
        told.append(f"Of {listed(fewer)} only the seeds count that ended in all environments.")
    return told


def _odds(together: Standing) -> Markup:
    if len(together.policies) < 2:
        return markup()
    return section("Who beats whom", ODDS, odds_table(together))


def _each(run: CompareRun, found: list[Environment]) -> Markup:
    title = "Environment by environment"
    if not found:
        return section(title, "The run has no results yet.")
    missing = run.curves.reason if isinstance(run.curves, Missing) else ""
    note = f"{EACH} No learning curves: {missing}." if missing else EACH
    curves = run.curves if isinstance(run.curves, list) else []
    drawn = [
        element(
            "div",
            environment_charts(environment, curves),
            _told(environment) if len(found) > 1 else "",
            class_="task",
        )
        for environment in found
    ]
    return section(title, note, *drawn)


def _told(environment: Environment) -> Markup:
    return element("p", " ".join(environment_words(environment)), class_="callout")


def _table(rows: Rows, found: list[Environment]) -> Markup:
    if not found:
        return markup()
    every = element(
        "details",
        element("summary", f"Every training ({counted(len(rows.runs), 'row')})"),
        run_table(rows),
    )
    return section("Results", TABLE, environment_table(found), every)
