# SPDX-License-Identifier: Apache-2.0
"""Where robots were in some ticks, as ``artefacts/film.json`` has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cluster.report.audit.typed import rows_of
from cluster.report.fields import Fields
from cluster.report.replay import Floor
from cluster.report.simulation.typed import count, counts, texts
from sim.errors import InputError

TENTHS = 10
HEADINGS = "0123"
FREE, ON_THE_WAY, CARRYING = ".", "0", "1"
STATES = FREE + ON_THE_WAY + CARRYING


@dataclass(frozen=True)
class Film:
    """Some robots of one world under one controller.

    Args:
        turning: whether robots must turn, so that headings mean something.
        from_tick: the tick of the first picture.
        x, y: columns and rows of the robots in tenths of a cell, one list per picture.
        heading: one digit per robot and picture: 0 north, 1 east, 2 south, 3 west.
        states: one symbol of :data:`STATES` per robot and picture: without an order, before and
            after the first errand of its order.
    """

    controller: str
    world: int
    ticks_per_action: int
    turning: bool
    from_tick: int
    x: list[list[int]]
    y: list[list[int]]
    heading: list[str]
    states: list[str]

    @property
    def robots(self) -> int:
        """How many are shown."""
        return len(self.x[0])


def read_films(document: object, where: str, floor: Floor) -> list[Film]:
    """Check and convert the document.

    Raises:
        InputError: a field is missing, of the wrong kind, or contradicts another or the floor.
    """
    Fields(document, where).items("rows")
    return [_film(fields, floor) for fields in rows_of(Fields(document, where), "rows")]


def _film(fields: Fields, floor: Floor) -> Film:
    x, y = _places(fields, "x", floor.width), _places(fields, "y", floor.height)
    shape = len(x), len(x[0])
    if (len(y), len(y[0])) != shape:
        raise InputError(f"{fields.where}: 'y' must be {shape[0]} by {shape[1]} as 'x' is")
    return Film(
        controller=fields.text("controller"),
        world=count(fields, "world"),
        ticks_per_action=count(fields, "ticks_per_action", 1),
        turning=fields.flag("turning") or False,
        from_tick=count(fields, "from_tick"),
        x=x,
        y=y,
        heading=_symbols(fields, "heading", HEADINGS, shape),
        states=_symbols(fields, "begun", STATES, shape),
    )


def _places(fields: Fields, name: str, cells: int) -> list[list[int]]:
    """Pictures of as many robots each, on the floor and without jumps."""
    where = f"{fields.where}: {name!r}"
    rows = fields.items(name)
    if not rows or not rows[0]:
        raise InputError(f"{where} has no robots")
    first = counts(rows[0], f"{where}: tick 0")
    places = [counts(row, f"{where}: tick {i}", len(first)) for i, row in enumerate(rows)]
    if any(place > TENTHS * (cells - 1) for row in places for place in row):
        raise InputError(f"{where} has a robot beside the floor of {cells} cells")
    if any(_jumps(before, after) for before, after in pairwise(places)):
        raise InputError(f"{where} has a robot that moves more than one cell in a tick")
    return places


def _jumps(before: Sequence[int], after: Sequence[int]) -> bool:
    return any(abs(b - a) > TENTHS for a, b in zip(before, after, strict=True))


def _symbols(fields: Fields, name: str, allowed: str, shape: tuple[int, int]) -> list[str]:
    """One text per picture, one symbol per robot."""
    found = texts(fields, name)
    if len(found) != shape[0] or any(len(text) != shape[1] for text in found):
        raise InputError(f"{fields.where}: {name!r} must be {shape[0]} texts of {shape[1]} symbols")
    strange = set("".join(found)) - set(allowed)
    if strange:
        raise InputError(
            f"{fields.where}: {name!r} has {min(strange)!r}; allowed: {' '.join(allowed)}"
        )
    return found
