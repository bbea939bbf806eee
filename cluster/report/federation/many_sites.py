# SPDX-License-Identifier: Apache-2.0
"""Who has what among many sites: a heat map of the classes, and a histogram of the sizes."""

from collections.abc import Sequence

from cluster.report.axis import Axis, linear_axis, round_step
from cluster.report.federation.makeup_file import Makeup, SiteMakeup
from cluster.report.markup import Markup, coordinate, element, markup
from cluster.report.wording import number

MOST_COLUMNS = 400
"""Of more sites so many are drawn, evenly spaced in the order of their main class."""
SHADES = 8
BINS = 24
WIDTH, HEIGHT = 560.0, 300.0
LEFT, RIGHT, BOTTOM = 74.0, 10.0, 40.0


def heat_map(makeup: Makeup) -> Markup:
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
    middle = (LEFT + WIDTH - RIGHT) / 2
    return element(
        "svg",
        *rows,
        *labels,
        element("text", told, x=middle, y=HEIGHT - 14, class_="tick middle"),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(HEIGHT)}",
        class_="chart",
        role="img",
    )


def _main_class(site: SiteMakeup) -> tuple[int, float]:
    """The class with most samples, and the less of it the later."""
    most = max(site.classes, default=0)
    return site.classes.index(most) if site.classes else 0, -most / max(sum(site.classes), 1)


def _heat_row(sites: Sequence[SiteMakeup], place: int, height: float) -> Markup:
    """One path per shade: the stronger, the larger the share of the site's samples."""
    width = (WIDTH - RIGHT - LEFT) / len(sites)
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


def histogram(sizes: Sequence[int], things: str = "samples") -> Markup:
    """How many sites have how many samples, or other things."""
    step = max(1, round(round_step(max(max(sizes) - min(sizes), 1) / BINS)))
    first = min(sizes) // step
    counts = [0] * (max(sizes) // step - first + 1)
    for size in sizes:
        counts[size // step - first] += 1
    x = Axis(first * step, (first + len(counts)) * step, LEFT, WIDTH - RIGHT)
    y = linear_axis(counts, HEIGHT - BOTTOM, 8, zero=True)
    return element(
        "svg",
        *(_level(y(tick), number(tick, 0)) for tick in y.ticks() if tick == round(tick)),
        *(_column(x, y, (first + k) * step, step, count, things) for k, count in enumerate(counts)),
        *(_mark(x(tick), number(tick, 0)) for tick in x.ticks() if tick == round(tick)),
        element("text", things, x=(LEFT + WIDTH) / 2, y=HEIGHT - 4, class_="tick middle"),
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(HEIGHT)}",
        class_="chart",
        role="img",
    )


def _level(y: float, label: str) -> Markup:
    line = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    return markup(line, element("text", label, x=LEFT - 10, y=y + 4, class_="tick end"))


def _mark(x: float, label: str) -> Markup:
    bottom = HEIGHT - BOTTOM
    line = element("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="axis")
    return markup(line, element("text", label, x=x, y=bottom + 18, class_="tick middle"))


def _column(x: Axis, y: Axis, start: int, step: int, count: int, things: str) -> Markup:
    if not count:
        return markup()
    tip = f"{count} sites with {start}" + (f" to {start + step - 1}" if step > 1 else "")
    left, right, top = x(start), x(start + step), y(count)
    return element(
        "rect",
        element("title", f"{tip} {things}"),
        x=left + 0.5,
        y=top,
        width=max(right - left - 1, 0.5),
        height=y.start - top,
        class_="heat",
    )
