# SPDX-License-Identifier: Apache-2.0
"""Values that the documents of a simulation have: counts, shares, and grids of counts."""

from cluster.report.audit.typed import whole_or_none
from cluster.report.fields import Fields, list_of
from sim.errors import InputError


def count(fields: Fields, name: str, least: int = 0) -> int:
    """A whole number from ``least`` on.

    Raises:
        InputError: there is none.
    """
    value = fields.whole(name)
    if value < least:
        raise InputError(f"{fields.where}: {name!r} must be {least} or more, found {value}")
    return value


def count_or_none(fields: Fields, name: str) -> int | None:
    """A whole number from 0 on, or None where it is absent or null.

    Raises:
        InputError: it is of another kind.
    """
    return None if whole_or_none(fields, name) is None else count(fields, name)


def amount(fields: Fields, name: str) -> float | None:
    """A number from 0 on, or None where it is absent or null.

    Raises:
        InputError: it is of another kind.
    """
    value = fields.number(name)
    if value is not None and value < 0:
        raise InputError(f"{fields.where}: {name!r} must be 0 or more, found {value:g}")
    return value


def share(fields: Fields, name: str) -> float | None:
    """A number from 0 to 1, or None where it is absent or null.

    Raises:
        InputError: it is of another kind.
    """
    value = amount(fields, name)
    if value is not None and value > 1:
        raise InputError(f"{fields.where}: {name!r} must be at most 1, found {value:g}")
    return value


def counts(document: object, where: str, length: int | None = None) -> list[int]:
    """Whole numbers from 0 on.

    Raises:
        InputError: one is of another kind, or they are not ``length``.
    """
    found = list_of(document, where)
    whole = [n for n in found if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
    if len(whole) < len(found):
        wrong = next(n for n in found if n not in whole or isinstance(n, bool))
        raise InputError(f"{where}: must be whole numbers from 0 on, found {wrong!r:.40}")
    if length is not None and len(whole) != length:
        raise InputError(f"{where}: must be {length} numbers, found {len(whole)}")
    return whole


def grid(fields: Fields, name: str, height: int, width: int) -> list[list[int]]:
    """Rows of whole numbers from 0 on.

    Raises:
        InputError: a number is of another kind, or they are not ``height`` by ``width``.
    """
    rows = fields.items(name)
    if len(rows) != height:
        raise InputError(f"{fields.where}: {name!r} must be {height} rows, found {len(rows)}")
    where = f"{fields.where}: {name!r}"
    return [counts(row, f"{where}: row {i}", width) for i, row in enumerate(rows)]


def texts(fields: Fields, name: str) -> list[str]:
    """Texts.

    Raises:
        InputError: it is no list, or one is no text.
    """
    found = fields.items(name)
    for text in found:
        if not isinstance(text, str):
            raise InputError(f"{fields.where}: {name!r} must be texts, found {text!r:.40}")
    return [str(text) for text in found]
