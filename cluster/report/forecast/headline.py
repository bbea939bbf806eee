# SPDX-License-Identifier: Apache-2.0
"""The result in words, no stronger than the data; the trivial predictors always have their say."""

import math

from cluster.report.forecast.summary import Summary
from cluster.report.wording import capitalised, counted, loss_words, number

SPOKEN = {
    "mean": "the mean of the training part",
    "persistence": "the last input once more",
    "order_blind": "the order-blind optimum",
}
SOLVED, CLEAR = 0.1, 0.9
"""Losses below these shares of the order-blind one show that the order is remembered, and that
something of it is; between the second and one it may be the luck of a small test part."""
ADDITIVE = ("qfwp", "fwp")
"""Models that are blind to the order of the past by theorem."""


def headline(summaries: list[Summary]) -> tuple[str, list[str]]:
    """The title sentence, and a sentence for each task."""
    tasks = [of_task(summaries, task) for task in dict.fromkeys(s.task for s in summaries)]
    if not any(best_trained(task) for task in tasks):
        tried = any(not s.is_trivial for s in summaries)
        title = "No training ended with a finite loss" if tried else "No model was trained"
        return title, [_trivial_only(task) for task in tasks]
    return _title(tasks), [_support(task) for task in tasks]


def of_task(summaries: list[Summary], task: str) -> list[Summary]:
    """The summaries of one task."""
    return [s for s in summaries if s.task == task]


def best_trained(task: list[Summary]) -> Summary | None:
    """The trained model with the least median test loss, if any has a finite one."""
    ended = [s for s in task if not s.is_trivial and math.isfinite(s.loss)]
    return min(ended, key=lambda s: s.loss, default=None)


def best_trivial(task: list[Summary]) -> Summary | None:
    """The predictor without training with the least test loss."""
    return min((s for s in task if s.is_trivial), key=lambda s: s.loss, default=None)


def _spoken(trivial: Summary) -> str:
    """A predictor as it reads in a sentence; a line has one number more than inputs."""
    if trivial.model == "ar" and trivial.parameters is not None:
        return f"a linear fit of the last {counted(trivial.parameters - 1, 'input')}"
    return SPOKEN.get(trivial.model, trivial.model)


def times(factor: float) -> str:
    """A factor as it reads in a sentence."""
    return f"{number(factor, 1 if factor < 10 else 0)} times"


def _title(tasks: list[list[Summary]]) -> str:
    if len(tasks) == 1:
        return _single_title(tasks[0])
    lost = [task[0].task for task in tasks if _is_beaten(task)]
    if not lost:
        return f"On all {len(tasks)} tasks the best model is ahead of every trivial predictor"
    of = f"{len(lost)} of {len(tasks)} tasks" if len(lost) < len(tasks) else "all tasks"
    return f"On {of} no trained model reaches a predictor that needs no training"


def _single_title(task: list[Summary]) -> str:
    best, trivial = best_trained(task), best_trivial(task)
    assert best is not None
    if trivial is None or not _is_beaten(task):
        return f"On {best.task} the best model is {best.model}, ahead of every trivial predictor"
    less = f"{times(best.loss / trivial.loss)} less" if trivial.loss > 0 else "no"
    name = _spoken(trivial)
    return f"On {best.task} {name} has {less} error than the best trained model, {best.model}"


def _is_beaten(task: list[Summary]) -> bool:
    best, trivial = best_trained(task), best_trivial(task)
    return best is None or (trivial is not None and trivial.loss <= best.loss)


def _support(task: list[Summary]) -> str:
    best = best_trained(task)
    if best is None or best.test is None:
        return _trivial_only(task)
    others = [s for s in task if not s.is_trivial]
    seeds = counted(best.test.n, "seed")
    ends = f", {loss_words(best.test.low)} to {loss_words(best.test.high)}"
    spread = f" over {seeds}{ends if best.test.has_interval else ''}"
    of = f"has the least test MSE of {len(others)} models" if len(others) > 1 else "has a test MSE"
    first = f"On {best.task} {best.model} {of}, median {loss_words(best.loss)}{spread}"
    return f"{first}{_rivals(best, others)}. {_against_trivial(best, task)}"


def _rivals(best: Summary, others: list[Summary]) -> str:
    """Whose seeds reach into the range of the best: with them the order may be chance."""
    assert best.test is not None
    near = [o.model for o in others if o is not best and o.test and o.test.low <= best.test.high]
    if not near or best.test.n < 2:
        return ""
    return f"; the range of {_listed(near)} overlaps with it"


def _against_trivial(best: Summary, task: list[Summary]) -> str:
    trivial = best_trivial(task)
    if trivial is None:
        return ""
    name = capitalised(_spoken(trivial))
    reached = f"{name} reaches {loss_words(trivial.loss)}"
    if trivial.loss > best.loss > 0:
        return f"{reached}, {times(trivial.loss / best.loss)} as much."
    return f"{reached}, {times(best.loss / trivial.loss)} less." if trivial.loss else f"{reached}."


def _trivial_only(task: list[Summary]) -> str:
    trivial = best_trivial(task)
    if trivial is None:
        return ""
    words = _spoken(trivial)
    return f"On {trivial.task} {words} reaches a test MSE of {loss_words(trivial.loss)}."


def memory_words(task: list[Summary]) -> str:
    """Who remembers the order of the past, where the order-blind optimum is known."""
    blind = next((s for s in task if s.model == "order_blind"), None)
    trained = [s for s in task if not s.is_trivial and s.test is not None]
    if blind is None or not trained:
        return ""
    solved = [s.model for s in trained if s.loss < SOLVED * blind.loss]
    below = [s.model for s in trained if SOLVED * blind.loss <= s.loss < CLEAR * blind.loss]
    others = [s.model for s in trained if s.loss >= CLEAR * blind.loss]
    parts = [
        (solved, "Less than a tenth of it, so the symbol is recalled"),
        (below, "Clearly below it, but not solved"),
        ([m for m in others if m not in ADDITIVE], "Not clearly below it after this training"),
        ([m for m in others if m in ADDITIVE], "Not below it and by theorem never (additive)"),
    ]
    intro = (
        "Who does not know the order of the past cannot expect less than the order-blind "
        f"optimum, {number(blind.loss, 2)} on this test part."
    )
    return " ".join([intro, *(f"{text}: {_listed(names)}." for names, text in parts if names)])


def _listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
