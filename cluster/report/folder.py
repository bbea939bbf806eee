# SPDX-License-Identifier: Apache-2.0
"""What a report of ``coordinate`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.execution import Execution, read_execution
from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from cluster.report.replay import Replay, read_replay


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
    return Run(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        records=[_record(fields) for fields in read_results(folder)],
        replay=optional(folder, "replay.json", read_replay),
        execution=optional(folder, "execution.json", read_execution),
    )


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
