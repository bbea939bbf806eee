# SPDX-License-Identifier: Apache-2.0
"""What a report of ``train`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.audit.typed import needed, rows_of, whole_or_none
from cluster.report.compare.results import Rows, typed_rows
from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results

MOST_BYTES = 8_000_000
"""Of an animation that is put into the page."""


@dataclass(frozen=True)
class Look:
    """One row of ``training.json``: what was measured since the row before.

    Args:
        steps: of the environment, so far.
        mean_return: of the episodes that ended; None where none did.
        lag: updates between the weights that acted and the update that learnt, mean.
        broken: episodes dropped, for their environment raised or gave no numbers.
    """

    update: int
    steps: int
    mean_return: float | None
    episodes: int | None
    steps_per_s: float | None
    lag: float | None
    entropy: float | None
    loss: float | None
    value_loss: float | None
    broken: int | None


@dataclass(frozen=True)
class TrainRun:
    """A run folder in memory; the animation is a GIF."""

    name: str
    manifest: Manifest
    rows: Rows
    looks: list[Look] | Missing
    animation: bytes | Missing


def read_train(folder: Path) -> TrainRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    return TrainRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        rows=typed_rows(read_results(folder)),
        looks=optional(folder, "training.json", _looks),
        animation=_animation(folder / "artefacts" / "episode.gif"),
    )


def _looks(document: object, where: str) -> list[Look]:
    return [_look(fields) for fields in rows_of(Fields(document, where), "rows")]


def _look(fields: Fields) -> Look:
    return Look(
        update=fields.whole("update"),
        steps=int(needed(fields, "steps")),
        mean_return=fields.number("return"),
        episodes=whole_or_none(fields, "episodes"),
        steps_per_s=fields.number("steps_per_s"),
        lag=fields.number("lag"),
        entropy=fields.number("entropy"),
        loss=fields.number("loss"),
        value_loss=fields.number("value_loss"),
        broken=whole_or_none(fields, "broken"),
    )


def _animation(path: Path) -> bytes | Missing:
    name = f"artefacts/{path.name}"
    if not path.is_file():
        return Missing(f"this run has no {name}")
    try:
        content = path.read_bytes()
    except OSError as error:
        return Missing(f"{name} cannot be read ({error.strerror or error})")
    if not content.startswith((b"GIF87a", b"GIF89a")):
        return Missing(f"{name} is no GIF")
    if len(content) > MOST_BYTES:
        return Missing(f"{name} has {len(content)} bytes, more than {MOST_BYTES}")
    return content
