# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster simulate``: worlds under controllers as trials, and a report."""

import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cluster.coordinators import load_weights
from cluster.experiment import Workplace, run_experiment
from cluster.manifest import configuration, make_manifest
from cluster.out import run_folder
from cluster.progress import complain
from cluster.report import write_report
from cluster.runs import Run, open_run
from cluster.simulation.controllers import Chosen
from cluster.simulation.pilots import load_pilots
from cluster.simulation.records import film_row, floor_document, traffic_row
from cluster.simulation.scene import Scene, orders_in, read_scene
from cluster.simulation.table import lived, results_table
from cluster.simulation.trial import (
    MODEL,
    SCENE,
    Terms,
    make_trial,
    pilot_name,
    trial_key,
    warm_up,
)
from cluster.simulation_options import Simulate
from cluster.trials import Record

if TYPE_CHECKING:
    from agents.driving.pilot import Pilot

BLOCK_WORLDS = 4
"""Worlds that one trial steps together; a league's problem is one each."""


def simulate(options: Simulate) -> int:
    """Do what is not done yet, then write results and report; print table and path.

    Returns:
        0, or 1 when a trial failed.

    Raises:
        InputError: an option, a file or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    path = run_folder(options.out, "simulate", datetime.now())
    scene = read_scene(options)
    orders_in(scene, options.seed, 0, options.ticks)  # refuses a run that is too long, and soon
    learned = any(controller.is_learned for controller in options.controllers)
    model = load_weights(options.weights) if learned else None
    pilots = load_pilots(options.controllers, scene.rules)
    manifest = make_manifest("simulate", options.seed, _configuration(options, scene, pilots))
    blocks = _blocks(options, scene)
    terms = _terms(options, scene, path)
    trials = [make_trial(*pair, terms) for pair in product(options.controllers, blocks)]
    policies = {pilot_name(run): pilot for run, pilot in pilots.items()}
    shared = {SCENE: scene, MODEL: model, **policies}
    with open_run(path, manifest) as run:
        work = partial(warm_up, options.controllers, terms, scene, pilots)
        workplace = Workplace(options.workers, options.ray_address, work)
        failed = run_experiment(run, trials, options.seed, shared, workplace, console, lived)
        records = _write(run, options, scene, blocks)
        if not failed:  # who starts again goes on from them
            shutil.rmtree(path / "checkpoints", ignore_errors=True)
    console.print(results_table(records))
    for record in records:
        if scene.problem is not None and record["orders"] is not None:
            print(_league_line(path, record))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _configuration(
    options: Simulate, scene: Scene, pilots: Mapping[str, "Pilot"]
) -> dict[str, Any]:
    """A checkpoint more or less changes no result."""
    config = configuration(options)
    del config["checkpoint_ticks"]
    digests = {run: pilot.digest for run, pilot in pilots.items()}
    policies = {"policy_digests": digests} if digests else {}
    return {**config, "map_digest": scene.digest, **policies}


def _blocks(options: Simulate, scene: Scene) -> list[list[int]]:
    side = BLOCK_WORLDS if scene.problem is None else 1
    numbers = list(range(options.worlds))
    return [numbers[start : start + side] for start in range(0, len(numbers), side)]


def _terms(options: Simulate, scene: Scene, path: Path) -> Terms:
    dispatch, rolling = options.timed(scene.think_ticks)
    return Terms(
        seed=options.seed,
        ticks=options.ticks,
        checkpoint_ticks=options.checkpoint_ticks,
        film_ticks=min(options.film_ticks, options.ticks),
        capacity_mib=options.capacity_mib,
        checkpoints=str((path / "checkpoints").resolve()),
        dispatch=dispatch,
        rolling=rolling,
        delays=options.delays,
        people=options.people,
    )


def _write(run: Run, options: Simulate, scene: Scene, blocks: list[list[int]]) -> list[Record]:
    """Results and documents of what is done."""
    done = run.done
    records: list[Record] = []
    traffic, films = [], []
    for controller in options.controllers:
        arrays = []
        for block in blocks:
            key = trial_key(controller, block)
            if key not in done:
                records += [_lost(controller, world, options, scene) for world in block]
                continue
            records += done[key]["rows"]
            arrays.append(run.read_arrays(f"{key}.npz"))
            if "league" in arrays[-1]:
                _write_league(run, controller, block[0], arrays[-1].pop("league").tobytes())
        if arrays:
            traffic.append(traffic_row(controller.name, arrays, scene.layout))
            film = film_row(controller.name, arrays[0], scene)
            films += [film] if film is not None else []
    run.write_results(records)
    run.write_document("floor.json", floor_document(scene.layout))
    run.write_document("traffic.json", {"rows": traffic})
    if films:
        run.write_document("film.json", {"rows": films})
    return records


def _lost(controller: Chosen, world: int, options: Simulate, scene: Scene) -> Record:
    """The record of a world whose trial failed."""
    known = {"robots": scene.robots, "ticks": options.ticks}
    return {"controller": controller.name, "world": world, **known, **dict.fromkeys(MEASURED)}


MEASURED = (
    "orders", "errands", "late", "orders_per_tick", "service_ticks_mean", "service_ticks_p95",
    "queue_ticks_mean", "working_share", "waiting_share", "refused_share", "delayed_share",
    "idle_share", "longest_without_errand_ticks", "longest_still_ticks", "deadlocked",
    "improved_share", "decision_ms_mean", "decision_ms_p99", "decision_ms_max", "seconds",
)  # fmt: skip


def _league_name(controller: str, world: int) -> str:
    plain = "".join(c if c.isalnum() or c in "_-" else "-" for c in controller)
    return f"league-{plain}.json" if world == 0 else f"league-{plain}-{world}.json"


def _write_league(run: Run, controller: Chosen, world: int, output: bytes) -> None:
    run.write_bytes(_league_name(controller.name, world), output)


def _league_line(path: Path, record: Record) -> str:
    where = path / "artefacts" / _league_name(record["controller"], record["world"])
    return (
        f"{record['controller']}: {record['orders']} tasks finished in {record['ticks']} ticks, "
        f"{record['league_errors']} errors by the rules, {where.resolve()}"
    )
