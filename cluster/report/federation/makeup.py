# SPDX-License-Identifier: Apache-2.0
"""Who has what: a stacked bar per site, or for many sites a heat map and a histogram of sizes."""

from collections.abc import Sequence

from cluster.report.axis import Axis, linear_axis, round_step
from cluster.report.blocks import figure
from cluster.report.federation.makeup_file import Makeup, SiteMakeup
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.palette import COLOURS
from cluster.report.wording import number

MOST_BARS = 40
MOST_COLUMNS = 400
"""Of more sites so many are drawn, evenly spaced in the order of their main class."""
SHADES = 8
WIDTH, LEFT, RIGHT, BOTTOM = 1080.0, 74.0, 10.0, 40.0
ROW = 19.0
HALF, HEIGHT = 560.0, 300.0
"""Width and height of the charts that stand side by side."""
BINS = 24


def makeup_figures(makeup: Makeup) -> Markup:
    """The partition as a drawing."""
    if len(makeup.sites) <= MOST_BARS and len(makeup.classes) <= COLOURS:
        return markup(_key(makeup), _bars(makeup))
    charts = [figure("Samples per site", _histogram([s.samples for s in makeup.sites]))]
    if makeup.classes:
        charts.insert(0, figure("Share of each class, one column per site", _heat_map(makeup)))
    return element("div", *charts, class_="pair")


def _paint(makeup: Makeup, place: int) -> str:
    """Of a class, any but grey first; of the two parts two blues."""
    return f"var(--series-{(place + 1) % COLOURS if makeup.classes else 3 + place})"


def _key(makeup: Makeup) -> Markup:
    names = makeup.classes or ["training part", "test part"]
    keys = [
        element("span", element("i", style=f"background:{_paint(makeup, place)}"), f" {name}")
        for place, name in enumerate(names)
    ]
    return element("p", "Class" if makeup.classes else "", *keys, class_="legend")


def _bars(makeup: Makeup) -> Markup:
    bottom = ROW * len(makeup.sites) + 4
    x = linear_axis([site.samples for site in makeup.sites], LEFT, WIDTH - RIGHT, zero=True)
    return element(
        "svg",
        *(_rule(x(tick), 0, bottom, number(tick, 0)) for tick in x.ticks() if tick == round(tick)),
        element("text", "samples", x=(LEFT + WIDTH) / 2, y=bottom + 35, class_="tick middle"),
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


def _heat_map(makeup: Makeup) -> Markup:
    """Columns in the order of their main class, so that blocks show what sites have in common."""
    sites = sorted(makeup.sites, key=_main_class)
    if len(sites) > MOST_COLUMNS:
        sites = [sites[k * len(sites) // MOST_COLUMNS] for k in range(MOST_COLUMNS)]
    height = (HEIGHT - BOTTOM) / len(makeup.classes)
    rows = [_heat_row(sites, place, height) for place in range(len(makeup.classes))]
    every = max(1, -(-len(makeup.classes) // 16))
    labels = [
        element("text", name, x=LEFT - 10, y=(place + 0.5) * height + 4, class_="tick end")
        for place, name in enumerate(makeup.classes)
        if place % every == 0
    ]
    told = f"{len(sites)} of {number(len(makeup.sites), 0)} sites, by their main class"
    middle = (LEFT + HALF - RIGHT) / 2
    return element(
        "svg",
        *rows,
        *labels,
        element("text", told, x=middle, y=HEIGHT - 14, class_="tick middle"),
        viewBox=f"0 0 {coordinate(HALF)} {coordinate(HEIGHT)}",
        class_="chart",
        role="img",
    )


def _main_class(site: SiteMakeup) -> tuple[int, float]:
    """The class with most samples, and the less of it the later."""
    most = max(site.classes, default=0)
    return site.classes.index(most) if site.classes else 0, -most / max(sum(site.classes), 1)


def _heat_row(sites: Sequence[SiteMakeup], place: int, height: float) -> Markup:
    """One path per shade: the darker, the larger the share of the site's samples."""
    width = (HALF - RIGHT - LEFT) / len(sites)
    shades: dict[int, list[int]] = {}
    for column, site in enumerate(sites):
        share = site.classes[place] / max(sum(site.classes), 1)
        shades.setdefault(-int(-share * SHADES // 1), []).append(column)
    box = f"v{coordinate(height - 1)}h-{width:.3f}z"
    return markup(
        *(
            element(
                "path",
                d="".join(
                    f"M{LEFT + column * width:.3f},{coordinate(place * height)}h{width:.3f}{box}"
                    for column in columns
                ),
                class_="heat",
                fill_opacity=shade / SHADES,
            )
            for shade, columns in sorted(shades.items())
            if shade
        )
    )


def _histogram(sizes: Sequence[int]) -> Markup:
    """How many sites have how many samples."""
    step = max(1, round(round_step(max(max(sizes) - min(sizes), 1) / BINS)))
    first = min(sizes) // step
    counts = [0] * (max(sizes) // step - first + 1)
    for size in sizes:
        counts[size // step - first] += 1
    x = Axis(first * step, (first + len(counts)) * step, LEFT, HALF - RIGHT)
    y = linear_axis(counts, HEIGHT - BOTTOM, 8, zero=True)
    return element(
        "svg",
        *(_level(y(tick), number(tick, 0)) for tick in y.ticks() if tick == round(tick)),
        *(_column(x, y, (first + k) * step, step, count) for k, count in enumerate(counts)),
        *(_mark(x(tick), number(tick, 0)) for tick in x.ticks() if tick == round(tick)),
        element("text", "samples", x=(LEFT + HALF) / 2, y=HEIGHT - 4, class_="tick middle"),
        viewBox=f"0 0 {coordinate(HALF)} {coordinate(HEIGHT)}",
        class_="chart",
        role="img",
    )


def _level(y: float, label: str) -> Markup:
    line = element("line", x1=LEFT, x2=HALF - RIGHT, y1=y, y2=y, class_="grid")
    return markup(line, element("text", label, x=LEFT - 10, y=y + 4, class_="tick end"))


def _mark(x: float, label: str) -> Markup:
    bottom = HEIGHT - BOTTOM
    line = element("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="axis")
    return markup(line, element("text", label, x=x, y=bottom + 18, class_="tick middle"))


def _column(x: Axis, y: Axis, start: int, step: int, count: int) -> Markup:
    if not count:
        return markup()
    tip = f"{count} sites with {start}" + (f" to {start + step - 1}" if step > 1 else "")
    left, right, top = x(start), x(start + step), y(count)
    return element(
        "rect",
        element("title", f"{tip} samples"),
        x=left + 0.5,
        y=top,
        width=max(right - left - 1, 0.5),
        height=y.start - top,
        class_="heat",
    )
