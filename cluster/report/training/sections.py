# SPDX-License-Identifier: Apache-2.0
"""The page of ``train-coordinator``: what was learnt, what it is worth, what the latent does."""

from pathlib import Path

from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean
from cluster.report.provenance import provenance
from cluster.report.tables import row, table
from cluster.report.training.charts import curves
from cluster.report.training.results import Card, TrainingRun, read_training
from cluster.report.wording import counted, number, percent, with_interval

LEARNT, UNLEARNT = "gnn_vae", "insertion"
ONCE, UNTRAINED = "mean", "untrained_mean"
WORDS = {
    "fcfs": "first come first served",
    "arrival_rank": "robots inserted in the order of arrival, once",
    "insertion": "samples around the order of arrival",
    "untrained_mean": "before the first step: the mean of the latent, once",
    "untrained": "before the first step: samples around what mean and samples of the latent say",
    "mean": "the mean of the latent, once",
    "latents": "the mean and samples of the latent, each once",
    "mean_samples": "samples around what the mean of the latent says",
    "gnn_vae": "samples around what the mean and samples of the latent say",
}
NOTE = (
    "Means over held-out instances with their 95 % t-interval. Ratio: the cheapest cost that is "
    "known over the cost reached, 1 is best. First come first served is the floor under all. "
    "Gain: paired difference to insertion, sampling without learning. Methods that sample try "
    "equally many orders, and nobody climbs from the best of them, as the coordinators do. The "
    "weights were chosen by these very instances, which flatters the model a little."
)
CURVE = (
    "Held-out instances are decoded at every look, with the same noise; training stops when this "
    "does not improve, and the weights of the best look are kept. Losses are means over the steps "
    "since the look before."
)


def training_content(folder: Path) -> Content:
    """The page of a ``train-coordinator`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_training(folder)
    shown = [
        _curve(run),
        _methods(run),
        _latent(run),
        section("Where this comes from", "", _command(run), provenance(run.manifest)),
    ]
    return Content(run.manifest, run.name, _title(run), _support(run), _tiles(run), shown)


def _title(run: TrainingRun) -> str:
    reached, before = run.ratio(ONCE), run.ratio(UNTRAINED)
    if reached is None or before is None:
        return "The run has no results yet"
    verb = "improved from" if reached.value > before.value else "did not improve from"
    return f"Held-out ratio {number(reached.value, 3)}, {verb} {number(before.value, 3)}"


def _support(run: TrainingRun) -> list[str]:
    told = ["This is one order that the model says, without samples."]
    told.append(_learning_words(run.gain(LEARNT, UNLEARNT)))
    told.append(_training_words(run.gain(LEARNT, "untrained")))
    told.append(_latent_words(run.gain(LEARNT, "mean_samples")))
    return [text for text in told if text]


def _learning_words(gain: Mean | None) -> str:
    return _words("Against as many samples without learning, the model", gain)


def _training_words(gain: Mean | None) -> str:
    return _words("Against as many samples before the first step, training", gain)


def _latent_words(gain: Mean | None) -> str:
    return _words("Samples of the latent, against its mean alone with as many tries,", gain)


def _words(subject: str, gain: Mean | None) -> str:
    """What a paired difference says, no more than its interval allows."""
    if gain is None:
        return ""
    size = number(abs(gain.value), 4)
    if gain.is_drawable and gain.low > 0:
        return f"{subject} gained {size} of the ratio."
    if gain.is_drawable and gain.high < 0:
        return f"{subject} lost {size} of the ratio."
    return f"{subject} brought nothing that these instances could show."


def _tiles(run: TrainingRun) -> Markup:
    shown = [(str(len({row.instance for row in run.rows})), "held-out instances")]
    if isinstance(run.card, Card):
        shown += [
            (number(run.card.learnt_from, 0), "instances learnt from"),
            (number(run.card.parameters, 0), "weights"),
            (number(run.card.best_step, 0), "steps to the best"),
        ]
    return tile_row(shown)


def _curve(run: TrainingRun) -> Markup:
    title = "Learning curve"
    if isinstance(run.curve, Missing):
        return left_out(title, run.curve)
    if not run.curve:
        return left_out(title, Missing("no look was taken"))
    return section(title, CURVE, curves(run, run.curve))


def _methods(run: TrainingRun) -> Markup:
    head = ("method", "what it does", "ratio", "gain")
    rows = [
        row(head, [name, WORDS.get(name, ""), with_interval(run.ratio(name), 4), _gain(run, name)])
        for name in run.methods
    ]
    return section("What learning brings", NOTE, table(head, element("tbody", *rows)))


def _gain(run: TrainingRun, method: str) -> Markup:
    return with_interval(None if method == UNLEARNT else run.gain(method, UNLEARNT), 4)


def _latent(run: TrainingRun) -> Markup:
    title = "Is the latent alive?"
    if isinstance(run.card, Missing):
        return left_out(title, run.card)
    card = run.card
    warned = [element("p", f"Warning: {text}", class_="callout") for text in card.warnings]
    note = (
        f"Before training: the labels of an instance support {number(card.useful, 1)} numbers of "
        f"the latent on average at this weight of the divergence (an upper bound for a linear "
        f"model). With the best weights: {card.active} of {counted(len(card.kl), 'number')} vary "
        f"with the instance, {number(sum(card.kl), 2)} nats of divergence in all; from latent to "
        f"latent the logit of a conflict's order moves by {percent(card.sensitivity, 1)} of the "
        f"spread between conflicts. {'The latent is dead.' if card.dead else ''}"
    )
    return section(title, note, markup(*warned))


def _command(run: TrainingRun) -> Markup:
    if isinstance(run.card, Missing):
        return markup()
    command = element("pre", run.card.command)
    return markup(command, element("p", f"Weights: SHA-256 {run.card.digest}", class_="note"))
