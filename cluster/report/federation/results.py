# SPDX-License-Identifier: Apache-2.0
"""What a report of ``federate`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.federation.makeup_file import Makeup, read_makeup
from cluster.report.federation.measure import (
    ACCURACY,
    LOSS,
    RETURN,
    Measure,
    Score,
    score_of,
    weighted,
)
from cluster.report.federation.personal_file import Personal, read_personal
from cluster.report.federation.privacy_file import Privacy, read_privacy
from cluster.report.federation.rounds_file import Round, read_rounds
from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from federated.options import acts

REGIMES = ("trivial", "local", "local_elsewhere", "federated", "centralised")
"""In the order in which they are shown; others follow."""


@dataclass(frozen=True)
class Result:
    """One row of ``results.json``: a regime at one site, or at all of them (``site`` is None)."""

    regime: str
    site: int | None
    train_samples: int | None
    score: Score


@dataclass(frozen=True)
class FederationRun:
    """A run folder in memory; ``personal`` is None where no new sites were asked for, ``privacy``
    where nothing was done for it.
    """

    name: str
    manifest: Manifest
    results: list[Result]
    rounds: list[Round] | Missing
    makeup: Makeup | Missing
    personal: Personal | Missing | None
    privacy: Privacy | Missing | None = None

    @property
    def measure(self) -> Measure:
        """Returns of policies; accuracy where something is classified, else loss."""
        if acts(str(self.manifest.config.get("task"))):
            return RETURN
        judged = [result.score for result in self.results]
        if isinstance(self.rounds, list):
            judged += [one.test for one in self.rounds]
        return ACCURACY if any(s.accuracy is not None for s in judged) else LOSS

    @property
    def regimes(self) -> list[str]:
        """Those that the run has, in the order in which they are shown."""
        found = dict.fromkeys(result.regime for result in self.results)
        return [r for r in REGIMES if r in found] + [r for r in found if r not in REGIMES]

    @property
    def sites(self) -> list[int]:
        """The sites that have any result, or any samples, in ascending order."""
        known = {result.site for result in self.results if result.site is not None}
        if isinstance(self.makeup, Makeup):
            known |= {site.site for site in self.makeup.sites}
        return sorted(known)

    def at_sites(self, regime: str) -> dict[int, Result]:
        """The results of a regime by site."""
        own = [r for r in self.results if r.regime == regime]
        return {r.site: r for r in own if r.site is not None}

    def overall(self, regime: str) -> Score:
        """The score of a regime over all test samples; worked out where the file does not say."""
        own = [r for r in self.results if r.regime == regime]
        said = next((r.score for r in own if r.site is None), None)
        return said or weighted([r.score for r in own])


def read_federation(folder: Path) -> FederationRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    personal, privacy = (folder / "artefacts" / f"{n}.json" for n in ("personal", "privacy"))
    return FederationRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        results=[_result(fields) for fields in read_results(folder)],
        rounds=optional(folder, "rounds.json", read_rounds),
        makeup=optional(folder, "partition.json", read_makeup),
        personal=optional(folder, personal.name, read_personal) if personal.exists() else None,
        privacy=optional(folder, privacy.name, read_privacy) if privacy.exists() else None,
    )


def _train_samples(fields: Fields) -> int | None:
    """Null where a server without data wrote the results."""
    return None if fields.values.get("train_samples") is None else fields.whole("train_samples")


def _result(fields: Fields) -> Result:
    return Result(
        regime=fields.text("regime"),
        site=None if fields.values.get("site") is None else fields.whole("site"),
        train_samples=_train_samples(fields),
        score=score_of(fields, "loss", "accuracy", fields.whole("test_samples")),
    )
