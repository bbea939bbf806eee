# SPDX-License-Identifier: Apache-2.0
"""Who has what: a stacked bar per site."""

from cluster.report.axis import Axis, linear_axis
from cluster.report.blocks import figure
from cluster.report.federation.makeup_file import Makeup
from cluster.report.federation.many_sites import heat_map, histogram
from cluster.report.federation.measure import Terms
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.palette import COLOURS
from cluster.report.wording import capitalised, number

MOST_BARS = 40
WIDTH, LEFT, RIGHT, BOTTOM = 1080.0, 74.0, 10.0, 40.0
ROW = 19.0


def is_compact(makeup: Makeup) -> bool:
    """Whether there are too many sites or classes for bars."""
    return len(makeup.sites) > MOST_BARS or len(makeup.classes) > COLOURS


def makeup_figures(makeup: Makeup, terms: Terms) -> Markup:
    """The partition as a drawing: bars, or for many sites or classes what is compact."""
    if not is_compact(makeup):
        return markup(_key(makeup, terms), _bars(makeup, terms))
    sizes = histogram([s.samples for s in makeup.sites], terms.samples)
    charts = [figure(f"{capitalised(terms.samples)} per site", sizes)]
    if makeup.classes:
        charts.insert(
            0, figure(f"Share of each {terms.kind.lower()}, one column per site", heat_map(makeup))
        )
    return element("div", *charts, class_="pair")


def _paint(makeup: Makeup, place: int) -> str:
    """Of a class, any but grey first; of the two parts two blues."""
    return f"var(--series-{(place + 1) % COLOURS if makeup.classes else 3 + place})"


def _key(makeup: Makeup, terms: Terms) -> Markup:
    names = makeup.classes or ["training part", "test part"]
    keys = [
        element("span", element("i", style=f"background:{_paint(makeup, place)}"), f" {name}")
        for place, name in enumerate(names)
    ]
    return element("p", terms.kind if makeup.classes else "", *keys, class_="legend")


def _bars(makeup: Makeup, terms: Terms) -> Markup:
    bottom = ROW * len(makeup.sites) + 4
    x = linear_axis([site.samples for site in makeup.sites], LEFT, WIDTH - RIGHT, zero=True)
    return element(
        "svg",
        *(_rule(x(tick), 0, bottom, number(tick, 0)) for tick in x.ticks() if tick == round(tick)),
        element("text", terms.samples, x=(LEFT + WIDTH) / 2, y=bottom + 35, class_="tick middle"),
        *(_bar(makeup, x, place) for place in range(len(makeup.sites))),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(bottom + BOTTOM)}",
        class_="chart",
        role="img",
    )


def _rule(x: float, top: float, bottom: float, label: str) -> Markup:
    line = element("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid")
    return markup(line, element("text", label, x=x, y=bottom + 18, class_="tick middle"))


def _bar(makeup: Makeup, x: Axis, place: int) -> Markup:
    """The classes of a site, or its two parts, one after another."""
    site = makeup.sites[place]
    top, before, parts = ROW * place + 3, 0, []
    for index, count in enumerate(site.classes or [site.train, site.test]):
        if count:
            start, end = x(before), x(before + count)
            bar = element("rect", x=start, y=top, width=end - start, height=ROW - 5, class_="part",
                          style=f"--c:{_paint(makeup, index)}")  # fmt: skip
            parts.append(bar)
        before += count
    label = element("text", f"site {site.site}", x=LEFT - 10, y=top + 11, class_="tick end")
    tip = f"site {site.site}: {site.train} to learn from, {site.test} to test"
    return element("g", label, *parts, element("title", tip))
