# SPDX-License-Identifier: Apache-2.0
"""One instance under its best coordinator, as ``artefacts/replay.json`` has it."""

from dataclasses import dataclass
from itertools import pairwise

from cluster.report.fields import Fields, list_of
from sim.errors import InputError


@dataclass(frozen=True)
class Floor:
    """The layout as rows of characters: ``.`` free, ``@`` obstacle, ``S`` and ``E`` stations."""

    name: str
    height: int
    width: int
    rows: list[str]


@dataclass(frozen=True)
class Trip:
    """One robot: it enters ``cells[k]`` at ``times_s[k]`` and leaves the floor at the last."""

    cells: list[int]
    times_s: list[float]
    free_s: float | None

    @property
    def wait_s(self) -> float:
        """How much later it arrives than it would alone."""
        alone = self.times_s[-1] - self.times_s[0] if self.free_s is None else self.free_s
        return max(0.0, self.times_s[-1] - alone)


@dataclass(frozen=True)
class Replay:
    """Everything that the animation and the Gantt chart draw."""

    instance: str
    coordinator: str
    objective: str
    cost_s: float | None
    headway_s: float | None
    floor: Floor
    trips: list[Trip]
    critical_path: list[tuple[int, int]]
    plain_fcfs: tuple[float | None, float | None] | None

    @property
    def end_s(self) -> float:
        """When the last robot has left the floor."""
        return max((trip.times_s[-1] for trip in self.trips), default=0.0)


def read_replay(document: object, where: str) -> Replay:
    """Check and convert the document.

    Raises:
        InputError: a field is missing, of the wrong kind, or contradicts another.
    """
    fields = Fields(document, where)
    floor = _floor(fields.inner("layout"))
    robots = [Fields(r, f"{where}: robot {i}") for i, r in enumerate(fields.items("robots"))]
    trips = [_trip(robot, floor) for robot in robots]
    return Replay(
        instance=fields.text("instance"),
        coordinator=fields.text("coordinator"),
        objective=fields.text("objective"),
        cost_s=fields.number("cost_s"),
        headway_s=fields.number("headway_s"),
        floor=floor,
        trips=trips,
        critical_path=[_event(e, trips, where) for e in fields.items("critical_path")],
        plain_fcfs=_deadlock(fields),
    )


def _floor(fields: Fields) -> Floor:
    rows = [str(row) for row in fields.items("rows")]
    floor = Floor(fields.text("name"), fields.whole("height"), fields.whole("width"), rows)
    if len(rows) != floor.height or any(len(row) != floor.width for row in rows):
        raise InputError(f"{fields.where}: the rows are not {floor.height} by {floor.width}")
    return floor


def _trip(fields: Fields, floor: Floor) -> Trip:
    cells = [c for c in fields.items("cells") if isinstance(c, int)]
    times = [float(t) for t in fields.items("times_s") if isinstance(t, int | float)]
    if not cells or len(times) != len(fields.items("cells")) + 1 or len(times) != len(cells) + 1:
        raise InputError(f"{fields.where}: needs cells, and one time more than cells")
    if not all(0 <= cell < floor.height * floor.width for cell in cells):
        raise InputError(f"{fields.where}: a cell lies outside the floor")
    if not all(a <= b < float("inf") for a, b in pairwise([0.0, *times])):
        raise InputError(f"{fields.where}: the times must be finite and must not fall")
    return Trip(cells, times, fields.number("free_s"))


def _event(document: object, trips: list[Trip], where: str) -> tuple[int, int]:
    match list_of(document, f"{where}: critical_path"):
        case [int(robot), int(index)] if 0 <= robot < len(trips):
            if 0 <= index < len(trips[robot].times_s):
                return robot, index
    raise InputError(f"{where}: critical_path has an event that is in no route")


def _deadlock(fields: Fields) -> tuple[float | None, float | None] | None:
    if fields.values.get("plain_fcfs") is None:
        return None
    plain = fields.inner("plain_fcfs")
    if not plain.flag("deadlocked"):
        return None
    return plain.number("at_s"), plain.number("robots_stuck")
