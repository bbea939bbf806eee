# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster compare``: environments x policies x seeds as trials, and a report."""

import sys
from datetime import datetime
from itertools import product
from typing import Any

from rich.console import Console

from agents.policies.make import count_parameters
from cluster.agent_table import final_table
from cluster.comparison import (
    curves_document,
    final_records,
    make_trial,
    make_trivial_trial,
    trained,
)
from cluster.comparison_options import Compare
from cluster.experiment import Workplace, run_experiment
from cluster.manifest import configuration, make_manifest
from cluster.out import run_folder
from cluster.progress import complain
from cluster.report import write_report
from cluster.runs import open_run
from cluster.trials import Trial
from sim.environments.make import interface_of, is_compiled


def compare(options: Compare) -> int:
    """Do what is not done yet, then write results and report; print the table and the path.

    Returns:
        0, or 1 when a trial failed. A training that diverges is a result, not a failure.

    Raises:
        InputError: an option, an environment or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    _print_sizes(console, options)
    path = run_folder(options.out, "compare", datetime.now())
    manifest = make_manifest("compare", options.seed, _configuration(options))
    trials = _trials(options)
    with open_run(path, manifest) as run:
        workplace = Workplace(options.workers, options.ray_address)
        failed = run_experiment(run, trials, options.seed, {}, workplace, console, trained)
        records = final_records(trials, run.done)
        run.write_results(records)

        def read(key: str) -> dict[str, Any]:
            return run.read_arrays(f"{key}.npz")

        run.write_document("curves.json", curves_document(trials, run.done, read))
    console.print(final_table(records))
    complain(failed)
    print(write_report(path).resolve(), flush=True)
    return 1 if failed else 0


def _configuration(options: Compare) -> dict[str, Any]:
    named = {"envs": options.env_names, "policies": options.policy_names}
    return {**configuration(options), **named}


def _print_sizes(console: Console, options: Compare) -> None:
    """How many parameters every policy has in every environment; raises where one cannot act."""
    for env in options.env_names:
        is_compiled(env, options.engine)
        interface = interface_of(env)
        sizes = [
            f"{name} {count_parameters(options.setup(env, name, 0).policy, interface)}"
            for name in options.policy_names
        ]
        console.print(f"parameters on {env}: {', '.join(sizes)}", soft_wrap=True, highlight=False)


def _trials(options: Compare) -> list[Trial]:
    """Environment by environment; the seeds outside, so that all policies are seen early."""
    trials = []
    for env in options.env_names:
        trials.append(make_trivial_trial(env, options.episodes, options.engine))
        for number, name in product(range(options.seeds), options.policy_names):
            setup = options.setup(env, name, options.seed)
            trials.append(make_trial(setup, number, options.episodes))
    return trials
