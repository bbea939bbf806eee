# SPDX-License-Identifier: Apache-2.0
"""What a report of ``simulate`` needs of a run folder, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from cluster.report.replay import Floor
from cluster.report.simulation.film_file import Film, read_films
from cluster.report.simulation.floor_file import read_floor
from cluster.report.simulation.traffic_file import Traffic, read_traffic
from cluster.report.simulation.typed import amount, count, count_or_none, share
from sim.errors import InputError

ROUNDING = 1e-3
"""How far the sum of the shares may be from 1."""


@dataclass(frozen=True)
class Record:
    """One row of ``results.json``: one world under one controller; all None where it failed.

    Args:
        orders, errands: done.
        late: orders that were done after their deadline.
        service_ticks_mean, service_ticks_p95: from given to a robot until done.
        queue_ticks_mean: from known until given.
        working, waiting, refused, delayed, idle: shares of the robot-ticks, 1 together.
        longest_without_errand: ticks, of any robot; ``longest_still``: of all.
        improved: share of the windows in which the coordinator was better than the plan.
        decision_ms_mean, decision_ms_p99, decision_ms_max: per tick, measured, as is ``seconds``.
        league_errors: found by the league's rules.
    """

    controller: str
    world: int
    robots: int | None
    ticks: int | None
    orders: int | None
    errands: int | None
    late: int | None
    orders_per_tick: float | None
    service_ticks_mean: float | None
    service_ticks_p95: float | None
    queue_ticks_mean: float | None
    working: float | None
    waiting: float | None
    refused: float | None
    delayed: float | None
    idle: float | None
    longest_without_errand: int | None
    longest_still: int | None
    deadlocked: bool | None
    improved: float | None
    decision_ms_mean: float | None
    decision_ms_p99: float | None
    decision_ms_max: float | None
    seconds: float | None
    league_errors: int | None

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return self.orders_per_tick is None

    @property
    def standing(self) -> float | None:
        """Share of the robot-ticks that were spent waiting or were refused."""
        if self.waiting is None or self.refused is None:
            return None
        return self.waiting + self.refused


@dataclass(frozen=True)
class SimulationRun:
    """A run folder in memory."""

    name: str
    manifest: Manifest
    records: list[Record]
    floor: Floor | Missing
    traffic: list[Traffic] | Missing
    films: list[Film] | Missing
    has_league: bool


def read_simulation(folder: Path) -> SimulationRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    floor = optional(folder, "floor.json", read_floor)
    traffic: list[Traffic] | Missing = Missing("without its floor there is nowhere to draw it")
    films: list[Film] | Missing = Missing("without its floor there is nowhere to draw it")
    if isinstance(floor, Floor):
        traffic = optional(folder, "traffic.json", partial(read_traffic, floor=floor))
        films = optional(folder, "film.json", partial(read_films, floor=floor))
    return SimulationRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        records=_records(read_results(folder)),
        floor=floor,
        traffic=traffic,
        films=films,
        has_league=(folder / "artefacts" / "league.json").exists(),
    )


def _records(rows: Sequence[Fields]) -> list[Record]:
    records, known = [], set[tuple[str, int]]()
    for fields in rows:
        record = _record(fields)
        if (record.controller, record.world) in known:
            raise InputError(
                f"{fields.where}: 'world' {record.world} of {record.controller!r} is there twice"
            )
        known.add((record.controller, record.world))
        records.append(record)
    return records


def _record(fields: Fields) -> Record:
    record = Record(
        controller=fields.text("controller"),
        world=count(fields, "world"),
        robots=count_or_none(fields, "robots"),
        ticks=count_or_none(fields, "ticks"),
        orders=count_or_none(fields, "orders"),
        errands=count_or_none(fields, "errands"),
        late=count_or_none(fields, "late"),
        orders_per_tick=amount(fields, "orders_per_tick"),
        service_ticks_mean=amount(fields, "service_ticks_mean"),
        service_ticks_p95=amount(fields, "service_ticks_p95"),
        queue_ticks_mean=amount(fields, "queue_ticks_mean"),
        working=share(fields, "working_share"),
        waiting=share(fields, "waiting_share"),
        refused=share(fields, "refused_share"),
        delayed=share(fields, "delayed_share"),
        idle=share(fields, "idle_share"),
        longest_without_errand=count_or_none(fields, "longest_without_errand_ticks"),
        longest_still=count_or_none(fields, "longest_still_ticks"),
        deadlocked=fields.flag("deadlocked"),
        improved=share(fields, "improved_share"),
        decision_ms_mean=amount(fields, "decision_ms_mean"),
        decision_ms_p99=amount(fields, "decision_ms_p99"),
        decision_ms_max=amount(fields, "decision_ms_max"),
        seconds=amount(fields, "seconds"),
        league_errors=count_or_none(fields, "league_errors"),
    )
    _check_shares(record, fields.where)
    return record


def _check_shares(record: Record, where: str) -> None:
    shares = (record.working, record.waiting, record.refused, record.delayed, record.idle)
    known = [part for part in shares if part is not None]
    if known and (len(known) < len(shares) or abs(sum(known) - 1) > ROUNDING):
        raise InputError(f"{where}: the five shares must be 1 together, found {sum(known):.4g}")
