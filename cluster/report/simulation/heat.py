# SPDX-License-Identifier: Apache-2.0
"""Where robots stand, and where they are at all: blocks of the floor in colour, one scale each.

The scale is logarithmic, each colour twice the one before, for a queue is a hundred times as dense
as an aisle, and controllers must be comparable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.axis import round_step
from cluster.report.blocks import figure
from cluster.report.markup import Markup, element
from cluster.report.replay import Floor
from cluster.report.simulation.floor_file import OBSTACLE
from cluster.report.simulation.traffic_file import Traffic
from cluster.report.wording import capitalised, number, percent

LEVELS = 8

Grid = list[list[float]]
Box = tuple[int, int, int, int]
"""Column, row, columns, rows."""


@dataclass(frozen=True)
class Heat:
    """One map: robots per free cell of each block, on average over the ticks.

    Args:
        share: of all robot-ticks that are drawn.
    """

    controller: str
    block_cells: int
    density: Grid
    share: float | None


def density(grid: list[list[int]], block_cells: int, floor: Floor, world_ticks: int) -> Grid:
    """Robots per free cell of each block: robot-ticks over cells and ticks; 0 without such cells.

    Args:
        grid: robot-ticks, over all worlds.
        world_ticks: ticks of all worlds together.
    """
    return [
        [
            robot_ticks / (free * world_ticks) if free else 0.0
            for robot_ticks, free in zip(
                row, _free_cells(floor.rows[y * block_cells :][:block_cells], block_cells),
                strict=True,
            )
        ]
        for y, row in enumerate(grid)
    ]  # fmt: skip


def _free_cells(rows: Sequence[str], block_cells: int) -> list[int]:
    """Free cells of the blocks that these rows of the floor are cut into."""
    starts = range(0, len(rows[0]), block_cells)
    return [
        sum(symbol != OBSTACLE for row in rows for symbol in row[x : x + block_cells])
        for x in starts
    ]


def heat_of(traffic: Traffic, stopped: bool, floor: Floor, world_ticks: int) -> Heat:
    """The map of one controller: of robots that stand in the way, or of all."""
    grid = traffic.stopped if stopped else traffic.visits
    visits = sum(map(sum, traffic.visits))
    return Heat(
        traffic.controller,
        traffic.block_cells,
        density(grid, traffic.block_cells, floor, world_ticks),
        sum(map(sum, grid)) / visits if visits else None,
    )


def heat_maps(maps: Sequence[Heat], floor: Floor, what: str) -> Markup:
    """All maps on one scale, its key above them.

    Args:
        what: what a map shows of the share of robot-ticks, as ``stopped``; empty for all of them.
    """
    most = max((max(map(max, heat.density)) for heat in maps), default=0.0)
    top = round_step(most) if most > 0 else 1.0
    drawn = [_map(heat, floor, top, what) for heat in maps]
    return element("div", _key(top), element("div", *drawn, class_="pair"), class_="heats")


def level(value: float, top: float) -> int:
    """The colour of a density: 0 for none, :data:`LEVELS` from half the top on."""
    if value <= 0:
        return 0
    return min(LEVELS, max(1, LEVELS + math.floor(math.log2(value / top)) + 1))


def _key(top: float) -> Markup:
    swatches = [
        element("i", class_=f"h{n}", title=f"from {_robots(top * 2.0 ** (n - 1 - LEVELS))}")
        for n in range(1, LEVELS + 1)
    ]
    least, most = _robots(top * 2.0 ** (1 - LEVELS)), _robots(top)
    scale = element("span", f"robots per free cell: below {least} ", *swatches, f" {most}")
    return element("p", scale, class_="legend heat-key")


def _robots(value: float) -> str:
    decimals = max(0, 1 - math.floor(math.log10(value)))
    text = number(value, min(decimals, 6))
    return text.rstrip("0").rstrip(".") if "." in text else text


def _map(heat: Heat, floor: Floor, top: float, what: str) -> Markup:
    levels = [[level(value, top) for value in row] for row in heat.density]
    size = heat.block_cells
    blocks = []
    for n in range(1, LEVELS + 1):
        boxes = boxes_of([[here == n for here in row] for row in levels])
        if boxes:
            scaled = [tuple(size * side for side in box) for box in boxes]
            blocks.append(element("path", d="".join(map(_outline, scaled)), class_=f"h{n}"))
    racks = boxes_of([[symbol == OBSTACLE for symbol in row] for row in floor.rows])
    drawn = element(
        "svg",
        element("rect", width=floor.width, height=floor.height, class_="ground"),
        *blocks,
        element("path", d="".join(map(_outline, racks)), class_="rack"),
        viewBox=f"0 0 {floor.width} {floor.height}",
        class_="heat-map",
        role="img",
        aria_label=f"{_caption(heat, what)}; {_worst(heat)}",
    )
    told = element("p", capitalised(_worst(heat)), class_="heat-told")
    return figure(_caption(heat, what), drawn, told)


def _caption(heat: Heat, what: str) -> str:
    if not what:
        return heat.controller
    return f"{heat.controller}: {percent(heat.share, 1)} of the robot-ticks {what}"


def _worst(heat: Heat) -> str:
    """Where it is densest."""
    value, y, x = max((v, -y, -x) for y, row in enumerate(heat.density) for x, v in enumerate(row))
    if value <= 0:
        return "nowhere any"
    row, column = -y * heat.block_cells, -x * heat.block_cells
    return f"most {_robots(value)} per cell, at row {row}, column {column}"


def _outline(box: Sequence[int]) -> str:
    x, y, width, height = box
    return f"M{x} {y}h{width}v{height}h-{width}z"


def boxes_of(marked: Sequence[Sequence[bool]]) -> list[Box]:
    """Few rectangles that cover the marked places: runs of a row, merged with equal ones below."""
    done: list[Box] = []
    open_runs: dict[tuple[int, int], int] = {}
    for y, row in enumerate([*marked, []]):
        runs = set(_runs(row))
        for run in [run for run in open_runs if run not in runs]:
            top = open_runs.pop(run)
            done.append((run[0], top, run[1] - run[0], y - top))
        for run in sorted(runs):
            open_runs.setdefault(run, y)
    return done


def _runs(row: Sequence[bool]) -> list[tuple[int, int]]:
    """Begin and end of the stretches that are marked."""
    edges = [x for x in range(len(row) + 1)
             if (x < len(row) and row[x]) != (x > 0 and row[x - 1])]  # fmt: skip
    return list(zip(edges[::2], edges[1::2], strict=True))
