# SPDX-License-Identifier: Apache-2.0
"""The result in words: who is ahead, and whether the intervals allow to say so."""

from collections.abc import Sequence

from cluster.report.compare.environment_words import (
    environment_words,
    is_learnt,
    memory_is_idle,
    untrained,
)
from cluster.report.compare.standing import Scores, Standing
from cluster.report.compare.summary import Environment
from cluster.report.compare.words import are_apart, listed, return_words
from cluster.report.means import Mean
from cluster.report.wording import capitalised, counted, number

SIZES_DIFFER = 1.25
"""Largest over smallest policy from which on the comparison is told to be unequal."""


def headline(found: list[Environment], together: Standing) -> tuple[str, list[str]]:
    """The title sentence and the sentences that support it."""
    if not any(e.ended for e in found):
        tried = any(e.summaries for e in found)
        return ("No training ended with a return" if tried else "No policy was trained"), []
    if len(found) == 1:
        return _title_of_one(found[0]), [*environment_words(found[0]), _sizes(found)]
    support = [_standing_words(together), _pairs(together), _idle(found), _sizes(found)]
    return _title(found, together), [text for text in support if text]


def _title(found: list[Environment], together: Standing) -> str:
    lost = [e for e in found if e.ended and untrained(e) is not None]
    if lost:
        where = f"{len(lost)} of {len(found)}" if len(lost) < len(found) else f"all {len(found)}"
        return f"On {where} environments no policy is better than what needs no training"
    if not any(is_learnt(e) for e in found if e.ended):
        return f"On {len(found)} environments no policy is clearly better than random actions"
    ranked = together.ranked
    if not ranked:
        return f"{counted(len(found), 'environment')}, and no scale that they share"
    where = f"Over {counted(len(together.environments), 'environment')}"
    names = [one.policy for one in ranked]
    return capitalised(_ahead(where, names, [one.iqm for one in ranked]))


def _title_of_one(environment: Environment) -> str:
    ended = environment.ended
    better = untrained(environment)
    where = f"On {environment.name}"
    if better is not None:
        reached = return_words(better.mean)
        return f"{where} no policy is better than {better.label}, which reaches {reached}"
    if not is_learnt(environment):
        return f"{where} no policy is clearly better than random actions"
    means = [s.iqm for s in ended if s.iqm is not None]
    return _ahead(where, [s.policy for s in ended], means)


def _ahead(where: str, names: Sequence[str], means: Sequence[Mean]) -> str:
    """Who leads; a lead counts where its interval shares no value with the other's."""
    best, value = names[0], return_words(means[0].value)
    if len(names) == 1:
        return f"{where} {best} reaches {value}"
    near = [n for n, m in zip(names[1:], means[1:], strict=True) if not are_apart(means[0], m)]
    if not near:
        others = "both others" if len(names) == 3 else f"all {len(names) - 1} others"
        return f"{where} {best} is ahead of {others if len(names) > 2 else names[1]}"
    if len(near) == len(names) - 1:
        return f"{where} no policy is clearly ahead"
    return f"{where} {listed([best, *near])} lead, and no one of them clearly"


def _standing_words(together: Standing) -> str:
    """The first, and who is clearly behind it."""
    ranked = together.ranked
    if not ranked:
        return ""
    best = ranked[0]
    ends = f" (95 % interval {_share(best.iqm.low)} to {_share(best.iqm.high)})"
    first = (
        f"From random (0) to the optimum or the best known (1), {best.policy} has the highest "
        f"interquartile mean, {_share(best.iqm.value)}{ends if best.iqm.is_drawable else ''} over "
        f"{counted(len(best.seeds), 'seed')}."
    )
    return " ".join([first, _behind(best, ranked[1:], together)]).strip()


def _behind(best: Scores, others: list[Scores], together: Standing) -> str:
    far = [one.policy for one in others if are_apart(best.iqm, one.iqm)]
    near = [one.policy for one in others if one.policy not in far]
    told = [f"Clearly behind: {listed(far)}."] if far else []
    if near and not best.iqm.is_drawable:
        told.append(f"So few seeds cannot tell it from {listed(near)}.")
    elif near:
        odds = {name: together.odds[best.policy, name] for name in near}
        still = [f"{n} (P = {_share(o.value)})" for n, o in odds.items() if is_decided(o)]
        told.append(f"Its interval overlaps with {listed(near)}{_seed_by_seed(still)}.")
    return " ".join(told)


def _seed_by_seed(still: Sequence[str]) -> str:
    better = "; seed by seed it is still more often better than"
    return f"{better} {listed(still)}" if still else ""


def _pairs(together: Standing) -> str:
    """How many pairs chance could not explain."""
    pairs = [odds for (one, other), odds in together.odds.items() if one < other]
    if len(pairs) < 2:
        return ""
    decided = sum(is_decided(odds) for odds in pairs)
    return (
        f"In {decided} of {counted(len(pairs), 'pair')} one policy is more often better than the "
        "other."
    )


def is_decided(odds: Mean) -> bool:
    """Whether one half is outside of the interval."""
    return odds.is_drawable and (odds.low > 0.5 or odds.high < 0.5)


def _idle(found: list[Environment]) -> str:
    idle = [e.name for e in found if memory_is_idle(e)]
    if not idle:
        return ""
    return f"On {listed(idle)} a policy without memory does as well: memory is not needed there."


def _sizes(found: list[Environment]) -> str:
    """A warning where one policy has many more parameters than another."""
    ratios = []
    for environment in found:
        sizes = [s.parameters for s in environment.summaries if s.parameters]
        if len(sizes) > 1:
            ratios.append((max(sizes) / min(sizes), min(sizes), max(sizes), environment.name))
    if not ratios or max(ratios)[0] < SIZES_DIFFER:
        return ""
    _, least, most, name = max(ratios)
    return (
        f"The policies are not of equal size: {number(least, 0)} to {number(most, 0)} parameters "
        f"on {name}."
    )


def _share(value: float) -> str:
    return number(value, 2)
