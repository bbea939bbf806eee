# SPDX-License-Identifier: Apache-2.0
"""``personal.json``: what new sites reach with little data of their own, method by method."""

from dataclasses import dataclass

from cluster.report.federation.measure import ACCURACY, LOSS, Measure, Score, score_of
from cluster.report.fields import Fields


@dataclass(frozen=True)
class NewSite:
    """One new site after ``amount`` days or shots, under one method."""

    site: int
    amount: int
    method: str
    score: Score


@dataclass(frozen=True)
class Personal:
    """All new sites, and what the amounts count."""

    unit: str
    rows: list[NewSite]

    @property
    def measure(self) -> Measure:
        """Accuracy where something is classified, else loss."""
        return ACCURACY if any(row.score.accuracy is not None for row in self.rows) else LOSS

    @property
    def methods(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(row.method for row in self.rows))

    @property
    def amounts(self) -> list[int]:
        """In ascending order."""
        return sorted({row.amount for row in self.rows})

    def scores(self, method: str, amount: int) -> dict[int, Score]:
        """Scores by new site."""
        own = [row for row in self.rows if (row.method, row.amount) == (method, amount)]
        return {row.site: row.score for row in own}


def read_personal(document: object, where: str) -> Personal:
    """The scores of the new sites.

    Raises:
        InputError: a field is missing or of the wrong kind.
    """
    fields = Fields(document, where)
    rows = [Fields(one, f"{where}: row {i}") for i, one in enumerate(fields.items("rows"))]
    return Personal(fields.text("unit"), [_row(one) for one in rows])


def _row(fields: Fields) -> NewSite:
    return NewSite(
        site=fields.whole("site"),
        amount=fields.whole("amount"),
        method=fields.text("method"),
        score=score_of(fields, "loss", "accuracy", fields.whole("samples")),
    )
