# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster train``: actors and a learner on Ray, a judgement, a report."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

import torch
from rich.console import Console
from safetensors.numpy import save

from agents.learning.learner import Learner
from agents.learning.options import Setup
from agents.policies.policy import Policy, to_arrays
from cluster.comparison import JUDGEMENT, judge, trivial_record
from cluster.experiment import warnings_on
from cluster.manifest import configuration, make_manifest
from cluster.out import run_folder
from cluster.progress import Reach, reaching, waiting
from cluster.report import write_report
from cluster.runs import Run, open_run
from cluster.training.animation import animate
from cluster.training.checkpoint import stand
from cluster.training.records import (
    in_words,
    results_table,
    rows_until,
    run_record,
    training_document,
)
from cluster.training.standing import Standing
from cluster.training_options import Train
from cluster.trials import Record
from sim.environments.interface import ObservationKind
from sim.environments.make import interface_of, is_compiled
from sim.environments.trivial import play_trivial
from sim.errors import InputError, require

POLICY, ANIMATION = "policy.safetensors", "episode.gif"
PAUSE_S = 2.0
"""Between two lines where there is no live bar."""


def train(options: Train) -> int:
    """Do what is not done yet, judge the policy, write the report; print the table and the path.

    Returns:
        0.

    Raises:
        InputError: an option, the environment, a checkpoint or the run folder is not usable.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    torch.set_num_threads(1)  # sums of floats then have one order, here as in the hosts
    path = run_folder(options.out, "train", datetime.now())
    setup = options.setup
    _require_environment(options)
    learner = Learner(setup)
    manifest = make_manifest("train", options.seed, _configured(options))
    with open_run(path, manifest) as run:
        console.print(_introduction(options, learner.policy), highlight=False)
        standing = _train(run, options, console)
        assert standing.learner is not None
        learner.restore(standing.learner)
        with waiting(console, "judging the policy"):
            records = _finish(run, options, standing, learner.policy)
        if not standing.has_diverged:
            _animate(run, learner.policy, setup, console)
    if standing.has_diverged:
        console.print(f"diverged: no number any more after {standing.steps} steps")
    console.print(results_table(records))
    print(write_report(path).resolve(), flush=True)
    return 0


def _require_environment(options: Train) -> None:
    """Fail before anything is started."""
    setup = options.setup
    kind = interface_of(setup.environment).kind
    is_compiled(setup.environment, setup.engine)
    raw = options.grid_encoding == "raw" and kind is not ObservationKind.GRID
    require("grid_encoding", options.grid_encoding, not raw, f"embedding, as it shows a {kind}")


def _configured(options: Train) -> dict[str, object]:
    """All that a run has to agree in to be resumed: any number of actors can go on with it."""
    return {k: v for k, v in configuration(options).items() if k != "actors"}


def _introduction(options: Train, policy: Policy) -> str:
    act = options.setup.act
    return (
        f"{options.policy} on {options.env}: {policy.num_parameters:,} parameters; mode "
        f"{options.mode}, {options.actors} actors, {act.groups} groups of {act.lanes} environments"
    )


def _train(run: Run, options: Train, console: Console) -> Standing:
    """The updates that the run lacks."""
    setup = options.setup
    standing = stand(run, setup)
    if standing.is_over(setup):
        return standing
    from cluster.runtime import ray_runtime  # Ray takes seconds to import
    from cluster.training.hosts import warm_up
    from cluster.training.session import go_on

    with waiting(console, "loading compiled code (the first start takes minutes)"):
        warm_up(setup)
    with ExitStack() as stack:
        stack.enter_context(ray_runtime(options.ray_address, options.actors))
        stack.enter_context(warnings_on(console))
        reach = stack.enter_context(reaching(console, "steps", setup.steps, standing.steps))
        return go_on(run, options, standing, _teller(reach, setup, console.is_terminal))


def _teller(reach: Reach, setup: Setup, live: bool) -> Callable[[Record], None]:
    """Tell of rows; where each is a line of its own, not of every one."""
    last_s = -PAUSE_S

    def tell(row: Record) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        over = row["steps"] >= setup.steps or row["diverged"]
        if live or over or now_s - last_s >= PAUSE_S:
            last_s = now_s
            reach(min(row["steps"], setup.steps), in_words(row))

    return tell


def _finish(run: Run, options: Train, standing: Standing, policy: Policy) -> list[Record]:
    """Judge the policy and write everything; the rows of the results."""
    setup, episodes = options.setup, options.episodes
    rows = rows_until(run.done, standing.updates)
    nothing: Record = dict.fromkeys(JUDGEMENT)
    judged = nothing if standing.has_diverged else judge(policy, setup, episodes)
    players = play_trivial(setup.environment, episodes, setup.seed, setup.engine)
    records = [
        run_record(setup, policy.num_parameters, rows, judged),
        *(trivial_record(setup.environment, played) for played in players),
    ]
    # One entry: safetensors writes several in random order, and files could not be compared.
    said = {"policy": f"{options.policy} on {options.env} after {standing.steps} steps"}
    run.write_bytes(POLICY, save(to_arrays(policy), said))
    run.write_document("training.json", training_document(options, rows))
    run.write_results(records)
    return records


def _animate(run: Run, policy: Policy, setup: Setup, console: Console) -> None:
    """What cannot be drawn is no error: the policy is trained."""
    try:
        run.write_bytes(ANIMATION, animate(policy, setup.environment, setup.seed))
    except InputError as error:
        console.print(f"no animation: {error}", highlight=False)
