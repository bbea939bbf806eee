# SPDX-License-Identifier: Apache-2.0
"""Typed reading of JSON documents that came from outside."""

import json
import math
from pathlib import Path
from typing import NoReturn

from sim.errors import InputError


def read_json(path: Path) -> object:
    """The document in a file.

    Raises:
        InputError: the file cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: is not valid JSON ({reason})") from error


def list_of(document: object, where: str) -> list[object]:
    """The document as a list."""
    if not isinstance(document, list):
        raise InputError(f"{where}: must be a list, found {type(document).__name__}")
    return document


class Fields:
    """One JSON object; every getter says where a value of the wrong kind stands."""

    def __init__(self, document: object, where: str) -> None:
        if not isinstance(document, dict):
            raise InputError(f"{where}: must be an object, found {type(document).__name__}")
        self.values: dict[str, object] = document
        self.where = where

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self.values.get(name)
        return value if isinstance(value, str) else self._refuse(name, "a text")

    def whole(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.values.get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        return value if whole and isinstance(value, int) else self._refuse(name, "a whole number")

    def number(self, name: str) -> float | None:
        """A finite number, or None where it is absent, null or not finite."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(name, "a number or null")
        return float(value) if math.isfinite(value) else None

    def flag(self, name: str) -> bool | None:
        """True, False, or None where it is absent."""
        value = self.values.get(name)
        return value if value is None or isinstance(value, bool) else self._refuse(name, "a flag")

    def items(self, name: str) -> list[object]:
        """A list that must be there."""
        return list_of(self.values.get(name), f"{self.where}: {name!r}")

    def inner(self, name: str) -> "Fields":
        """An object that must be there."""
        return Fields(self.values.get(name), f"{self.where}: {name!r}")

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        found = json.dumps(self.values.get(name))[:40]
        raise InputError(f"{self.where}: {name!r} must be {wanted}, found {found}")
