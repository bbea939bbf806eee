# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster label``: instances as trials, and the shards of what was found."""

import sys
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console

from cluster.experiment import Workplace, run_experiment
from cluster.label_records import final_records, labelled, results_table, write_shards
from cluster.labelling import Terms, make_trial, warm_up
from cluster.manifest import configuration, make_manifest
from cluster.options import Label
from cluster.out import run_folder
from cluster.progress import complain
from cluster.report import write_report
from cluster.report.label.results import read_labels
from cluster.report.label.summary import groups_by_size
from cluster.runs import open_run
from cluster.trials import Trial, trial_rng
from sim.distances import largest_component
from sim.errors import InputError
from sim.families import Floor, draw_instance
from sim.floors import FloorKind
from sim.layout import Layout
from sim.readers import read_map


def label(options: Label) -> int:
    """Do what is not done yet, then write shards, results and report; print table and path.

    Returns:
        0, or 1 when a trial failed.

    Raises:
        InputError: an option, a file or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    path = run_folder(options.out, "label", datetime.now())
    floors = {name: _floor(name, options) for name in options.floors}
    manifest = make_manifest("label", options.seed, _configuration(options, floors))
    trials = _trials(options)
    with open_run(path, manifest) as run:
        workplace = Workplace(options.workers, options.ray_address, warm_up)
        failed = run_experiment(run, trials, options.seed, floors, workplace, console, labelled)
        records = final_records(trials, run.done)
        write_shards(run, records, manifest)
        run.write_results(records)
    console.print(results_table(groups_by_size(read_labels(path).rows)))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _configuration(options: Label, floors: dict[str, Floor]) -> dict[str, Any]:
    given = {name: floor for name, floor in floors.items() if isinstance(floor, Layout)}
    digests = {name: sha256(floor.free.tobytes()).hexdigest()[:16] for name, floor in given.items()}
    return {**configuration(options), "map_digests": digests}


def _floor(name: str, options: Label) -> Floor:
    """What a floor is called means, tried with the smallest fleet, which meets least."""
    allowed = [str(kind) for kind in FloorKind]
    if name not in allowed and not Path(name).is_file():
        raise InputError(f"floors is {name!r}; allowed: {', '.join(allowed)}, or a .map file")
    floor = FloorKind(name) if name in allowed else read_map(Path(name))
    if isinstance(floor, Layout) and len(largest_component(floor)) < options.robots[1]:
        cells = len(largest_component(floor))
        raise InputError(f"robots is {options.robots[1]}; allowed on {name}: up to {cells}")
    least = replace(options.family, robots=(options.robots[0], options.robots[0]))
    draw_instance(floor, least, trial_rng(options.seed, f"try {name}"))
    return floor


def _trials(options: Label) -> list[Trial]:
    """The floors take turns."""
    terms = Terms(options.family, options.pool_options, options.budget, options.objective)
    names = options.floors
    return [make_trial(i, names[i % len(names)], terms) for i in range(options.instances)]
