# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of worlds: one file, replaced as a whole, read back only by the same version."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from cluster.runs import write_atomically
from sim.errors import InputError
from sim.warehouse.world import Snapshot

FORMAT = 1
"""Changes whenever a snapshot of another version could not be continued."""


def save(path: Path, snapshot: Snapshot) -> None:
    """Write a checkpoint; an old one is there until the new one is."""
    buffer = BytesIO()
    arrays: dict[str, Any] = {"format": np.array(FORMAT), **snapshot}
    np.savez(buffer, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def load(path: Path) -> Snapshot | None:
    """The checkpoint, or None where there is none.

    Raises:
        InputError: it is damaged, or of another version.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            snapshot = {name: file[name] for name in file.files}
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged archive raises a dozen kinds
        raise InputError(f"{path}: no checkpoint, or damaged ({error}); remove it") from error
    found = snapshot.pop("format", None)
    if found is None or found.shape != () or int(found) != FORMAT:
        raise InputError(
            f"{path}: a checkpoint of format {found}; allowed: {FORMAT}, of this version. Remove "
            "it to begin anew"
        )
    return snapshot
