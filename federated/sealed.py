# SPDX-License-Identifier: Apache-2.0
"""Arrays with a digest, whose they are and how far they got, as bytes: nothing is executed on
reading, and damage is noticed."""

import json
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError

FORMAT = 1
HEADER = "header"
Arrays = dict[str, NDArray[Any]]


def seal(arrays: Arrays, done: int, identity: str) -> bytes:
    """A checkpoint.

    Args:
        arrays: by name; none is called ``header``.
        done: how far it got, such as rounds.
        identity: whose it is, such as the task with all its options.
    """
    header = json.dumps({"format": FORMAT, "identity": identity, "round": done})
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, header=np.array(header), **arrays)
    data = buffer.getvalue()
    return sha256(data).hexdigest().encode() + b"\n" + data


def unseal(data: bytes, identity: str, where: str) -> tuple[int, Arrays]:
    """What :func:`seal` was given: how far it got, and the arrays.

    Args:
        data: the checkpoint.
        identity: whose it has to be.
        where: what to call it.

    Raises:
        InputError: it is damaged, of another version, or of something else.
    """
    digest, _, content = data.partition(b"\n")
    if sha256(content).hexdigest().encode() != digest:
        raise InputError(f"{where}: is no checkpoint, or damaged; delete it to begin anew")
    try:
        header, arrays = _read(content)
    except (BadZipFile, ValueError, KeyError, EOFError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: is no checkpoint ({error})") from error
    if header["format"] != FORMAT:
        raise InputError(f"{where}: has format {header['format']}; needed: {FORMAT}")
    if header["identity"] != identity:
        raise InputError(f"{where}: is of {header['identity']}; needed: {identity}")
    return header["round"], arrays


def part(arrays: Arrays, prefix: str) -> Arrays:
    """Those whose names begin so, by the rest of their names."""
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}


def _read(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """The header, whose round is a number if the format is ours, and all arrays."""
    with np.load(BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    header = json.loads(str(arrays.pop(HEADER)))
    kept = {name: header.get(name) for name in ("format", "identity", "round")}
    if kept["format"] == FORMAT:
        kept["round"] = int(header["round"])
    return kept, arrays
