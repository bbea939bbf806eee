# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster forecast``: tasks x models x seeds as trials, and a report."""

import sys
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

from rich.console import Console

from agents.forecasting.series import Task, make_task
from cluster.experiment import Workplace, run_experiment
from cluster.forecast_records import (
    curves_document,
    final_records,
    predictions_document,
    results_table,
    trained,
)
from cluster.forecasting import make_trial, make_trivial_trial, warm_up
from cluster.manifest import configuration, make_manifest
from cluster.options import Forecast
from cluster.out import run_folder
from cluster.progress import complain
from cluster.report import write_report
from cluster.runs import open_run
from cluster.trials import Trial, trial_rng


def forecast(options: Forecast) -> int:
    """Do what is not done yet, then write results and report; print the table and the path.

    Returns:
        0, or 1 when a trial failed. A training that diverges is a result, not a failure.

    Raises:
        InputError: an option or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    path = run_folder(options.out, "forecast", datetime.now())
    manifest = make_manifest("forecast", options.seed, _configuration(options))
    tasks = _tasks(options)
    trials = _trials(options, tasks)
    with open_run(path, manifest) as run:
        work = partial(warm_up, options.model_names)
        workplace = Workplace(options.workers, options.ray_address, work)
        failed = run_experiment(run, trials, options.seed, tasks, workplace, console, trained)
        records = final_records(trials, run.done)
        run.write_results(records)

        def read(key: str) -> dict[str, Any]:
            return run.read_arrays(f"{key}.npz")

        run.write_document("curves.json", curves_document(trials, records, read))
        run.write_document("predictions.json", predictions_document(trials, records, tasks, read))
    console.print(results_table(records))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _configuration(options: Forecast) -> dict[str, Any]:
    return {**configuration(options), "task": options.task_names, "models": options.model_names}


def _tasks(options: Forecast) -> dict[str, Task]:
    """The tasks by name; the same data for all models and seeds."""
    return {
        str(name): make_task(name, trial_rng(options.seed, str(name)))
        for name in options.task_names
    }


def _trials(options: Forecast, tasks: dict[str, Task]) -> list[Trial]:
    """Task by task: the trivial predictors, then the seeds of each model."""
    trials = []
    for task in tasks.values():
        trials += [make_trivial_trial(task.name, model) for model in task.trivial]
        pairs = product(options.model_names, range(options.seeds))
        trials += [make_trial(task.name, model, seed, options.training) for model, seed in pairs]
    return trials
