# SPDX-License-Identifier: Apache-2.0
"""The floor, as ``artefacts/floor.json`` has it."""

from cluster.report.fields import Fields
from cluster.report.replay import Floor
from cluster.report.simulation.typed import count, texts
from sim.errors import InputError

OBSTACLE = "@"
SYMBOLS = frozenset(".@ES")


def read_floor(document: object, where: str) -> Floor:
    """Check and convert the document.

    Raises:
        InputError: a field is missing, of the wrong kind, or contradicts another.
    """
    fields = Fields(document, where)
    height, width = count(fields, "height", 1), count(fields, "width", 1)
    rows = texts(fields, "rows")
    if len(rows) != height or any(len(row) != width for row in rows):
        raise InputError(f"{where}: 'rows' are not {height} by {width} symbols")
    strange = sorted(set("".join(rows)) - SYMBOLS)
    if strange:
        raise InputError(f"{where}: 'rows' have {strange[0]!r}; allowed: . @ E S")
    return Floor(fields.text("name"), height, width, rows)
