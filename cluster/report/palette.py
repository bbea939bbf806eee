# SPDX-License-Identifier: Apache-2.0
"""One colour and one shape per coordinator, the same in every chart and every report."""

from cluster.report.markup import Markup, coordinate, element

KNOWN = (
    *("fcfs", "priority", "insertion", "milp"),
    *("tree_search", "cma", "local_search", "portfolio"),
)
COLOURS = 11
SHAPES = ("circle", "square", "diamond", "triangle")


def colour(name: str, names: list[str]) -> str:
    """The CSS colour of a coordinator; names that are not built in follow in run order."""
    return f"var(--series-{_position(name, names) % COLOURS})"


def marker(name: str, names: list[str], x: float, y: float, size: float = 4.5) -> Markup:
    """The mark of a coordinator at a point."""
    shape = SHAPES[_position(name, names) % len(SHAPES)]
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=size)
    outline = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    }[shape]
    corners = [f"{coordinate(x + size * u)},{coordinate(y + size * v)}" for u, v in outline]
    return element("polygon", points=" ".join(corners))


def _position(name: str, names: list[str]) -> int:
    if name in KNOWN:
        return KNOWN.index(name)
    return len(KNOWN) + [other for other in names if other not in KNOWN].index(name)
