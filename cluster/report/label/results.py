# SPDX-License-Identifier: Apache-2.0
"""What a report of ``label`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, read_manifest, read_results

FAILED = "failed"


@dataclass(frozen=True)
class Labelled:
    """One row of ``results.json`` that has labels."""

    instance: str
    floor: str
    robots: int
    conflicts: int
    cost: float | None
    fcfs: float | None
    gap: float | None
    pool: int
    diversity: float | None
    seconds: float | None
    status: str

    @property
    def saved(self) -> float | None:
        """Share of the cost of first come first served that the best assignment saves."""
        if self.cost is None or not self.fcfs:
            return None
        return 1 - self.cost / self.fcfs


@dataclass(frozen=True)
class LabelRun:
    """A run folder in memory; ``failed`` counts the instances without labels."""

    name: str
    manifest: Manifest
    rows: list[Labelled]
    failed: int


def read_labels(folder: Path) -> LabelRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    manifest = read_manifest(folder)
    every = read_results(folder)
    solved = [fields for fields in every if fields.text("status") != FAILED]
    return LabelRun(
        name=folder.resolve().name,
        manifest=manifest,
        rows=[_row(fields) for fields in solved],
        failed=len(every) - len(solved),
    )


def _row(fields: Fields) -> Labelled:
    return Labelled(
        instance=fields.text("instance"),
        floor=fields.text("floor"),
        robots=fields.whole("robots"),
        conflicts=fields.whole("conflicts"),
        cost=fields.number("cost"),
        fcfs=fields.number("fcfs"),
        gap=fields.number("gap"),
        pool=fields.whole("pool"),
        diversity=fields.number("diversity"),
        seconds=fields.number("seconds"),
        status=fields.text("status"),
    )
