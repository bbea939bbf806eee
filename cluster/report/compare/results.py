# SPDX-License-Identifier: Apache-2.0
"""What a report of ``compare`` needs of a run folder, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.policies.options import CoreName
from cluster.report.audit.typed import gappy, needed, numbers, rows_of, whole_or_none
from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from sim.errors import InputError

FORGETFUL = frozenset(str(name) for name in CoreName if not name.remembers)
"""Policies without a memory."""
TRAINED = "trained"


@dataclass(frozen=True)
class Run:
    """One policy trained once.

    Args:
        steps: of the environment, trained.
        greedy, sampled: mean returns at the end, of the likeliest and of drawn actions; None where
            the training diverged or failed.
        episodes: judged.
        success: share of them, where the environment knows what success is.
        circuits: evaluated.
    """

    env: str
    policy: str
    seed: int
    parameters: int | None
    steps: int | None
    greedy: float | None
    sampled: float | None
    episodes: int | None
    success: float | None
    circuits: int | None
    seconds: float | None
    steps_per_s: float | None
    diverged: bool

    @property
    def status(self) -> str:
        """How the training ended."""
        if self.diverged:
            return "diverged"
        return "failed" if self.greedy is None else TRAINED


@dataclass(frozen=True)
class Trivial:
    """What can be had without training: a mean return with its 95 % interval, if it has one."""

    env: str
    policy: str
    label: str
    mean: float
    low: float
    high: float
    episodes: int


@dataclass(frozen=True)
class Curve:
    """The mean return of one training on a grid of steps; None where no episode ended."""

    env: str
    policy: str
    seed: int
    steps: tuple[float, ...]
    returns: tuple[float | None, ...]


@dataclass(frozen=True)
class Rows:
    """The records of ``results.json``, by their kinds."""

    runs: list[Run]
    trivials: list[Trivial]


@dataclass(frozen=True)
class CompareRun:
    """A run folder in memory."""

    name: str
    manifest: Manifest
    rows: Rows
    curves: list[Curve] | Missing


def read_compare(folder: Path) -> CompareRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    return CompareRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        rows=typed_rows(read_results(folder)),
        curves=optional(folder, "curves.json", _curves),
    )


def typed_rows(records: Sequence[Fields]) -> Rows:
    """The records as what they are.

    Raises:
        InputError: a record has another kind, or a value of the wrong kind.
    """
    runs, trivials = [], []
    for fields in records:
        kind = fields.text("kind")
        if kind == "run":
            runs.append(_run(fields))
        elif kind == "trivial":
            trivials.append(_trivial(fields))
        else:
            raise InputError(f"{fields.where}: 'kind' is {kind!r}; allowed: run, trivial")
    return Rows(runs, trivials)


def _run(fields: Fields) -> Run:
    return Run(
        env=fields.text("env"),
        policy=fields.text("policy"),
        seed=fields.whole("seed"),
        parameters=whole_or_none(fields, "parameters"),
        steps=whole_or_none(fields, "steps"),
        greedy=fields.number("greedy_return"),
        sampled=fields.number("sampled_return"),
        episodes=whole_or_none(fields, "episodes"),
        success=fields.number("success"),
        circuits=whole_or_none(fields, "circuits"),
        seconds=fields.number("seconds"),
        steps_per_s=fields.number("steps_per_s"),
        diverged=fields.flag("diverged") or False,
    )


def _trivial(fields: Fields) -> Trivial:
    mean, low, high = needed(fields, "mean"), fields.number("low"), fields.number("high")
    return Trivial(
        env=fields.text("env"),
        policy=fields.text("policy"),
        label=fields.text("label"),
        mean=mean,
        low=mean if low is None else low,
        high=mean if high is None else high,
        episodes=fields.whole("episodes"),
    )


def _curves(document: object, where: str) -> list[Curve]:
    return [_curve(fields) for fields in rows_of(Fields(document, where), "rows")]


def _curve(fields: Fields) -> Curve:
    steps = numbers(fields, "steps")
    returns = gappy(fields, "returns", len(steps))
    who = fields.text("env"), fields.text("policy"), fields.whole("seed")
    return Curve(*who, steps, returns)
