# SPDX-License-Identifier: Apache-2.0
"""What the rounds cost: bytes, circuit executions, seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster.report.federation.rounds_file import Round
from cluster.report.federation.wording import size_words
from cluster.report.markup import Markup, element
from cluster.report.means import median_of
from cluster.report.tables import row, table
from cluster.report.wording import MISSING, counted, duration, number

HEAD = ("what", "a round", "least … greatest", "in total")
EVERY = ("round", "asked", "counted", "to the sites", "from the sites", "circuits", "time")


@dataclass(frozen=True)
class Cost:
    """Something that a round costs, and how it is written."""

    name: str
    of: Callable[[Round], float | None]
    write: Callable[[float | None], str]


def _count(value: float | None) -> str:
    return number(value, 0)


COSTS = (
    Cost("to the sites", lambda one: one.bytes_down, size_words),
    Cost("from the sites", lambda one: one.bytes_up, size_words),
    Cost("circuit executions", lambda one: one.circuits, _count),
    Cost("time", lambda one: one.seconds, duration),
)


def total(rounds: Sequence[Round], of: Callable[[Round], float | None]) -> float | None:
    """The sum over the rounds that know it; None where none does."""
    known = [value for value in map(of, rounds) if value is not None]
    return sum(known) if known else None


def traffic_tables(rounds: Sequence[Round]) -> list[Markup]:
    """One row per cost, and folded one per round."""
    costs = table(HEAD, element("tbody", *(_cost_row(cost, rounds) for cost in COSTS)))
    every = table(EVERY, element("tbody", *(_round_row(one) for one in rounds)))
    return [
        costs,
        element(
            "details", element("summary", f"Every round ({counted(len(rounds), 'row')})"), every
        ),
    ]


def _cost_row(cost: Cost, rounds: Sequence[Round]) -> Markup:
    middle = median_of([v for v in map(cost.of, rounds) if v is not None])
    if middle is None:
        return row(HEAD, [cost.name, MISSING, MISSING, MISSING])
    words = dict.fromkeys((cost.write(middle.low), cost.write(middle.high)))
    ends = " … ".join(words)
    return row(
        HEAD, [cost.name, cost.write(middle.value), ends, cost.write(total(rounds, cost.of))]
    )


def _round_row(one: Round) -> Markup:
    cells = [
        str(one.number),
        str(one.asked),
        element("span", str(one.replies), class_="bad" if one.replies < one.asked else None),
        *(cost.write(cost.of(one)) for cost in COSTS),
    ]
    return row(EVERY, cells)
