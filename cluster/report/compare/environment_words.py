# SPDX-License-Identifier: Apache-2.0
"""What can be said of one environment: the best, what needs no training, and memory."""

from cluster.report.compare.results import Trivial
from cluster.report.compare.scales import BOUNDS, MEMORYLESS, OPTIMUM, RANDOM
from cluster.report.compare.summary import Environment, Summary
from cluster.report.compare.words import are_apart, ends_words, few_or_count, listed, return_words
from cluster.report.means import Resampled
from cluster.report.wording import counted


def environment_words(environment: Environment) -> list[str]:
    """Sentences, the most important first."""
    if not environment.ended:
        return ["No training ended with a return here."]
    told = [_best(environment), _solved(environment), _trivial(environment), _memory(environment)]
    return [text for text in told if text]


def untrained(environment: Environment) -> Trivial | None:
    """What reaches as much as the best policy without training; the optimum is no rival."""
    best = _iqm(environment.ended[0])
    rivals = [t for t in environment.trivials if t.policy not in BOUNDS]
    top = max(rivals, key=lambda t: t.mean, default=None)
    return top if top is not None and top.mean >= best.value else None


def is_learnt(environment: Environment) -> bool:
    """Whether the best policy is clearly above random actions, where these were judged."""
    start = next((t for t in environment.trivials if t.policy == RANDOM), None)
    best = _iqm(environment.ended[0])
    return start is None or (best.low if best.is_drawable else best.value) > start.high


def memory_is_idle(environment: Environment) -> bool:
    """Whether a policy without memory is not clearly behind the best of those with one."""
    with_memory, without = _sides(environment)
    if with_memory is None or without is None or not _tells_of_memory(environment):
        return False
    mine, others = _iqm(without), _iqm(with_memory)
    enough = mine.is_drawable and others.is_drawable
    return mine.value >= others.value or (enough and not are_apart(mine, others))


def _tells_of_memory(environment: Environment) -> bool:
    """Where nobody learnt more than what needs no training, nobody knows what memory is worth."""
    return is_learnt(environment) and untrained(environment) is None


def _sides(environment: Environment) -> tuple[Summary | None, Summary | None]:
    """The best with a memory, and the best without."""
    ended = environment.ended
    with_memory = next((s for s in ended if s.remembers), None)
    return with_memory, next((s for s in ended if not s.remembers), None)


def _best(environment: Environment) -> str:
    best, *others = environment.ended
    mean = _iqm(best)
    ends = f" (95 % interval {ends_words(mean)})" if mean.is_drawable else ""
    first = (
        f"On {environment.name} {best.policy} has the highest interquartile mean of the greedy "
        f"return, {return_words(mean.value)}{ends} over {counted(mean.n, 'seed')}"
    )
    near = [s.policy for s in others if not are_apart(mean, _iqm(s))]
    if not near:
        return f"{first}."
    if not mean.is_drawable:
        return f"{first}; so few seeds cannot tell it from {listed(near)}."
    one = len(near) == 1
    verb, overlap = ("interval", "overlaps") if one else ("intervals", "overlap")
    return f"{first}; the {verb} of {few_or_count(near)} {overlap} with it."


def _solved(environment: Environment) -> str:
    """Who solves it with every seed, and who with none."""
    known = [(s, s.solved) for s in environment.ended if s.solved is not None]
    if not known:
        return ""
    every = [s.policy for s, count in known if count == len(s.runs)]
    never = [s.policy for s, count in known if count == 0]
    told = [f"Solved by every seed of {few_or_count(every)}"] if every else []
    told += [f"{'by' if told else 'Solved by'} none of {few_or_count(never)}"] if never else []
    return f"{', '.join(told)}." if told else ""


def _trivial(environment: Environment) -> str:
    top = next((t for t in environment.trivials if t.policy == OPTIMUM), None)
    forgetful = next((t for t in environment.trivials if t.policy == MEMORYLESS), None)
    rest = [t for t in environment.trivials if t.policy not in BOUNDS]
    reached = [f"{t.label} {return_words(t.mean)}" for t in rest]
    told = [f"Without training: {', '.join(reached)}."] if reached else []
    told += [f"The optimum is {return_words(top.mean)}."] if top else []
    if forgetful is not None:
        told.append(f"Without memory nobody can expect more than {return_words(forgetful.mean)}.")
    better = untrained(environment)
    told += [f"No policy is better than {better.label}."] if better is not None else []
    if better is None and not is_learnt(environment):
        told.append("No policy is clearly better than random actions.")
    return " ".join(told)


def _memory(environment: Environment) -> str:
    """What the policies without memory say about the environment."""
    with_memory, without = _sides(environment)
    if without is None:
        return "No policy without memory took part, so that nothing shows whether memory is needed."
    if with_memory is None or not _tells_of_memory(environment):
        return ""
    reached = return_words(_iqm(without).value)
    if memory_is_idle(environment):
        return (
            f"A policy without memory, {without.policy}, does as well, with {reached}: this "
            "environment does not show what memory is worth."
        )
    clear = are_apart(_iqm(without), _iqm(with_memory))
    helps = "memory helps here" if clear else "so few seeds cannot show whether memory helps"
    return f"Without memory ({without.policy}) {reached} is reached: {helps}."


def _iqm(summary: Summary) -> Resampled:
    assert summary.iqm is not None
    return summary.iqm
