# SPDX-License-Identifier: Apache-2.0
"""JSON lines that survive a crash: a line is there as a whole or not at all."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from sim.errors import InputError

Line = dict[str, Any]


class Journal:
    """An append-only file of JSON objects, one per line, synced to the disk after each.

    Opening drops a last line that a crash cut short. Use as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines, intact_bytes = read_journal(path)
        # Unbuffered: after a failed write nothing may wait in memory to be written later.
        self._file = path.open("ab", buffering=0)
        self._file.truncate(intact_bytes)

    def append(self, line: Mapping[str, object]) -> None:
        """Write one line; on a failed write the file ends as before.

        Raises:
            OSError: the line could not be written, as on a full disk.
        """
        data = (json.dumps(line, allow_nan=False) + "\n").encode()
        end = self._file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:
            with suppress(OSError):
                self._file.truncate(end)
            raise
        self.lines.append(dict(line))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path) -> tuple[list[Line], int]:
    """The complete lines of a journal, and how many bytes they take; none if it is not there.

    Raises:
        InputError: a complete line is not a JSON object, so the file was changed by hand.
    """
    data = path.read_bytes() if path.exists() else b""
    intact_bytes = data.rfind(b"\n") + 1
    lines = data[:intact_bytes].splitlines()
    return [_parse(line, f"{path}, line {i}") for i, line in enumerate(lines, 1)], intact_bytes


def _parse(line: bytes, where: str) -> Line:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{where} is not a JSON object; repair or delete that line")
    return value
