# SPDX-License-Identifier: Apache-2.0
"""Tables of accuracies over seeds, with intervals of their differences within a seed."""

from collections.abc import Iterable, Sequence

from benchmarks.setting import interval


def per_cent(shares: Sequence[float]) -> str:
    """Mean and 95 % t-interval over seeds, in points."""
    return interval([100 * share for share in shares], digits=1)


def points(ones: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    """How many points the first are above the second, seed by seed."""
    return tuple(100 * (one - other) for one, other in zip(ones, others, strict=True))


def paired(ones: Sequence[float], others: Sequence[float]) -> str:
    """The same as mean and 95 % t-interval: seeds are harder and easier alike."""
    return interval(points(ones, others), digits=1)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As markdown.

    Raises:
        ValueError: a row is shorter or longer than the head.
    """
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    if any(len(line) != len(head) for line in lines):
        raise ValueError(f"a row does not have {len(head)} cells")
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
