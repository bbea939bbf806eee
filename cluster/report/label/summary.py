# SPDX-License-Identifier: Apache-2.0
"""Labelled instances in groups of similar fleets; serves the console too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster.report.label.results import Labelled
from cluster.report.means import mean_of

MOST_GROUPS = 4
PROVEN = "optimal"
HEADINGS = (
    *("robots", "instances", "conflicts", "proven %", "gap %", "saved against fcfs %"),
    *("pool", "diversity %", "seconds"),
)


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are there, None where none is."""
    found = mean_of(list(values))
    return None if found is None else found.value


@dataclass(frozen=True)
class Group:
    """Instances with ``low`` to ``high`` robots."""

    low: int
    high: int
    rows: list[Labelled]

    def cells(self) -> list[str]:
        """What stands under the headings: means over the instances."""
        rows = self.rows
        return [
            str(self.low) if self.low == self.high else f"{self.low} to {self.high}",
            str(len(rows)),
            _number(mean(row.conflicts for row in rows), 0),
            _number(mean(100.0 * (row.status == PROVEN) for row in rows), 0),
            _number(mean(_percent(row.gap) for row in rows), 2),
            _number(mean(_percent(row.saved) for row in rows), 1),
            _number(mean(row.pool for row in rows), 1),
            _number(mean(_percent(row.diversity) for row in rows), 1),
            _number(mean(row.seconds for row in rows), 2),
        ]


def groups_by_size(rows: Sequence[Labelled]) -> list[Group]:
    """At most four ranges of the number of robots, as wide as each other."""
    if not rows:
        return []
    sizes = [row.robots for row in rows]
    least, most = min(sizes), max(sizes)
    width = -(-(most - least + 1) // MOST_GROUPS)
    groups = []
    for low in range(least, most + 1, width):
        high = min(low + width - 1, most)
        groups.append(Group(low, high, [row for row in rows if low <= row.robots <= high]))
    return [group for group in groups if group.rows]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"
