# SPDX-License-Identifier: Apache-2.0
"""Flower's ServerApp: the rounds of ``federate`` over whatever carries Flower's messages.

Under ``flwr run`` and on a SuperLink the server sees no data. So there is nothing to hold the
rounds against, and what is said of the model is what the sites say. The run folder is resumed, so
that a server that is started again goes on after the last finished round.
"""

from pathlib import Path

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

from cluster.__main__ import parse
from cluster.federation import configured, finish_blind, train
from cluster.federation_options import Federate
from cluster.federation_records import in_words
from cluster.federation_sites import task_maker
from cluster.manifest import make_manifest
from cluster.report import write_report
from cluster.runs import open_run
from federated.numbered import NumberedGrid
from federated.run_config import RunConfig
from sim.errors import InputError

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Do the rounds that the run folder lacks."""
    options = read_options(context.run_config)
    serve(options, NumberedGrid(grid, options.clients))


def serve(options: Federate, grid: Grid) -> Path:
    """The rounds, over any Grid; returns the path of the report."""
    path = Path(options.out or "")
    initial = task_maker(options)().initial()
    with open_run(path, make_manifest("federate", options.seed, configured(options))) as run:
        model = train(
            run,
            grid,
            options,
            initial,
            lambda one: print(in_words(one, options.task), flush=True),
        )
        finish_blind(run, options, model)
    return write_report(path)


def read_options(config: RunConfig) -> Federate:
    """The options of ``federate`` in a Flower run config, whose keys are those of its flags.

    Raises:
        InputError: a value is not allowed, or ``out`` is no absolute path, which the run needs: it
            works in a folder of Flower's.
    """
    words = ["federate"]
    for name, value in config.items():
        if isinstance(value, bool):
            head, _, last = name.rpartition(".")
            flag = last if value else f"no-{last}"
            words.append(f"--{head}.{flag}" if head else f"--{flag}")
        elif value != "":
            words += [f"--{name}", *str(value).split()]
    try:
        options = parse([*words, "--no-regimes"])
    except SystemExit as stop:
        raise InputError(f"the run config is not usable: {' '.join(words[1:])}") from stop
    if not isinstance(options, Federate):
        raise AssertionError("federate has options of its own")
    if options.out is None or not Path(options.out).is_absolute():
        raise InputError(f"out is {options.out!r}; needed: the absolute path of a run folder")
    return options
