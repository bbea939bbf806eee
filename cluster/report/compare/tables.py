# SPDX-License-Identifier: Apache-2.0
"""Returns by environment and policy, trivial rows below; scores over all; every training."""

from cluster.report.compare.results import Rows, Run, Trivial
from cluster.report.compare.standing import Scores, Standing
from cluster.report.compare.summary import Environment, Summary
from cluster.report.compare.words import ends_words, return_words
from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean
from cluster.report.tables import name_cell, row, status_chip, table, titled_group
from cluster.report.wording import MISSING, counted, duration, number, percent

HEAD = (
    *("policy", "parameters", "IQM", "median", "least to greatest"),
    *("drawn actions", "success", "solved", "steps per s", "seeds"),
)
SCORE_HEAD = ("policy", "memory", "IQM of the score", "optimality gap", "seeds in all")
SCALE_HEAD = ("env", "0 is random", "1 is", "reached by")
EVERY_HEAD = (
    *("env", "policy", "seed", "parameters", "steps", "greedy return", "drawn actions"),
    *("success", "episodes", "circuits", "steps per s", "time", "status"),
)


def environment_table(found: list[Environment]) -> Markup:
    """One group of rows per environment; bold is the highest interquartile mean of a policy."""
    return table(HEAD, *(_group(environment) for environment in found))


def _group(environment: Environment) -> Markup:
    best = next(iter(environment.ended), None)
    names = [s.policy for s in environment.summaries] + [t.policy for t in environment.trivials]
    rows = [row(HEAD, _cells(s, names), "best" if s is best else None)
            for s in environment.summaries]  # fmt: skip
    rows += [row(HEAD, _trivial_cells(trivial, names)) for trivial in environment.trivials]
    return titled_group(HEAD, environment.name, rows)


def _cells(summary: Summary, names: list[str]) -> list[str]:
    median = summary.median
    span = f"{return_words(median.low)} to {return_words(median.high)}" if median else MISSING
    total = len(summary.runs)
    chips = [status_chip(name, count) for name, count in summary.statuses.items()]
    return [
        markup(name_cell(summary.policy, names), _forgetful(summary.remembers)),
        number(summary.parameters, 0),
        with_ends(summary.iqm),
        return_words(median.value if median else None),
        span,
        return_words(summary.sampled),
        percent(summary.success),
        MISSING if summary.solved is None else f"{summary.solved} of {total}",
        number(summary.steps_per_s.value, 0) if summary.steps_per_s else MISSING,
        markup(*chips, str(total)),
    ]


def _forgetful(remembers: bool) -> Markup:
    return markup() if remembers else element("span", "no memory", class_="pm")


def _trivial_cells(trivial: Trivial, names: list[str]) -> list[str]:
    mean = Mean(trivial.mean, trivial.low, trivial.high, trivial.episodes)
    name = markup(name_cell(trivial.policy, names), element("span", trivial.label, class_="range"))
    value = markup(
        return_words(mean.value),
        element("span", ends_words(mean), class_="range"),
        element("span", f"mean of {counted(trivial.episodes, 'episode')}", class_="range"),
    )
    return [name, MISSING, value, *[MISSING] * (len(HEAD) - 3)]


def with_ends(mean: Mean | None) -> Markup:
    """The number, and below it in small print the ends of its interval."""
    if mean is None:
        return markup(MISSING)
    value = markup(return_words(mean.value))
    if not mean.is_drawable:
        return value
    return markup(value, element("span", ends_words(mean), class_="range"))


def score_table(found: Standing) -> Markup:
    """The policies over all environments, the highest score first."""
    names = [one.policy for one in found.policies]
    rows = [row(SCORE_HEAD, _score_cells(one, names)) for one in found.ranked]
    return table(SCORE_HEAD, element("tbody", *rows))


def _score_cells(one: Scores, names: list[str]) -> list[str]:
    return [
        name_cell(one.policy, names),
        "yes" if one.remembers else "no",
        with_ends(one.iqm),
        with_ends(one.gap),
        f"{len(one.seeds)}",
    ]


def scale_table(found: Standing) -> Markup:
    """What 0 and 1 are in each environment."""
    rows = [
        row(SCALE_HEAD, [e.name, return_words(e.scale.zero), return_words(e.scale.one), _source(e)])
        for e in found.environments
        if e.scale is not None
    ]
    return table(SCALE_HEAD, element("tbody", *rows))


def _source(environment: Environment) -> str:
    assert environment.scale is not None
    if environment.scale.is_optimum:
        return environment.scale.source
    return f"best known: {environment.scale.source}"


def run_table(rows: Rows) -> Markup:
    """Every training, as in ``results.json``."""
    names = list(dict.fromkeys(run.policy for run in rows.runs))
    return table(EVERY_HEAD, element("tbody", *(_run_row(run, names) for run in rows.runs)))


def _run_row(run: Run, names: list[str]) -> Markup:
    cells: list[str] = [
        run.env,
        name_cell(run.policy, names),
        str(run.seed),
        number(run.parameters, 0),
        number(run.steps, 0),
        return_words(run.greedy),
        return_words(run.sampled),
        percent(run.success),
        number(run.episodes, 0),
        number(run.circuits, 0) if run.circuits else MISSING,
        number(run.steps_per_s, 0),
        duration(run.seconds),
        status_chip(run.status),
    ]
    return row(EVERY_HEAD, cells)
