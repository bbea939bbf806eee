# SPDX-License-Identifier: Apache-2.0
"""Robots against time: who drives, who waits, and the chain of events that sets the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cluster.report.axis import Axis, round_step
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.motion import Kind, stretches
from cluster.report.replay import Replay, Trip
from cluster.report.wording import number

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1100.0, 76.0, 20.0, 8.0, 42.0
MOST_ROWS = 40
HEIGHTS: dict[Kind, float] = {"bay": 0.18, "wait": 0.62, "drive": 0.62}

Event = tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """Which robots are drawn, top to bottom, and which of them are on the critical path."""

    robots: list[int]
    critical: list[int]
    critical_total: int


@dataclass(frozen=True)
class Plot:
    """Time to the right, one row per robot."""

    x: Axis
    row: float
    place: dict[int, int]
    trips: list[Trip]

    def y(self, robot: int) -> float:
        """The middle of a robot's row."""
        return TOP + (self.place[robot] + 0.5) * self.row

    def at(self, event: Event) -> float:
        """Where the time of an event lies."""
        robot, index = event
        return self.x(self.trips[robot].times_s[index])


def chosen_rows(replay: Replay) -> Rows:
    """The robots of the critical path in its order, then those that wait longest.

    Where the path alone has too many robots, those nearest to its end stay.
    """
    visited = list(dict.fromkeys(robot for robot, _ in reversed(replay.critical_path)))
    critical = visited[:MOST_ROWS][::-1]
    others = [robot for robot in range(len(replay.trips)) if robot not in set(visited)]
    others.sort(key=lambda robot: -replay.trips[robot].wait_s)
    return Rows(critical + others[: MOST_ROWS - len(critical)], critical, len(visited))


def gantt(replay: Replay, rows: Rows) -> Markup:
    """The chart as SVG."""
    row = 24.0 if len(rows.robots) <= 12 else 17.0 if len(rows.robots) <= 25 else 13.5
    place = {robot: index for index, robot in enumerate(rows.robots)}
    bottom = TOP + row * len(rows.robots)
    plot = Plot(Axis(0, replay.end_s or 1.0, LEFT, WIDTH - RIGHT), row, place, replay.trips)
    return element(
        "svg",
        _grid(plot, bottom),
        *(_robot(plot, robot, robot in rows.critical) for robot in rows.robots),
        _critical(plot, replay.critical_path),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(bottom + BOTTOM)}",
        class_="chart gantt",
        role="img",
    )


def _grid(plot: Plot, bottom: float) -> Markup:
    step = round_step((plot.x.high - plot.x.low) / 9)
    parts = []
    for index in range(int(plot.x.high / step + 1e-9) + 1):
        x = plot.x(index * step)
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=bottom + 4, class_="grid"))
        label = number(index * step, 0 if step >= 1 else 1)
        parts.append(element("text", label, x=x, y=bottom + 19, class_="tick middle"))
    middle = (plot.x.start + plot.x.end) / 2
    parts.append(element("text", "seconds", x=middle, y=bottom + 37, class_="tick middle"))
    return markup(*parts)


def _robot(plot: Plot, robot: int, critical: bool) -> Markup:
    trip, y = plot.trips[robot], plot.y(robot)
    kinds: tuple[Kind, ...] = ("bay", "drive", "wait")
    bars = [element("path", d=_bars(plot, trip, y, kind), class_=kind) for kind in kinds]
    tip = f"robot {robot}: arrives at {number(trip.times_s[-1])} s, delayed {number(trip.wait_s)} s"
    label = element(
        "text",
        f"robot {robot}",
        x=LEFT - 10,
        y=y + 3.5,
        class_="tick end critical" if critical else "tick end",
    )
    return element("g", label, *bars, element("title", tip))


def _bars(plot: Plot, trip: Trip, y: float, kind: Kind) -> str:
    height = plot.row * HEIGHTS[kind]
    top = coordinate(y - height / 2)
    parts = []
    for stretch in stretches(trip):
        if stretch.kind == kind:
            start = plot.x(stretch.start_s)
            width = coordinate(plot.x(stretch.end_s) - start)
            parts.append(f"M{coordinate(start)},{top}h{width}v{coordinate(height)}h-{width}z")
    return "".join(parts)


def _critical(plot: Plot, chain: Sequence[Event]) -> Markup:
    """The path in the rows that are drawn: along a row, and across at every hand-over."""
    shown = [(a, b) for a, b in pairwise(chain) if a[0] in plot.place and b[0] in plot.place]
    along = [(a, b) for a, b in shown if a[0] == b[0]]
    across = [(a, b) for a, b in shown if a[0] != b[0]]
    first = _from_zero(plot, chain[0]) if chain else ""
    lines = first + "".join(_along(plot, a, b) for a, b in along)
    curves = "".join(_across(plot, a, b) for a, b in across)
    return element(
        "g",
        element("path", d=lines + curves, class_="halo"),
        element("path", d=lines, class_="chain"),
        element("path", d=curves, class_="hand-over"),
        *(element("circle", cx=plot.at(b), cy=plot.y(b[0]), r=2.6) for _, b in across),
        class_="critical-path",
    )


def _from_zero(plot: Plot, event: Event) -> str:
    if event[0] not in plot.place:
        return ""
    start, y = coordinate(plot.x(0)), coordinate(plot.y(event[0]))
    return f"M{start},{y}H{coordinate(plot.at(event))}"


def _along(plot: Plot, before: Event, after: Event) -> str:
    y = coordinate(plot.y(before[0]))
    return f"M{coordinate(plot.at(before))},{y}H{coordinate(plot.at(after))}"


def _across(plot: Plot, before: Event, after: Event) -> str:
    x1, x2 = plot.at(before), plot.at(after)
    y1, y2 = plot.y(before[0]), plot.y(after[0])
    numbers = (x1, y1, x2, y1, x1, y2, x2, y2)
    a, b, c, d, e, f, g, h = map(coordinate, numbers)
    return f"M{a},{b}C{c},{d} {e},{f} {g},{h}"
