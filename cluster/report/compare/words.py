# SPDX-License-Identifier: Apache-2.0
"""How returns and lists of names are written."""

from collections.abc import Sequence

from cluster.report.means import Mean
from cluster.report.wording import MISSING, number

MOST_NAMES = 4


def return_words(value: float | None) -> str:
    """A return with about three figures."""
    if value is None:
        return MISSING
    size = abs(value)
    return number(value, 2 if size < 9.995 else 1 if size < 99.95 else 0)


def tick_words(value: float) -> str:
    """A return beside an axis: no more decimals than it has."""
    text = number(value, 2 if abs(value) < 9.995 else 0)
    return text.rstrip("0").rstrip(".") if "." in text else text


def ends_words(mean: Mean) -> str:
    """``0.91 to 0.95``."""
    return f"{return_words(mean.low)} to {return_words(mean.high)}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def few_or_count(names: Sequence[str]) -> str:
    """The names, or of more than :data:`MOST_NAMES` how many they are."""
    return listed(names) if len(names) <= MOST_NAMES else f"{len(names)} policies"


def are_apart(one: Mean, other: Mean) -> bool:
    """Whether two intervals share no value; of fewer than three seeds nothing is known."""
    drawable = one.is_drawable and other.is_drawable
    return drawable and (one.low > other.high or other.low > one.high)


def steps_words(steps: float) -> str:
    """``200 000``."""
    return number(steps, 0)
