# SPDX-License-Identifier: Apache-2.0
"""Reader of League of Robot Runners problems: map, robots, tasks and delays behind one JSON file.

Source: the league's Start-Kit, ``Input_Output_Format.md`` (2026). Any bytes give a problem or one
``InputError`` of the form ``path:line: what is wrong; what is allowed``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.layout import Cells, Layout
from sim.readers import read_map
from sim.text_files import quoted, read_lines, refuse, shown, whole_number

MAX_COUNT = 10_000_000


@dataclass(frozen=True, eq=False)
class Problem:
    """One problem of the league; cells are linear, ``row * width + column``.

    Args:
        layout: the floor.
        starts: ``[N]`` distinct cells.
        tasks: for each task the cells of its errands, in the order they are due.
        reveal_ratio: how many tasks are known at a time, per robot.
        ticks_per_action: ticks that a move or a quarter turn takes.
        delays: how robots are delayed.
    """

    layout: Layout
    starts: Cells
    tasks: tuple[Cells, ...]
    reveal_ratio: float
    ticks_per_action: int
    delays: LorrDelayOptions

    @property
    def team_size(self) -> int:
        """N, the number of robots."""
        return len(self.starts)

    def stops(self, num_robots: int, tasks_per_robot: int = 1) -> list[Cells]:
        """Start and errands of the first robots, for ``plan_errands``.

        Tasks are dealt in turn: robot ``i`` gets tasks ``i``, ``i + num_robots`` and so on.

        Raises:
            InputError: more robots than the team has, or too few tasks.
        """
        if not 1 <= num_robots <= self.team_size:
            raise InputError(f"num_robots is {num_robots}; allowed: 1 to {self.team_size}")
        most = len(self.tasks) // num_robots
        if not 1 <= tasks_per_robot <= most:
            raise InputError(
                f"tasks_per_robot is {tasks_per_robot}; allowed for {num_robots} robots and "
                f"{len(self.tasks)} tasks: 1 to {most}"
            )
        dealt = self.tasks[: num_robots * tasks_per_robot]
        return [
            np.concatenate([self.starts[robot : robot + 1], *dealt[robot::num_robots]])
            for robot in range(num_robots)
        ]


@dataclass(frozen=True)
class _Fields:
    """A JSON object with the lines it came from."""

    path: Path
    lines: list[str]
    values: dict[str, Any]

    def refuse(self, key: str, problem: str) -> NoReturn:
        """Raise for one key, at the first line that mentions it."""
        mentions = (line for line, text in enumerate(self.lines, 1) if f'"{key}"' in text)
        refuse(self.path, next(mentions, 1), f"{key} {problem}")

    def value(self, key: str, default: Any, kinds: tuple[type, ...], what: str) -> Any:
        """Return the value of a key, or ``default`` where that is not None and the key lacks."""
        value = self.values.get(key, default)
        if value is None:
            self.refuse(key, f"is missing; {what} is needed")
        if not isinstance(value, kinds) or isinstance(value, bool):
            self.refuse(key, f"is {quoted(value)}; {what} is needed")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        return str(self.value(key, default, (str,), "a string"))

    def whole(self, key: str, low: int, default: int | None = None) -> int:
        """Return a whole number from ``low`` on."""
        value = self.value(key, default, (int,), "a whole number")
        if not low <= value <= 2**32:
            self.refuse(key, f"is {quoted(value)}; allowed: {low} to {2**32}")
        return int(value)

    def real(self, key: str, default: float | None = None) -> float:
        """Return a number from 0 on."""
        value = self.value(key, default, (int, float), "a number")
        if not 0 <= value <= 10**9:
            self.refuse(key, f"is {quoted(value)}; allowed: 0 to {10**9}")
        return float(value)


def read_problem(path: Path) -> Problem:
    """Read a problem from its JSON file, or from a folder that holds exactly one.

    The files it names must lie in the folder of the JSON file or below. ``numTasksReveal``,
    ``agentCounter`` and ``delayConfig`` may lack (1, 10, no delays), as in earlier years.

    Raises:
        InputError: one line that names the file, the line and what is allowed.
    """
    fields = _read_object(_json_file(path))
    layout = read_map(_named_file(fields, "mapFile"))
    starts_path = _named_file(fields, "agentFile")
    rows = _read_cells(starts_path, layout)
    team_size = fields.whole("teamSize", 1)
    if team_size > len(rows):
        fields.refuse(
            "teamSize", f"is {team_size}; allowed: 1 to {len(rows)}, the robots there are"
        )
    return Problem(
        layout=layout,
        starts=_starts(starts_path, rows[:team_size]),
        tasks=tuple(cells for _, cells in _read_cells(_named_file(fields, "taskFile"), layout)),
        reveal_ratio=fields.real("numTasksReveal", 1.0),
        ticks_per_action=fields.whole("agentCounter", 1, 10),
        delays=_delays(fields),
    )


def _json_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    try:
        found = sorted(path.glob("*.json"))
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error}") from error
    if len(found) != 1:
        raise InputError(f"{shown(path)}: holds {len(found)} .json files; exactly one is needed")
    return found[0]


def _read_object(path: Path) -> _Fields:
    lines = read_lines(path)
    try:
        values = json.loads("\n".join(lines))
    except json.JSONDecodeError as error:
        refuse(path, error.lineno, f"no JSON: {error.msg} in column {error.colno}")
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path)}:1: no JSON: numbers too long or braces too deep"
        ) from error
    if not isinstance(values, dict):
        refuse(path, 1, f"holds {quoted(values)}; a JSON object is needed")
    return _Fields(path, lines, values)


def _named_file(fields: _Fields, key: str) -> Path:
    """The file that a key names, which must not lie outside the problem's folder."""
    name = fields.text(key)
    folder = fields.path.parent
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        fields.refuse(key, f"is {quoted(name)}; allowed: a path inside the folder of this file")
    return folder / name


