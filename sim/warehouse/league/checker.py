# SPDX-License-Identifier: Apache-2.0
"""An independent checker of the league's output files.

It knows the problem, the file and the official rules, and nothing of the worlds that write such
files: it drives the robots along ``actualPaths``, hands out orders by ``actualSchedule``, and
compares all that follows from these two with what the file says.

The rules are those of the league's program as long as its executor keeps its time. A program whose
executor was late lets ticks pass that are in no path; such a file has faults here.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.lorr import Problem
from sim.warehouse.league.book import Book
from sim.warehouse.league.claims import Claims, read_claims
from sim.warehouse.league.delays import league_intervals
from sim.warehouse.league.motion import OFF_FLOOR, Robots, move, robots_at

ORIENTATIONS = "ESWN"


@dataclass(frozen=True, order=True)
class Fault:
    """Something in an output file that cannot be.

    Args:
        tick: how many ticks had passed: for an action before it, for an errand after it.
        robots: who is concerned.
        what: the fault.
    """

    tick: int
    robots: tuple[int, ...]
    what: str

    def __str__(self) -> str:
        who = " and ".join(map(str, self.robots))
        return f"tick {self.tick}{', robot ' if who else ''}{who}: {self.what}"


def check_output(output: dict[str, Any], problem: Problem) -> list[Fault]:
    """All faults of an output, ascending by tick.

    Args:
        output: the object in the file, of output level 1.
        problem: what was to be done.

    Raises:
        InputError: fields are missing or have another form than the league's.
    """
    claims = read_claims(output)
    faults = list(_head_faults(claims, problem))
    if claims.numbers["teamSize"] != problem.team_size:
        return faults
    faults += _delay_faults(claims, problem)
    return sorted([*faults, *_run_faults(claims, problem)])


def _head_faults(claims: Claims, problem: Problem) -> Iterator[Fault]:
    """Numbers and starts that do not fit the problem or the file."""
    expected = {
        "teamSize": problem.team_size,
        "agentMaxCounter": problem.ticks_per_action,
        "numPlannerErrors": claims.listed["errors"],
        "numScheduleErrors": claims.listed["scheduleErrors"],
    }
    for name, number in expected.items():
        if claims.numbers[name] != number:
            yield Fault(0, (), f"{name} is {claims.numbers[name]}, and should be {number}")
    for robot, (start, cell) in enumerate(zip(claims.starts, problem.starts, strict=False)):
        right = [*problem.layout.row_column(cell), ORIENTATIONS[0]]
        if start != right:
            yield Fault(0, (robot,), f"start is {start}, and should be {right}")


def _delay_faults(claims: Claims, problem: Problem) -> Iterator[Fault]:
    """Delays that the seed does not give, and actions of delayed robots."""
    drawn = league_intervals(problem.delays, problem.team_size, len(claims.actions))
    for robot, (said, right) in enumerate(zip(claims.delays, drawn, strict=True)):
        if (rows := said.tolist()) != right:
            for odd in sorted((rows + right), key=tuple):
                if rows.count(odd) != right.count(odd):
                    source = "file" if odd in rows else "seed"
                    yield Fault(odd[0], (robot,), f"delay {odd} is in the {source} only")
                    break
            else:
                yield Fault(rows[0][0], (robot,), "delays are not in sequence")
        for start, end in rows:
            acts = np.flatnonzero(claims.actions[max(start, 0) : max(end, 0), robot])
            if len(acts):
                yield Fault(max(start, 0) + int(acts[0]), (robot,), "acts while it is delayed")


def _run_faults(claims: Claims, problem: Problem) -> Iterator[Fault]:
    """Drive along the paths tick by tick, and keep the book of orders."""
    robots = robots_at(problem.starts, problem.layout.width)
    book = Book(problem)
    events: list[tuple[int, ...]] = []
    ticks = len(claims.actions)
    wishes = _by_tick(claims)
    yield from _length_faults(claims)
    for tick, actions in enumerate(claims.actions):
        for robot, reason in book.assign(wishes.pop(tick, {})).items():
            yield Fault(tick, (robot,), reason)
        if tick % claims.numbers["outputSegmentSize"] == 0:
            yield from _snapshot_faults(claims, robots, tick)
        moved = move(robots, actions, problem.ticks_per_action, problem.layout.free)
        yield from _motion_faults(tick, moved.tolist())
        events += book.visit(tick + 1, robots.row * problem.layout.width + robots.column)
    for tick, late in wishes.items():
        yield Fault(tick, tuple(late), f"is given a task when {ticks} ticks are all")
    yield from _event_faults(claims, events)
    yield from _task_faults(claims, book)
    said = claims.numbers["numTaskFinished"]
    if said != book.num_finished:
        yield Fault(ticks, (), f"numTaskFinished is {said}, and {book.num_finished} are finished")


def _by_tick(claims: Claims) -> dict[int, dict[int, int]]:
    """The task that each robot is given, by ticks."""
    wishes: dict[int, dict[int, int]] = {}
    for tick, robot, task in claims.changes.tolist():
        wishes.setdefault(tick, {})[robot] = task
    return wishes


def _length_faults(claims: Claims) -> Iterator[Fault]:
    """Segments that do not begin or end where they should."""
    ticks, size = len(claims.actions), claims.numbers["outputSegmentSize"]
    right = [[tick, min(size, ticks - tick)] for tick in range(0, ticks, size)]
    for robot, segments in enumerate(claims.snapshots):
        said = [[segment[0], segment[-1]] for segment in segments]
        if said != right:
            odd = next((s for s, r in zip(said, right, strict=False) if s != r), None)
            what = f"segment {odd} (first tick, ticks)" if odd else f"{len(said)} segments"
            what += f"; with {size} ticks each of {ticks} there are {len(right)}"
            yield Fault(odd[0] if odd else ticks, (robot,), what)


def _snapshot_faults(claims: Claims, robots: Robots, tick: int) -> Iterator[Fault]:
    """States at the start of segments; the program writes the first one into all, which is fine."""
    number = tick // claims.numbers["outputSegmentSize"]
    right = np.stack([*robots[:4]], axis=1).tolist()
    for robot, segments in enumerate(claims.snapshots):
        said = segments[number][1:5] if number < len(segments) else right[robot]
        first_only = all(segment[1:5] == segments[0][1:5] for segment in segments)
        if said != right[robot] and not (number > 0 and first_only):
            what = f"row, column, orientation, counter are {said} in actualPaths, and should be "
            yield Fault(tick, (robot,), f"{what}{right[robot]}")


def _motion_faults(tick: int, faults: list[list[int]]) -> Iterator[Fault]:
    for kind, robot, one, two in faults:
        if kind == OFF_FLOOR:
            yield Fault(tick, (robot,), f"drives to row {one}, column {two}, which is no floor")
        else:
            yield Fault(tick, tuple(sorted((robot, one))), "overlap")


def _event_faults(claims: Claims, events: list[tuple[int, ...]]) -> Iterator[Fault]:
    """Events that are not, and errands that are done and in no event."""
    said, right = Counter(map(tuple, claims.events.tolist())), Counter(events)
    for (tick, robot, task, errand), times in (said - right).items():
        what = f"errand {errand} of task {task} is an event {times} times too often"
        yield Fault(tick, (robot,), what)
    for tick, robot, task, errand in right - said:
        yield Fault(tick, (robot,), f"errand {errand} of task {task} is done, and no event")
    ticks = claims.events[:, 0]
    for place in np.flatnonzero(np.diff(ticks) < 0)[:1].tolist():
        yield Fault(int(ticks[place + 1]), (), "events are not in sequence")


def _task_faults(claims: Claims, book: Book) -> Iterator[Fault]:
    """Tasks with other numbers, ticks or places than those that are revealed."""
    width = book.problem.layout.width
    for number, (said, tick) in enumerate(zip(claims.tasks, book.revealed_ticks, strict=False)):
        places = [part for cell in book.cells(number).tolist() for part in divmod(cell, width)]
        if said != (number, tick, places):
            right = f"{number} at tick {tick} with places {places}"
            yield Fault(tick, (), f"task {said[0]} at tick {said[1]} should be {right}")
    if len(claims.tasks) != len(book.revealed_ticks):
        what = f"{len(claims.tasks)} tasks are listed, and {len(book.revealed_ticks)} revealed"
        yield Fault(len(claims.actions), (), what)
