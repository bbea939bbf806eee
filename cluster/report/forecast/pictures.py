# SPDX-License-Identifier: Apache-2.0
"""What the models said against the truth, with the border between training and test part."""

from collections.abc import Sequence

from cluster.report.axis import Axis, linear_axis
from cluster.report.blocks import figure
from cluster.report.forecast.results import Forecasts, Picture
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.palette import colour
from cluster.report.wording import loss_words, number

WIDTH, HEIGHT = 560.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 10.0, 20.0, 24.0
MOST_SYMBOLS = 60
"""Of a series of two symbols only so many windows are drawn, around the border."""


def pictures(picture: Picture) -> Markup:
    """One small chart per model, all on the same scale."""
    first, last = _shown(picture)
    names = [row.model for row in picture.rows]
    every = [value for row in picture.rows for value in row.values[first:last]]
    truth = picture.truth[first:last]
    y = linear_axis(_within(truth, every), HEIGHT - BOTTOM, TOP)
    x = Axis(first, max(last - 1, first + 1), LEFT, WIDTH - RIGHT)
    return element(
        "div", *(_figure(picture, row, names, x, y, (first, last)) for row in picture.rows),
        class_="pair",
    )  # fmt: skip


def _shown(picture: Picture) -> tuple[int, int]:
    """Which windows are drawn."""
    count = len(picture.truth)
    if len(set(picture.truth)) > 2 or count <= MOST_SYMBOLS:
        return 0, count
    first = max(0, min(picture.train - MOST_SYMBOLS // 2, count - MOST_SYMBOLS))
    return first, first + MOST_SYMBOLS


def _within(truth: Sequence[float], forecasts: Sequence[float]) -> list[float]:
    """The range to draw: a forecast far outside the truth is cut, or it would flatten the rest."""
    low, high = min(truth), max(truth)
    margin = (high - low) / 2
    return [*truth, *(min(max(v, low - margin), high + margin) for v in forecasts)]


def _figure(
    picture: Picture, row: Forecasts, names: list[str], x: Axis, y: Axis, shown: tuple[int, int]
) -> Markup:
    windows = range(*shown)
    paint = f"--c:{colour(row.model, names)}"
    drawing = element(
        "svg",
        _border(picture, x),
        *(_rule(y(tick), number(tick, _decimals(y))) for tick in y.ticks()[::2]),
        element("path", d=_path(x, y, windows, picture.truth), class_="truth"),
        element("path", d=_path(x, y, windows, row.values), class_="line", style=paint),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(HEIGHT)}",
        class_="chart forecasts",
        role="img",
    )
    seed = "" if row.seed is None else f", seed {row.seed}"
    return figure(f"{row.model}{seed}: test MSE {loss_words(row.test_mse)}", drawing)


def _border(picture: Picture, x: Axis) -> Markup:
    place = x(picture.train - 0.5)
    return markup(
        element("rect", x=place, y=TOP, width=WIDTH - RIGHT - place, height=HEIGHT - TOP - BOTTOM,
                class_="test"),
        element("line", x1=place, x2=place, y1=TOP - 8, y2=HEIGHT - BOTTOM, class_="axis"),
        element("text", "training", x=place - 8, y=TOP - 6, class_="tick end"),
        element("text", "test", x=place + 8, y=TOP - 6, class_="tick"),
    )  # fmt: skip


def _rule(y: float, label: str) -> Markup:
    line = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    return markup(line, element("text", label, x=LEFT - 8, y=y + 4, class_="tick end"))


def _decimals(axis: Axis) -> int:
    width = axis.high - axis.low
    return 1 if width >= 1 else 2 if width >= 0.1 else 3


def _path(x: Axis, y: Axis, windows: range, values: Sequence[float]) -> str:
    places = (f"{coordinate(x(i))},{coordinate(y(values[i]))}" for i in windows)
    return "M" + "L".join(places)
