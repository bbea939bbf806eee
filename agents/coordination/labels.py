# SPDX-License-Identifier: Apache-2.0
"""A folder of shards with an index that says what is in it, what made it, and what its bytes are.

    index.json
    labels-0000.npz
    labels-0001.npz ...

The fields of the index are in docs/architecture.md.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.coordination.packing import FORMAT, LabelledInstance, unpack
from sim.errors import InputError

__all__ = ["FOLDER", "INDEX", "LabelledInstance", "Shard", "index_document", "read_arrays",
           "read_index", "read_shards", "shard_name"]  # fmt: skip

INDEX = "index.json"
FOLDER = Path("artefacts") / "shards"
"""Where a run folder of ``python -m cluster label`` keeps them."""


@dataclass(frozen=True)
class Shard:
    """One file.

    Args:
        file: name within the folder.
        instances: how many it holds.
        sha256: of its bytes.
    """

    file: str
    instances: int
    sha256: str


def shard_name(number: int) -> str:
    """``labels-0000.npz`` and so on."""
    return f"labels-{number:04d}.npz"


def index_document(shards: list[Shard], about: dict[str, Any]) -> dict[str, Any]:
    """The JSON object ``index.json``; ``about`` says what made the shards."""
    digest = hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()
    return {
        "format": FORMAT,
        "instances": sum(shard.instances for shard in shards),
        "digest": digest,
        **about,
        "shards": [vars(shard) for shard in shards],
    }


def read_shards(path: Path) -> Iterator[LabelledInstance]:
    """The instances of a run folder, of a folder of shards, or of one shard, in their order.

    The index is read at once, a shard when the first of its instances is asked for.

    Raises:
        InputError: a file is missing, truncated, altered since it was written, or something else.
    """
    if path.is_file():
        return _instances(path, None)
    folder = path if (path / INDEX).is_file() else path / FOLDER
    shards = read_index(folder)
    return (one for shard in shards for one in _instances(folder / shard.file, shard.sha256))


def read_index(folder: Path) -> list[Shard]:
    """The shards that a folder should have.

    Raises:
        InputError: there is no index, or it is not one.
    """
    path = folder / INDEX
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise InputError(f"{path}: 'format' is {document['format']!r}; needed: {FORMAT}")
        return [Shard(**shard) for shard in document["shards"]]
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); `python -m cluster label` makes shards"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not an index of shards ({error!r})") from error


def read_arrays(path: Path, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of one file, not yet known to be a shard.

    Raises:
        InputError: it is missing, truncated, of another format, or not what the index says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: is truncated or altered; its digest is not that of {INDEX}")
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            return dict(file)
    except Exception as error:  # a damaged archive raises a dozen kinds
        raise InputError(f"{path}: is truncated or no shard of labels ({error})") from error


def _instances(path: Path, sha256: str | None) -> Iterator[LabelledInstance]:
    arrays = read_arrays(path, sha256)
    try:
        yield from unpack(arrays)
    except InputError as error:
        raise InputError(f"{path}: is no shard of labels: {error}") from error
