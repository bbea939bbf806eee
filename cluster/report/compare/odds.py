# SPDX-License-Identifier: Apache-2.0
"""Who beats whom: the probability of improvement of every policy over every other."""

from cluster.report.audit.tiles import tile_table
from cluster.report.compare.headline import is_decided
from cluster.report.compare.standing import Standing
from cluster.report.markup import Markup, element
from cluster.report.means import Mean
from cluster.report.wording import MISSING, number


def odds_table(found: Standing) -> Markup:
    """P(row beats column), the highest score first; coloured where the interval leaves out 1/2."""
    names = [one.policy for one in found.ranked]
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(_cell(name, other, found.odds.get((name, other))) for other in names),
        )
        for name in names
    ]
    return tile_table(["P(row > column)", *names], rows)


def _cell(name: str, other: str, odds: Mean | None) -> Markup:
    if odds is None:
        return element("td", MISSING, class_="none")
    decided = is_decided(odds)
    kind = "same" if not decided else "more" if odds.value > 0.5 else "less"
    ends = f"{number(odds.low, 2)} to {number(odds.high, 2)}" if odds.is_drawable else ""
    verdict = {
        "more": "more often better than",
        "less": "more often worse than",
        "same": "not told apart from",
    }[kind]
    return element(
        "td",
        element("b", number(odds.value, 2)),
        element("span", ends, class_="pm") if ends else "",
        class_=kind,
        style=f"--share:{abs(2 * odds.value - 1):.2f}" if decided else None,
        title=f"{name} is {verdict} {other}",
    )
