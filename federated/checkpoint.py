# SPDX-License-Identifier: Apache-2.0
"""Where a federation stands, as bytes: nothing is executed on reading, and damage is noticed."""

import json
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

from federated.rounds import Progress
from federated.strategies import State
from sim.errors import InputError

FORMAT = 1
HEADER, MODEL, MEMORY = "header", "model/", "state/"


def pack(progress: Progress, identity: str) -> bytes:
    """A checkpoint.

    Args:
        progress: where it stands.
        identity: whose it is, such as the task with all its options.
    """
    header = json.dumps({"format": FORMAT, "identity": identity, "round": progress.round})
    buffer = BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        header=np.array(header),
        **{f"{MODEL}{name}": value for name, value in progress.arrays.items()},
        **{f"{MEMORY}{name}": value for name, value in progress.state.items()},
    )
    data = buffer.getvalue()
    return sha256(data).hexdigest().encode() + b"\n" + data


def unpack(data: bytes, identity: str, where: str) -> Progress:
    """What :func:`pack` was given.

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
        header, numbers = _read(content)
    except (BadZipFile, ValueError, KeyError, EOFError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: is no checkpoint ({error})") from error
    if header["format"] != FORMAT:
        raise InputError(f"{where}: has format {header['format']}; needed: {FORMAT}")
    if header["identity"] != identity:
        raise InputError(f"{where}: is of {header['identity']}; needed: {identity}")
    return Progress(header["round"], _part(numbers, MODEL), _part(numbers, MEMORY))


def _read(content: bytes) -> tuple[dict[str, Any], State]:
    """The header, whose round is a number if the format is ours, and all arrays."""
    with np.load(BytesIO(content), allow_pickle=False) as found:
        numbers = {name: found[name] for name in found.files}
    header = json.loads(str(numbers.pop(HEADER)))
    kept = {name: header.get(name) for name in ("format", "identity", "round")}
    if kept["format"] == FORMAT:
        kept["round"] = int(header["round"])
    return kept, numbers


def _part(numbers: State, prefix: str) -> State:
    return {n.removeprefix(prefix): v for n, v in numbers.items() if n.startswith(prefix)}
