# SPDX-License-Identifier: Apache-2.0
"""When orders were done and where robots stood, as ``artefacts/traffic.json`` has it."""

from dataclasses import dataclass

from cluster.report.audit.typed import rows_of
from cluster.report.fields import Fields
from cluster.report.replay import Floor
from cluster.report.simulation.typed import count, counts, grid
from sim.errors import InputError


@dataclass(frozen=True)
class Traffic:
    """What happened under one controller.

    Args:
        bin_ticks: length of a stretch of time; the last may be shorter.
        finished: orders done in each stretch, one list per world that did not fail.
        block_cells: side of a block of the floor, in cells.
        visits: robot-ticks in each block, over all worlds.
        stopped: of these, those that were waiting or refused.
    """

    controller: str
    bin_ticks: int
    finished: list[list[int]]
    block_cells: int
    visits: list[list[int]]
    stopped: list[list[int]]


def read_traffic(document: object, where: str, floor: Floor) -> list[Traffic]:
    """Check and convert the document.

    Raises:
        InputError: a field is missing, of the wrong kind, or contradicts another or the floor.
    """
    Fields(document, where).items("rows")
    return [_traffic(fields, floor) for fields in rows_of(Fields(document, where), "rows")]


def _traffic(fields: Fields, floor: Floor) -> Traffic:
    block = count(fields, "block_cells", 1)
    height, width = count(fields, "height", 1), count(fields, "width", 1)
    wanted = -(-floor.height // block), -(-floor.width // block)
    if (height, width) != wanted:
        raise InputError(
            f"{fields.where}: 'height' and 'width' are {height} and {width}; blocks of {block} "
            f"cells need {wanted[0]} and {wanted[1]} on this floor"
        )
    visits, stopped = (grid(fields, name, height, width) for name in ("visits", "stopped"))
    if any(s > v for rows in zip(visits, stopped, strict=True) for v, s in zip(*rows, strict=True)):
        raise InputError(f"{fields.where}: 'stopped' has more robot-ticks than 'visits' in a block")
    return Traffic(
        fields.text("controller"),
        count(fields, "bin_ticks", 1),
        _finished(fields),
        block,
        visits,
        stopped,
    )


def _finished(fields: Fields) -> list[list[int]]:
    """Stretches by world; a world that failed has null."""
    where = f"{fields.where}: 'finished'"
    worlds = [w for w in fields.items("finished") if w is not None]
    found = [counts(world, f"{where}: world {i}") for i, world in enumerate(worlds)]
    if len({len(world) for world in found}) > 1:
        raise InputError(f"{where} must have as many numbers in each world")
    return found
