# SPDX-License-Identifier: Apache-2.0
"""Orders per tick over time and by world, and where the time of the robots goes."""

from collections.abc import Sequence

from cluster.report.blocks import figure
from cluster.report.dot_chart import Dots, dot_chart
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element
from cluster.report.means import mean_of
from cluster.report.simulation.results import SimulationRun
from cluster.report.simulation.summary import BASELINE, Of, Summary
from cluster.report.simulation.traffic_file import Traffic
from cluster.report.tables import name_cell
from cluster.report.wording import number, percent

MOST_BANDS = 4
MOST_POINTS = 25
MOST_TICKS = 8
ROOM_SHARE = 0.055
"""Parts of a bar that are narrower than this have no number in them."""
PARTS: tuple[tuple[str, str, Of], ...] = (
    ("working", "working", lambda r: r.working),
    ("waiting", "waiting", lambda r: r.waiting),
    ("refused", "refused", lambda r: r.refused),
    ("delayed", "delayed", lambda r: r.delayed),
    ("idle", "without an order", lambda r: r.idle),
)
"""What robots do with their time: class, words, share."""


def throughput_charts(run: SimulationRun, summaries: Sequence[Summary]) -> Markup:
    """Orders per tick, over time and world by world, side by side."""
    over_time = _over_time(run, summaries)
    rows = {
        s.controller: Dots([r.orders_per_tick for r in s.ended if r.orders_per_tick is not None], m)
        for s in summaries
        if (m := s.throughput)
    }
    by_world = figure("Orders per tick, world by world", dot_chart(rows, tick_words))
    return element("div", over_time, by_world, class_="pair")


def tick_words(value: float) -> str:
    """Orders per tick beside an axis: no more decimals than it has."""
    text = number(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _over_time(run: SimulationRun, summaries: Sequence[Summary]) -> Markup:
    title = "Orders per tick, over time"
    if isinstance(run.traffic, Missing):
        return figure(title, element("p", f"Left out: {run.traffic.reason}.", class_="note"))
    lengths = {s.controller: [r.ticks for r in s.ended if r.ticks] for s in summaries}
    found = {
        t.controller: throughput(t, max(lengths.get(t.controller) or [0])) for t in run.traffic
    }
    series = {s.controller: found[s.controller] for s in summaries if found.get(s.controller)}
    if not series:
        return figure(title, element("p", "nothing was done", class_="note"))
    style = Style(
        counted="ticks",
        ticks=_round_ticks([tick for points in series.values() for tick, _ in points]),
        dashed=(BASELINE,),
        bands=len(series) <= MOST_BANDS,
    )
    return figure(title, line_chart(series, tick_words, style=style))


def throughput(traffic: Traffic, ticks: int) -> Points:
    """Orders per tick in at most :data:`MOST_POINTS` stretches, at their ends: mean over worlds.

    Args:
        ticks: the length of the run, where the last stretch ends; 0 if not known.
    """
    bins = len(traffic.finished[0]) if traffic.finished else 0
    together = -(-bins // MOST_POINTS)
    points: Points = []
    for first in range(0, bins, together or 1):
        last = min(first + together, bins)
        begin, end = first * traffic.bin_ticks, last * traffic.bin_ticks
        end = min(end, ticks) if ticks > begin else end
        here = mean_of([sum(world[first:last]) / (end - begin) for world in traffic.finished])
        if here is not None:
            points.append((end, here))
    return points


def _round_ticks(ends: Sequence[int]) -> list[int]:
    """At most :data:`MOST_TICKS` of the ends, evenly spread, the last among them."""
    known = sorted(set(ends))
    least = -(-len(known) // MOST_TICKS)
    step = next((k for k in range(least, 2 * least) if len(known) % k == 0), least)
    return known[::-1][::step]


def share_bars(summaries: Sequence[Summary]) -> Markup:
    """One bar per controller: what its robots did with their time."""
    names = [s.controller for s in summaries]
    rows = [_bar(s, names) for s in summaries if s.mean(lambda r: r.working)]
    keys = [element("span", element("i", class_=kind), f" {words}") for kind, words, _ in PARTS]
    return element("div", element("p", *keys, class_="legend"), *rows, class_="shares")


def _bar(summary: Summary, names: list[str]) -> Markup:
    parts = []
    for kind, words, of in PARTS:
        mean = summary.mean(of)
        value = mean.value if mean else 0.0
        text = percent(value) if value >= ROOM_SHARE else ""
        told = f"{summary.controller}, {words}: {percent(value, 1)}"
        parts.append(element("span", text, class_=kind, style=f"flex-grow:{value:.5f}", title=told))
    return element("div", name_cell(summary.controller, names), element("div", *parts))
