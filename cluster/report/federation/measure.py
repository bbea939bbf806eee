# SPDX-License-Identifier: Apache-2.0
"""What models are judged by: returns of policies, accuracy of classifiers, else loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cluster.report.federation.wording import small_loss_words
from cluster.report.fields import Fields
from cluster.report.wording import MISSING, number, percent

WIDE = 30.0
LEAST = 1e-12
"""Where a logarithmic axis of losses may begin."""


@dataclass(frozen=True)
class Score:
    """What a model is worth on some test samples; without samples there is nothing to say."""

    samples: int
    loss: float | None
    accuracy: float | None


def score_of(fields: Fields, loss: str, accuracy: str, samples: int) -> Score:
    """The score under two names of an object; numbers of no samples are none.

    Raises:
        InputError: what stands there is neither a number nor null.
    """
    values = (fields.number(loss), fields.number(accuracy))
    return Score(samples, *(values if samples > 0 else (None, None)))


def weighted(scores: Sequence[Score]) -> Score:
    """The score over the samples of all; None for what no part has."""
    return Score(
        sum(score.samples for score in scores),
        _weighted([(score.loss, score.samples) for score in scores]),
        _weighted([(score.accuracy, score.samples) for score in scores]),
    )


def _weighted(pairs: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, samples) for value, samples in pairs if value is not None]
    total = sum(samples for _, samples in known)
    return sum(value * samples for value, samples in known) / total if total else None


@dataclass(frozen=True)
class Terms:
    """What things are called.

    Args:
        samples: what sites have.
        tests: by what they judge, and one of these.
        kind: what sites have several of.
    """

    samples: str = "samples"
    tests: str = "test samples"
    test: str = "test sample"
    kind: str = "Class"


@dataclass(frozen=True)
class Measure:
    """How a score is read, compared and written.

    Args:
        name: what it is called.
        sign: 1 where more is better, -1 where less is.
        of: its value in a score.
        words: a value as people read it; a dash for None.
        tick: a value at an axis.
        trivial: who reaches what ``trivial`` reaches.
        terms: what is judged, and by what.
    """

    name: str
    sign: int
    of: Callable[[Score], float | None]
    words: Callable[[float | None], str]
    tick: Callable[[float], str]
    trivial: str
    terms: Terms = field(default_factory=Terms)

    def gain(self, one: Score, over: Score) -> float | None:
        """By how much one score is better than another; negative if it is worse."""
        a, b = self.of(one), self.of(over)
        return None if a is None or b is None else self.sign * (a - b)

    def gain_words(self, gain: float | None) -> str:
        """A gain with its unit: points of accuracy, or loss, or return."""
        if gain is None:
            return MISSING
        if self.name == "accuracy":
            return f"{number(100 * gain, 1)} points"
        return f"{'−' if gain < 0 else ''}{self.words(abs(gain))}"


def is_wide(values: Sequence[float]) -> bool:
    """Whether losses differ so much that a linear axis would hide the small ones."""
    return bool(values) and min(values) > 0 and max(values) > WIDE * min(values)


def _accuracy_tick(value: float) -> str:
    return percent(value, 0 if abs(100 * value - round(100 * value)) < 1e-6 else 1)


def _loss_tick(value: float) -> str:
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def _return(score: Score) -> float | None:
    """A policy's loss is minus its return."""
    return None if score.loss is None else 0.0 - score.loss


def _return_words(value: float | None) -> str:
    return number(value, 3 if value is None or abs(value) < 10 else 1)


ACCURACY = Measure(
    "accuracy",
    1,
    lambda score: score.accuracy,
    lambda value: percent(value, 1),
    _accuracy_tick,
    "Always saying the most frequent class of a site's training part",
)
LOSS = Measure(
    "loss",
    -1,
    lambda score: score.loss,
    small_loss_words,
    _loss_tick,
    "What needs no training, a mean or what was known before,",
)
RETURN = Measure(
    "return",
    1,
    _return,
    _return_words,
    _loss_tick,
    "The best of those who look at nothing, always the same action or any at random,",
    Terms("environments", "test episodes", "test episode", "World"),
)
