# SPDX-License-Identifier: Apache-2.0
"""A measure, one row per name: every single value a dot, the mean and its interval on top."""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.report.axis import Axis, bounds_to_show, linear_axis, logarithmic_axis
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.means import SHORTEST_S, Mean
from cluster.report.palette import colour, marker
from cluster.report.wording import label_words

WIDTH, LEFT, RIGHT = 560.0, 112.0, 24.0
TOP, ROW, BOTTOM = 10.0, 34.0, 34.0

Write = Callable[[float], str]


@dataclass(frozen=True)
class Dots:
    """What one row shows: single values, as of instances, and their mean or median."""

    values: list[float]
    mean: Mean


def dot_chart(
    rows: dict[str, Dots],
    write: Write,
    logarithmic: bool = False,
    zero: bool = False,
    least: float = SHORTEST_S,
) -> Markup:
    """The chart as SVG, one row per name; a logarithmic axis begins at ``least`` or above."""
    every = [value for row in rows.values() for value in row.values]
    every += bounds_to_show([row.mean for row in rows.values()], logarithmic)
    height = TOP + ROW * len(rows) + BOTTOM
    if logarithmic:
        x = logarithmic_axis(every, LEFT, WIDTH - RIGHT, least)
    else:
        x = linear_axis(every, LEFT, WIDTH - RIGHT, zero)
    names = list(rows)
    return element(
        "svg",
        _grid(x, height - BOTTOM, write),
        *(_row(x, index, names, row, write) for index, row in enumerate(rows.values())),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(height)}",
        class_="chart",
        role="img",
    )


def _grid(x: Axis, bottom: float, write: Write) -> Markup:
    parts = []
    for tick in x.ticks():
        place = x(tick)
        parts.append(element("line", x1=place, x2=place, y1=TOP, y2=bottom, class_="grid"))
        parts.append(element("text", write(tick), x=place, y=bottom + 18, class_="tick middle"))
    return markup(*parts)


def _row(x: Axis, index: int, names: list[str], row: Dots, write: Write) -> Markup:
    name = names[index]
    y = TOP + ROW * (index + 0.5)
    dots = [element("circle", cx=x(v), cy=y + 7, r=2.6, class_="dot") for v in row.values]
    mean = row.mean
    span = element("line", x1=x(mean.low), x2=x(mean.high), y1=y - 3, y2=y - 3, class_="span")
    return element(
        "g",
        element("text", label_words(name), x=LEFT - 12, y=y + 4, class_="label end"),
        *dots,
        span if mean.is_drawable else "",
        marker(name, names, x(mean.value), y - 3),
        element("title", f"{name}: {write(mean.value)}, n = {mean.n}"),
        class_="series",
        style=f"--c:{colour(name, names)}",
    )
