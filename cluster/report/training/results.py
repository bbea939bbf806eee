# SPDX-License-Identifier: Apache-2.0
"""What a report of ``train-coordinator`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from cluster.report.means import Mean, mean_of


@dataclass(frozen=True)
class Row:
    """One held-out instance under one method."""

    instance: str
    robots: int
    method: str
    ratio: float | None


@dataclass(frozen=True)
class Card:
    """What the model card says that is shown."""

    parameters: int
    digest: str
    command: str
    learnt_from: int
    best_step: int
    kl: list[float]
    active: int
    sensitivity: float
    useful: float
    dead: bool
    warnings: list[str]


Curve = list[dict[str, float]]
"""One row per look: ``step``, ``held_out_ratio``, and whatever else was measured there."""


@dataclass(frozen=True)
class TrainingRun:
    """A run folder in memory."""

    name: str
    manifest: Manifest
    rows: list[Row]
    curve: Curve | Missing
    card: Card | Missing

    @property
    def methods(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(row.method for row in self.rows))

    def ratio(self, method: str) -> Mean | None:
        """Mean over the held-out instances."""
        return mean_of([row.ratio for row in self.rows if row.method == method])

    def gain(self, method: str, over: str) -> Mean | None:
        """Mean of the paired differences of two methods' ratios."""
        ratios = [
            {row.instance: row.ratio for row in self.rows if row.method == name}
            for name in (method, over)
        ]
        pairs = [(ratios[0][key], ratios[1].get(key)) for key in ratios[0]]
        return mean_of([a - b for a, b in pairs if a is not None and b is not None])


def read_training(folder: Path) -> TrainingRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    return TrainingRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        rows=[_row(fields) for fields in read_results(folder)],
        curve=optional(folder, "curve.json", _curve),
        card=optional(folder, "model_card.json", _card),
    )


def _row(fields: Fields) -> Row:
    return Row(
        instance=fields.text("instance"),
        robots=fields.whole("robots"),
        method=fields.text("method"),
        ratio=fields.number("ratio"),
    )


def _curve(document: object, where: str) -> Curve:
    rows = Fields(document, where).items("rows")
    return [_look(Fields(row, f"{where}: row {number}")) for number, row in enumerate(rows)]


def _look(fields: Fields) -> dict[str, float]:
    values = {name: fields.number(name) for name in ("step", "held_out_ratio", *fields.values)}
    return {name: value for name, value in values.items() if value is not None}


def _card(document: object, where: str) -> Card:
    fields = Fields(document, where)
    latent = fields.inner("latent")
    return Card(
        parameters=fields.whole("parameters"),
        digest=fields.text("digest"),
        command=fields.text("command"),
        learnt_from=fields.inner("data").whole("learnt_from"),
        best_step=fields.whole("best_step"),
        kl=[value for value in latent.items("kl") if isinstance(value, float | int)],
        active=latent.whole("active"),
        sensitivity=latent.number("sensitivity") or 0.0,
        useful=latent.number("useful") or 0.0,
        dead=latent.flag("dead") or False,
        warnings=[str(text) for text in latent.items("warnings")],
    )
