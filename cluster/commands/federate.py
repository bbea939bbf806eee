# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster federate``: rounds on long-lived sites, a comparison, a report."""

import sys
from datetime import datetime
from functools import partial

import torch
from rich.console import Console

from cluster.experiment import Workplace, run_experiment
from cluster.federation import configured, finish, train
from cluster.federation_options import Federate
from cluster.federation_records import in_words, regime_in_words, results_table
from cluster.federation_regimes import regime_trials
from cluster.federation_sites import runtime, site_grid, task_maker
from cluster.manifest import make_manifest
from cluster.out import run_folder
from cluster.progress import complain, progress
from cluster.report import write_report
from cluster.runs import Run, open_run
from cluster.trials import Finished
from federated.task import Task


def federate(options: Federate) -> int:
    """Do what is not done yet, then write results and report; print the table and the path.

    Returns:
        0, or 1 when a regime failed.

    Raises:
        InputError: an option, the data, a checkpoint or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    torch.set_num_threads(1)  # sums of floats then have one order, here as in the hosts
    path = run_folder(options.out, "federate", datetime.now())
    make = task_maker(options)
    task = make()
    manifest = make_manifest("federate", options.seed, configured(options))
    with open_run(path, manifest) as run, runtime(options):
        standing = sum(key.startswith("round-") for key in run.done)
        with (
            site_grid(options, make, task.count) as grid,
            progress(console, "rounds", options.rounds, standing) as advance,
        ):
            model = train(
                run,
                grid,
                options,
                task.initial(),
                lambda one: advance(in_words(one, options.task)),
            )
        failed = _regimes(run, options, task, console)
        records = finish(run, options, task, model)
    console.print(results_table(records, options.task))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _regimes(run: Run, options: Federate, task: Task, console: Console) -> list[Finished]:
    workplace = Workplace(options.workers, options.ray_address)
    trials, shared = regime_trials(options), {"task": task}
    words = partial(regime_in_words, options.task)
    return run_experiment(run, trials, options.seed, shared, workplace, console, words)
