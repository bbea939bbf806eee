# SPDX-License-Identifier: Apache-2.0
"""What a report needs of a run folder, read and checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cluster.report.execution import Execution, read_execution
from cluster.report.fields import Fields, list_of, read_json
from cluster.report.replay import Replay, read_replay
from sim.errors import InputError


@dataclass(frozen=True)
class Record:
    """One row of ``results.json``: one instance under one coordinator."""

    instance: str
    robots: int
    coordinator: str
    cost: float | None
    best_known: float | None
    ratio: float | None
    bound: float | None
    gap: float | None
    seconds: float | None
    certified: bool
    status: str


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


@dataclass(frozen=True)
class Run:
    """A run folder in memory."""

    name: str
    manifest: Manifest
    records: list[Record]
    replay: Replay | Missing
    execution: Execution | Missing

    @property
    def objective(self) -> str:
        """What the costs measure: mean travel time unless the folder says otherwise."""
        if isinstance(self.replay, Replay):
            return self.replay.objective
        chosen = self.manifest.config.get("objective")
        return chosen if isinstance(chosen, str) else "mean_travel"


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a run folder")
    return Run(
        name=folder.resolve().name,
        manifest=_manifest(folder / "manifest.json"),
        records=_records(folder / "results.json"),
        replay=_optional(folder, "replay.json", read_replay),
        execution=_optional(folder, "execution.json", read_execution),
    )


Artefact = TypeVar("Artefact", Replay, Execution)


def _optional(
    folder: Path, name: str, read: Callable[[object, str], Artefact]
) -> Artefact | Missing:
    path = folder / "artefacts" / name
    if not path.exists():
        return Missing(f"this run has no artefacts/{name}")
    try:
        return read(read_json(path), name)
    except InputError as error:
        return Missing(str(error).replace(str(path), name))


def _manifest(path: Path) -> Manifest:
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


def _records(path: Path) -> list[Record]:
    rows = list_of(read_json(path), str(path))
    return [_record(Fields(row, f"{path}: record {index}")) for index, row in enumerate(rows)]


def _record(fields: Fields) -> Record:
    return Record(
        instance=fields.text("instance"),
        robots=fields.whole("robots"),
        coordinator=fields.text("coordinator"),
        cost=fields.number("cost"),
        best_known=fields.number("best_known"),
        ratio=fields.number("ratio"),
        bound=fields.number("bound"),
        gap=fields.number("gap"),
        seconds=fields.number("seconds"),
        certified=fields.flag("certified") or False,
        status=fields.text("status"),
    )