def _read_cells(path: Path, layout: Layout) -> list[tuple[int, Cells]]:
    """Line number and cells of every row after the count; lines that start with ``#`` are left."""
    lines = [(n, text) for n, text in enumerate(read_lines(path), 1) if not text.startswith("#")]
    if not lines:
        refuse(path, 1, "empty; the number of rows is needed first")
    count = whole_number(path, lines[0][0], lines[0][1].strip(), "number of rows", 1, MAX_COUNT)
    if len(lines) - 1 != count:
        refuse(path, lines[-1][0], f"{len(lines) - 1} rows; the first line says {count}")
    return [(line, _row(path, line, text, layout)) for line, text in lines[1:]]


def _row(path: Path, line: int, text: str, layout: Layout) -> Cells:
    high = layout.free.size - 1
    cells = [whole_number(path, line, part.strip(), "cell", 0, high) for part in text.split(",")]
    for cell in cells:
        row, column = layout.row_column(cell)
        if not layout.free[row, column]:
            place = f"cell {cell} (row {row}, column {column})"
            refuse(path, line, f"{place} is an obstacle of {layout.name}; allowed: free cells")
    return np.array(cells, dtype=np.int32)


def _starts(path: Path, rows: list[tuple[int, Cells]]) -> Cells:
    taken: dict[int, int] = {}
    for line, cells in rows:
        if len(cells) != 1:
            refuse(path, line, f"{len(cells)} cells; a robot has one start")
        if cells[0] in taken:
            refuse(path, line, f"cell {cells[0]} is taken in line {taken[cells[0]]} already")
        taken[int(cells[0])] = line
    return np.array(list(taken), dtype=np.int32)


def _delays(problem: _Fields) -> LorrDelayOptions:
    config = problem.value("delayConfig", {}, (dict,), "an object")
    if not config:
        return LorrDelayOptions()
    fields = _Fields(problem.path, problem.lines, config)
    options: dict[str, Any] = {
        "seed": fields.whole("seed", 0),
        "min_delay_ticks": fields.whole("minDelay", 1),
        "max_delay_ticks": fields.whole("maxDelay", 1),
        "event_model": fields.text("eventModel"),
        "p_delay": fields.real("pDelay"),
        "duration_model": fields.text("durationModel"),
        "gauss_mean_ratio": fields.real("gaussMeanRatio", 0.5),
        "gauss_std_ratio": fields.real("gaussStdRatio", 0.0),
    }
    try:
        return LorrDelayOptions(**options)
    except InputError as error:
        problem.refuse("delayConfig", f"is not allowed: {error}")
