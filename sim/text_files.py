# SPDX-License-Identifier: Apache-2.0
"""Reading text files that strangers wrote: a value, or one line that says where the fault is."""

import re
from pathlib import Path
from typing import NoReturn

from sim.errors import InputError

MAX_FILE_BYTES = 64 * 2**20


def shown(path: Path) -> str:
    """Return a path as it may stand in an error: one line, whatever its name holds."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def refuse(path: Path, line: int, problem: str) -> NoReturn:
    """Raise the InputError for one place in a file; ``problem`` also says what is allowed."""
    raise InputError(f"{shown(path)}:{line}: {problem}")


def quoted(value: object) -> str:
    """Return a value from a file as it may stand in an error: short, one line, only ASCII."""
    scalar = value is None or isinstance(value, str | int | float)
    text = ascii(value) if scalar else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file without line ends and without blank lines at the end.

    Raises:
        InputError: no such regular file, unreadable, too large, or not UTF-8.
    """
    try:
        if not path.is_file():
            kind = "is a folder" if path.is_dir() else "is no file, or does not exist"
            raise InputError(f"{shown(path)}: {kind}; a file is needed")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{shown(path)}: too large; allowed: {MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        refuse(path, line, "not a text file; UTF-8 is allowed")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def whole_number(path: Path, line: int, text: str, name: str, low: int, high: int) -> int:
    """Return ``text`` as an integer from ``low`` to ``high``, written in plain digits."""
    if not re.fullmatch("[0-9]{1,18}", text) or not low <= int(text) <= high:
        refuse(path, line, f"{name} is {quoted(text)}; allowed: {low} to {high}, whole numbers")
    return int(text)
