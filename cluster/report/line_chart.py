# SPDX-License-Identifier: Apache-2.0
"""A measure against a count, as of robots or epochs: one line per name, with its interval."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from cluster.report.axis import Axis, bounds_to_show, linear_axis, logarithmic_axis
from cluster.report.line_labels import spread
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.means import SHORTEST_S, Mean
from cluster.report.palette import colour, marker
from cluster.report.wording import label_words, number

WIDTH, HEIGHT = 560.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 104.0, 14.0, 44.0
TICK_STEP = 26.0

Points = list[tuple[int, Mean]]
Write = Callable[[float], str]


@dataclass(frozen=True)
class Frame:
    """The axes that all parts of one chart share."""

    x: Axis
    y: Axis


@dataclass(frozen=True)
class Style:
    """What differs between the measures that are drawn.

    Args:
        counted: what the horizontal axis counts.
        interval: what the band is.
        ticks: counts with a tick and a mark; None for all.
        dashed: names of the lines that others are compared with.
        least: where a logarithmic axis may begin.
        bands: whether intervals are drawn; of many lines they would cover each other.
    """

    counted: str = "robots"
    interval: str = "95 %"
    ticks: Collection[int] | None = None
    dashed: Collection[str] = ("fcfs",)
    least: float = SHORTEST_S
    bands: bool = True


ROBOTS = Style()


def line_chart(
    series: dict[str, Points],
    write: Write,
    logarithmic: bool = False,
    style: Style = ROBOTS,
    behind: Mapping[str, Points] | None = None,
) -> Markup:
    """The chart as SVG; ``write`` words a value for ticks and tooltips.

    What is ``behind`` is thin, without marks and labels, in the colour of the first series.
    """
    thin = behind or {}
    frame = _frame([*series.values(), *thin.values()], logarithmic, style)
    names = list(series)
    counts = sorted({count for points in series.values() for count, _ in points})
    ticks = [count for count in counts if style.ticks is None or count in style.ticks]
    lines = [_line(frame, name, names, points, write, style) for name, points in series.items()]
    return element(
        "svg",
        _y_grid(frame, write),
        _x_ticks(frame, ticks, style.counted),
        *(_band(frame, points, colour(n, names)) for n, points in series.items() if style.bands),
        *(_thin(frame, name, points, colour(names[0], names)) for name, points in thin.items()),
        *lines,
        _labels(frame, series, names),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(HEIGHT)}",
        class_="chart",
        role="img",
    )


def _frame(lines: Sequence[Points], logarithmic: bool, style: Style) -> Frame:
    everything = [point for points in lines for point in points]
    values = bounds_to_show([mean for _, mean in everything], logarithmic)
    counts = [float(robots) for robots, _ in everything]
    x = Axis(min(counts), max(counts), LEFT + 12, WIDTH - RIGHT - 6)
    if logarithmic:
        return Frame(x, logarithmic_axis(values, HEIGHT - BOTTOM, TOP, style.least))
    return Frame(x, linear_axis(values, HEIGHT - BOTTOM, TOP))


def _y_grid(frame: Frame, write: Write) -> Markup:
    return markup(*(_y_line(frame.y(tick), write(tick)) for tick in frame.y.ticks()))


def _y_line(y: float, label: str) -> Markup:
    rule = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    return markup(rule, element("text", label, x=LEFT - 8, y=y + 4, class_="tick end"))


def _x_ticks(frame: Frame, counts: Sequence[int], counted: str) -> Markup:
    parts, free_from = [], -1.0
    for robots in reversed(counts):
        x = frame.x(robots)
        if free_from < 0 or x <= free_from:
            label = element("text", number(robots, 0), x=x, y=HEIGHT - 22, class_="tick middle")
            parts.append(label)
            free_from = x - TICK_STEP
        bottom = HEIGHT - BOTTOM
        parts.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="axis"))
    middle = (frame.x.start + frame.x.end) / 2
    parts.append(element("text", counted, x=middle, y=HEIGHT - 4, class_="tick middle"))
    return markup(*parts)


def _band(frame: Frame, points: Points, paint: str) -> Markup:
    drawn = [(frame.x(robots), mean) for robots, mean in points if mean.is_drawable]
    if not drawn:
        return markup()
    lower = [(x, frame.y(mean.low)) for x, mean in drawn]
    upper = [(x, frame.y(mean.high)) for x, mean in drawn]
    outline = _path(lower + upper[::-1]) + "Z"
    return element("path", d=outline, class_="band", style=f"--c:{paint}")


def _line(
    frame: Frame, name: str, names: list[str], points: Points, write: Write, style: Style
) -> Markup:
    places = [(frame.x(count), frame.y(mean.value)) for count, mean in points]
    marks = [
        element("g", marker(name, names, *place), element("title", _tip(name, point, write, style)))
        for place, point in zip(places, points, strict=True)
        if style.ticks is None or point[0] in style.ticks
    ]
    line = element("path", d=_path(places), class_=f"line {'base' if name in style.dashed else ''}")
    return element("g", line, *marks, class_="series", style=f"--c:{colour(name, names)}")


def _thin(frame: Frame, name: str, points: Points, paint: str) -> Markup:
    places = [(frame.x(count), frame.y(mean.value)) for count, mean in points]
    return element(
        "path", element("title", name), d=_path(places), class_="thin", style=f"--c:{paint}"
    )


def _tip(name: str, point: tuple[int, Mean], write: Write, style: Style) -> str:
    count, mean = point
    ends = f"{write(mean.low)} to {write(mean.high)}"
    bounds = f", {style.interval} {ends}" if mean.has_interval else ""
    return f"{name}, {count} {style.counted}: {write(mean.value)}{bounds}, n = {mean.n}"


def _labels(frame: Frame, series: dict[str, Points], names: list[str]) -> Markup:
    ends = sorted((frame.y(points[-1][1].value), name) for name, points in series.items())
    places = spread([y for y, _ in ends], TOP + 4, HEIGHT - BOTTOM)
    return markup(
        *(
            _label(label_words(_reach(name, series)), y, colour(name, names))
            for y, (_, name) in zip(places, ends, strict=True)
        )
    )


def _label(text: str, y: float, paint: str) -> Markup:
    x = WIDTH - RIGHT + 8
    return element("text", text, x=x, y=y + 4, class_="label", style=f"--c:{paint}")


def _reach(name: str, series: dict[str, Points]) -> str:
    """The name, and the largest count where the line ends before the others do."""
    last = series[name][-1][0]
    furthest = max(points[-1][0] for points in series.values())
    return name if last == furthest else f"{name} to {last}"


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{coordinate(x)},{coordinate(y)}" for x, y in places)
