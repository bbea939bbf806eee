# SPDX-License-Identifier: Apache-2.0
"""Readers of the MovingAI formats: ``.map`` floors and ``.scen`` scenarios.

Source: N. Sturtevant, "Benchmarks for Grid-Based Pathfinding", 2012, and its format page. Any
bytes give a value or one ``InputError`` of the form ``path:line: what is wrong; what is allowed``.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.layout import Cells, Layout
from sim.text_files import quoted, read_lines, refuse, whole_number

PASSABLE = ".GSE"
BLOCKED = "@OTW"
MAX_SIDE_CELLS = 100_000


def read_map(path: Path) -> Layout:
    """Read a MovingAI or League of Robot Runners ``.map`` file.

    Passable are ``.``, ``G``, ``S`` (also a service point) and ``E`` (also an emitter); blocked
    are ``@``, ``O``, ``T`` and ``W``. The layout is named like the file, without the suffix.

    Raises:
        InputError: one line that names the file, the line and what is allowed.
    """
    lines = read_lines(path)
    height, width = _map_header(path, lines)
    rows = lines[4:]
    for number, row in enumerate(rows[:height], start=5):
        if len(row) != width:
            refuse(path, number, f"{len(row)} symbols; the header says width {width}")
        if unknown := set(row) - set(PASSABLE + BLOCKED):
            symbol = min(unknown)
            where = f"unknown symbol {quoted(symbol)} in column {row.index(symbol)}"
            refuse(path, number, f"{where}; allowed: {PASSABLE} (free), {BLOCKED} (obstacle)")
    if len(rows) != height:
        last = min(len(lines), 5 + height)
        refuse(path, last, f"{len(rows)} rows of symbols; the header says height {height}")
    symbols = np.frombuffer("".join(rows).encode("ascii"), dtype="S1").reshape(height, width)
    free = np.isin(symbols, np.array(list(PASSABLE), dtype="S1"))
    if not free.any():
        refuse(path, 5, f"no free cell; at least one of {PASSABLE} is needed")
    return Layout(
        name=path.stem,
        free=free,
        emitters=np.flatnonzero(symbols == b"E").astype(np.int32),
        service_points=np.flatnonzero(symbols == b"S").astype(np.int32),
    )


def _map_header(path: Path, lines: list[str]) -> tuple[int, int]:
    """Height and width, from the first four lines."""
    if not lines or lines[0].split() != ["type", "octile"]:
        refuse(path, 1, f"starts with {quoted(lines[0] if lines else '')}; needed: 'type octile'")
    size = []
    for number, name in ((2, "height"), (3, "width")):
        words = lines[number - 1].split() if len(lines) >= number else []
        if len(words) != 2 or words[0] != name:
            refuse(path, number, f"found {quoted(' '.join(words))}; needed: '{name} NUMBER'")
        size.append(whole_number(path, number, words[1], name, 1, MAX_SIDE_CELLS))
    if len(lines) < 4 or lines[3].strip() != "map":
        refuse(path, 4, f"found {quoted(lines[3] if len(lines) > 3 else '')}; needed: 'map'")
    return size[0], size[1]


def format_map(layout: Layout) -> str:
    """Return the text of a ``.map`` file that ``read_map`` turns into the same layout again.

    A cell that is both emitter and service point is written as an emitter.
    """
    symbols = np.where(layout.free, ".", "@")
    symbols.ravel()[layout.service_points] = "S"
    symbols.ravel()[layout.emitters] = "E"
    header = f"type octile\nheight {layout.height}\nwidth {layout.width}\nmap\n"
    return header + "".join("".join(row) + "\n" for row in symbols)


@dataclass(frozen=True, eq=False)
class Scenario:
    """Start and goal pairs on a map; the cells are linear, ``row * width + column``.

    Args:
        map_name: as the file says it, perhaps with folders.
        height: rows of that map.
        width: columns of that map.
        starts: ``[N]`` cells.
        goals: ``[N]`` cells.
        buckets: ``[N]`` difficulty class of each pair.
        optimal_lengths: ``[N]`` shortest distance on the eight-connected grid, in cells.
    """

    map_name: str
    height: int
    width: int
    starts: Cells
    goals: Cells
    buckets: NDArray[np.int64]
    optimal_lengths: NDArray[np.float64]


def read_scenario(path: Path, layout: Layout | None = None) -> Scenario:
    """Read a MovingAI ``.scen`` file, and check it against the map where ``layout`` is given.

    Raises:
        InputError: one line that names the file, the line and what is allowed.
    """
    lines = read_lines(path)
    if not lines or lines[0].split() not in (["version", "1"], ["version", "1.0"]):
        refuse(path, 1, f"starts with {quoted(lines[0] if lines else '')}; needed: 'version 1'")
    if len(lines) < 2:
        refuse(path, 2, "no start and goal pair; at least one is needed")
    height, width = (layout.height, layout.width) if layout else _scenario_size(path, lines[1])
    rows = [_pair(path, number, line, height, width) for number, line in enumerate(lines[1:], 2)]
    names = [row[1] for row in rows]
    for number, row in enumerate(rows, start=2):
        if row[1] != names[0]:
            refuse(path, number, f"map {quoted(row[1])} after {quoted(names[0])}; one is allowed")
        for what, cell in (("start", row[2]), ("goal", row[3])):
            if layout and not layout.free.ravel()[cell]:
                place = f"{what} in row {cell // width}, column {cell % width}"
                refuse(
                    path, number, f"{place} is an obstacle of {layout.name}; allowed: free cells"
                )
    return Scenario(
        map_name=names[0],
        height=height,
        width=width,
        starts=np.array([row[2] for row in rows], dtype=np.int32),
        goals=np.array([row[3] for row in rows], dtype=np.int32),
        buckets=np.array([row[0] for row in rows], dtype=np.int64),
        optimal_lengths=np.array([row[4] for row in rows], dtype=np.float64),
    )


def _columns(path: Path, number: int, line: str) -> list[str]:
    columns = line.split("\t") if "\t" in line else line.split()
    if len(columns) != 9:
        names = "bucket, map, width, height, start x, start y, goal x, goal y, length"
        refuse(path, number, f"{len(columns)} columns; needed: 9 ({names}), split by tabs")
    return [column.strip() for column in columns]


def _scenario_size(path: Path, line: str) -> tuple[int, int]:
    columns = _columns(path, 2, line)
    width = whole_number(path, 2, columns[2], "map width", 1, MAX_SIDE_CELLS)
    return whole_number(path, 2, columns[3], "map height", 1, MAX_SIDE_CELLS), width


def _pair(
    path: Path, number: int, line: str, height: int, width: int
) -> tuple[int, str, int, int, float]:
    """Bucket, map, start cell, goal cell and length of one line."""
    columns = _columns(path, number, line)
    bucket = whole_number(path, number, columns[0], "bucket", 0, 2**31 - 1)
    for name, text, size in (("width", columns[2], width), ("height", columns[3], height)):
        whole_number(path, number, text, f"map {name}", size, size)
    cells = []
    for what, (x, y) in (("start", columns[4:6]), ("goal", columns[6:8])):
        column = whole_number(path, number, x, f"{what} x", 0, width - 1)
        cells.append(whole_number(path, number, y, f"{what} y", 0, height - 1) * width + column)
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?", columns[8]) or math.isinf(
        length := float(columns[8])
    ):
        refuse(path, number, f"optimal length is {quoted(columns[8])}; allowed: 0 or more")
    return bucket, columns[1], cells[0], cells[1], length
