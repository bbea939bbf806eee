# SPDX-License-Identifier: Apache-2.0
"""What the run folders of all commands have: manifest, results, artefacts that may be missing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cluster.report.fields import Fields, list_of, read_json
from sim.errors import InputError

Artefact = TypeVar("Artefact")


@dataclass(frozen=True)
class Manifest:
    """What was run, with what, and from which commit."""

    command: str
    created: str
    config: dict[str, object]
    seed: int | None
    versions: dict[str, object]
    commit: str | None
    dirty: bool | None


@dataclass(frozen=True)
class Missing:
    """An artefact that is not there, and why its section is left out."""

    reason: str


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        InputError: it is missing or not what it should be.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a run folder")
    path = folder / "manifest.json"
    fields = Fields(read_json(path), str(path))
    values = fields.values
    return Manifest(
        command=fields.text("command"),
        created=fields.text("created"),
        config=fields.inner("config").values,
        seed=fields.whole("seed") if values.get("seed") is not None else None,
        versions=fields.inner("versions").values,
        commit=fields.text("commit") if values.get("commit") is not None else None,
        dirty=fields.flag("dirty"),
    )


def read_results(folder: Path) -> list[Fields]:
    """The records of a run folder's ``results.json``, still to be checked.

    Raises:
        InputError: it is missing or not a list of objects.
    """
    path = folder / "results.json"
    records = list_of(read_json(path), str(path))
    return [Fields(record, f"{path}: record {i}") for i, record in enumerate(records)]


def optional(
    folder: Path, name: str, read: Callable[[object, str], Artefact]
) -> Artefact | Missing:
    """An artefact of a run folder, or why there is none that can be shown."""
    path = folder / "artefacts" / name
    if not path.exists():
        return Missing(f"this run has no artefacts/{name}")
    try:
        return read(read_json(path), name)
    except InputError as error:
        return Missing(str(error).replace(str(path), name))
