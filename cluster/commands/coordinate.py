# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster coordinate``: instances x coordinators as trials, and a report."""

import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import product
from typing import Any

from rich.console import Console

from cluster.coordination import MODEL, Terms, instance_key, make_trial, warm_up
from cluster.coordinators import load_weights, weights_path
from cluster.experiment import Workplace, run_experiment
from cluster.manifest import configuration, make_manifest
from cluster.options import Coordinate
from cluster.out import run_folder
from cluster.problems import Source, read_source
from cluster.progress import complain, decided, progress, results_table
from cluster.records import execution_document, final_records
from cluster.replay import choose, replay_document
from cluster.report import write_report
from cluster.runs import Run, finished_trials, open_run
from cluster.trials import Record, Trial, trial_rng
from sim.instances import Instance
from sim.schedule import Assignment


def coordinate(options: Coordinate) -> int:
    """Do what is not done yet, then write results and report; print the table and the path.

    Returns:
        0, or 1 when a trial failed.

    Raises:
        InputError: an option, a file or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    path = run_folder(options.out, "coordinate", datetime.now())
    source = read_source(options)
    model = load_weights(options.weights) if options.learned_names else None
    manifest = make_manifest("coordinate", options.seed, _configuration(options, source))
    trials = _trials(options, source)
    # Made before the folder is touched: most bad input shows here.
    graphs = _graphs(options, source, trials, finished_trials(path, manifest), console)
    shared = {**graphs, MODEL: model}
    with open_run(path, manifest) as run:
        work = partial(warm_up, options.coordinator_names, model)
        workplace = Workplace(options.workers, options.ray_address, work)
        failed = run_experiment(run, trials, options.seed, shared, workplace, console, decided)
        records = final_records(trials, run.done)
        run.write_results(records)
        document = execution_document(trials, run.done, source.delays, options.delay_samples)
        run.write_document("execution.json", document)
        _write_replay(run, options, source, records)
    console.print(results_table(records))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _configuration(options: Coordinate, source: Source) -> dict[str, Any]:
    named: dict[str, Any] = {
        "coordinators": options.coordinator_names,
        "map_digest": source.digest,
    }
    if options.learned_names:
        named["weights_digest"] = sha256(weights_path(options.weights).read_bytes()).hexdigest()
    return {**configuration(options), **named}


def _instances(options: Coordinate) -> dict[str, tuple[int, int]]:
    """Number and robots of every instance, by key; the small fleets first."""
    pairs = product(options.robots, range(options.instances))
    return {instance_key(number, robots): (number, robots) for robots, number in pairs}


def _trials(options: Coordinate, source: Source) -> list[Trial]:
    terms = Terms(
        seed=options.seed,
        budget=options.budget,
        objective=options.objective,
        criterion=options.robust,
        delay_model=source.delays,
        delay_samples=options.delay_samples,
    )
    pairs = product(_instances(options).items(), options.coordinator_names)
    return [make_trial(key, robots, name, terms) for (key, (_, robots)), name in pairs]


def _make(options: Coordinate, source: Source, key: str) -> Instance:
    number, robots = _instances(options)[key]
    return source.make(number, robots, trial_rng(options.seed, key))


def _graphs(
    options: Coordinate,
    source: Source,
    trials: Sequence[Trial],
    done: Collection[str],
    console: Console,
) -> dict[str, object]:
    """The coordination graphs that unfinished trials share, by instance."""
    keys = dict.fromkeys(str(t.arguments["instance"]) for t in trials if t.key not in done)
    graphs: dict[str, object] = {}
    with progress(console, "instances", len(keys)) as advance:
        for key in keys:
            graphs[key] = _make(options, source, key).graph
            advance(key)
    return graphs


def _write_replay(run: Run, options: Coordinate, source: Source, records: Sequence[Record]) -> None:
    record = choose(records)
    if record is None:
        return
    arrays = run.read_arrays(f"{record['instance']}/{record['coordinator']}.npz")
    assignment = Assignment(arrays["order"], arrays["following"])
    instance = _make(options, source, record["instance"])
    document = replay_document(record, instance, assignment, options.objective)
    run.write_document("replay.json", document)
