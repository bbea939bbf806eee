# SPDX-License-Identifier: Apache-2.0
"""A federation in a run folder: the rounds, each kept as it is done, and what to hold them against.

The rounds take a Flower Grid, whatever carries its messages; so this serves ``federate``, where
sites live on Ray actors, and the ServerApp alike.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from flwr.serverapp import Grid
from safetensors.numpy import save

from cluster.federation_records import (
    as_scores,
    final_records,
    partition_document,
    reported_records,
    round_record,
    rounds_document,
    updates,
)
from cluster.manifest import configuration
from cluster.options import Federate
from cluster.runs import Run
from cluster.trials import Finished, Record, Result, Shared, Trial
from federated.arrivals import arrivals, require_last_layer
from federated.checkpoint import pack, unpack
from federated.client import task_answers
from federated.coordinator_task import CoordinatorOptions, CoordinatorTask
from federated.floors import FloorsOptions, draw_sites, read_sites
from federated.flower import identity
from federated.grid import Answers, LocalSites, SiteGrid
from federated.options import COORDINATOR, TaskName, settled
from federated.partition import Partition
from federated.regimes import elsewhere, train_alone, train_pooled
from federated.rounds import Progress, run_rounds
from federated.secure import SecureGrid
from federated.secure_site import secured_answers
from federated.strategies import make_strategy
from federated.task import Arrays, Score, Task
from federated.tasks import TaskOptions, make_task
from sim.errors import InputError

CHECKPOINT, MODEL = "checkpoint.npz", "model.safetensors"
BLOCKS = 8
"""Parts that sites are dealt in, so that up to as many hosts share the work; fixed, or results
would depend on the number of hosts."""
LARGEST_BLOCK = 256
GROWING = ("rounds",)
"""Options that may be larger when a run is resumed."""


def task_options(options: Federate) -> TaskOptions:
    """From what the task is made, with the new sites behind the clients."""
    return TaskOptions(
        TaskName.parse(options.task),
        options.clients + options.new_sites,
        Partition.parse(options.partition),
        options.seed,
        options.model,
    )


def task_maker(options: Federate) -> Callable[[], Task]:
    """What makes the task of the clients, here and in every host.

    Raises:
        InputError: labels cannot be read.
    """
    if options.task != COORDINATOR:
        return partial(make_clients, task_options(options), options.clients)
    if options.labels:
        sites = read_sites([Path(one) for one in options.labels], options.seed)
    else:
        sites = draw_sites(options.clients, FloorsOptions(), options.seed)
    return partial(CoordinatorTask, sites, CoordinatorOptions(options.seed))


def make_clients(options: TaskOptions, clients: int) -> Task:
    """The task without the new sites."""
    task = make_task(options)
    new = task.sites[clients:]
    if new:
        require_last_layer(task.module)
    least = task.unit[1]
    if any(len(site.train) < least or not len(site.test) for site in new):
        raise InputError(
            f"new_sites is {len(new)}: one has no tests, or fewer than {least} samples to begin "
            "with; choose a milder partition, or fewer sites"
        )
    return task.only(range(clients))


def configured(options: Federate) -> dict[str, Any]:
    """What a run has to agree in to be resumed: all but what may grow."""
    return {k: v for k, v in configuration(options).items() if k not in GROWING}


@contextmanager
def runtime(options: Federate) -> Iterator[None]:
    """Ray for the whole command, where it is wanted."""
    if options.workers == 0:
        yield
        return
    from cluster.runtime import ray_runtime  # Ray takes seconds to import

    with ray_runtime(options.ray_address, options.workers):
        yield


@contextmanager
def site_grid(options: Federate, make: Callable[[], Task], count: int) -> Iterator[Grid]:
    """A Grid to the sites, on a Ray that runs, or in this process. The hosts end with it.

    Inside, this process is the server of a run; in a ServerApp it is that by Flower.
    """
    answers = partial(host_answers, make, options)
    block = 1 if options.secure else min(-(-count // BLOCKS), LARGEST_BLOCK)
    if options.workers == 0:
        with identity(run_id=1):
            yield _secured(SiteGrid(LocalSites(answers(), count, block)), options)
        return
    from cluster.sites import RaySites  # Ray takes seconds to import

    sites = RaySites(answers, count, options.workers, block)
    try:
        with identity(run_id=1):
            yield _secured(SiteGrid(sites), options)
    finally:
        sites.close()


def host_answers(make: Callable[[], Task], options: Federate) -> Answers:
    """What a host does; in one thread, so that sums have one order and hosts do not compete."""
    torch.set_num_threads(1)
    answers = task_answers(make, settled(options.fit, options.task))
    return secured_answers(answers, options.secagg) if options.secure else answers


def _secured(grid: Grid, options: Federate) -> Grid:
    return SecureGrid(grid, options.secagg) if options.secure else grid


def train(
    run: Run, grid: Grid, options: Federate, initial: Arrays, tell: Callable[[Record], None]
) -> Arrays:
    """The rounds that the run lacks; returns the model.

    The line that tells of a round is written before the checkpoint, so that after a crash between
    the two the round is done again, to the bit, and the later line counts.

    Raises:
        InputError: the checkpoint is damaged, of another federation, or has more rounds already.
    """
    whose = (
        f"{options.task}, {options.clients} clients, {options.partition}, {options.strategy}, "
        f"seed {options.seed}"
    )
    begin = Progress(0, initial, {})
    checkpoint = run.artefact(CHECKPOINT)
    if checkpoint.is_file():
        begin = unpack(run.read_bytes(CHECKPOINT), whose, str(checkpoint))
    if begin.round > options.rounds:
        raise InputError(
            f"rounds is {options.rounds}; allowed: {begin.round} or more, which are done"
        )
    model = begin.arrays
    for done in run_rounds(
        grid,
        make_strategy(options.strategy, options.server, options.clients),
        begin,
        options.rounds,
        seed=options.seed,
        quorum=options.server.quorum,
        timeout_s=options.server.timeout_s,
        evaluate=options.evaluate,
    ):
        model = done.progress.arrays
        record = round_record(done)
        if options.record_updates:
            run.write_arrays(f"updates/{_key(done.progress.round)}.npz", updates(done))
        run.append(Finished(_key(done.progress.round), Result(record)))
        run.write_bytes(CHECKPOINT, pack(done.progress, whose))
        tell(record)
    return model


def _key(number: int) -> str:
    return f"round-{number:04d}"


def regime_trials(options: Federate) -> list[Trial]:
    """What the federation is held against; ``task`` is a shared value."""
    if not options.regimes:
        return []
    arguments = {"task": Shared("task"), "options": options}
    return [
        Trial(f"regime-local-r{options.rounds:04d}", local, arguments),
        Trial(f"regime-centralised-r{options.rounds:04d}", centralised, arguments),
    ]


def local(rng: np.random.Generator, task: Task, options: Federate) -> Result:
    """Every site alone, judged at home and at all sites."""
    del rng
    arrays = train_alone(task, settled(options.fit, options.task), options.rounds)
    home = task.evaluate(arrays, range(task.count))
    return Result({"local": _plain(home), "local_elsewhere": _plain(elsewhere(task, arrays))})


def centralised(rng: np.random.Generator, task: Task, options: Federate) -> Result:
    """One model of everybody's samples, judged at all sites."""
    del rng
    arrays = train_pooled(task, settled(options.fit, options.task), options.rounds)
    return Result({"centralised": _plain(task.evaluate([arrays] * task.count, range(task.count)))})


def finish(run: Run, options: Federate, task: Task, model: Arrays) -> list[Record]:
    """Write the documents of a run whose rounds are done; returns the rows of the results."""
    everybody = range(task.count)
    scores = {
        "trivial": task.trivial(everybody),
        "federated": task.evaluate([model] * task.count, everybody),
    }
    for trial in regime_trials(options):
        found = run.done.get(trial.key, {})
        scores |= {name: as_scores(rows) for name, rows in found.items()}
    records = final_records(task, scores)
    _write_model(run, options, model)
    if options.new_sites:
        run.write_document("personal.json", _personal(options, model))
    run.write_document("rounds.json", rounds_document(run.done))
    classes = getattr(task, "classes", ())
    run.write_document("partition.json", partition_document(options.partition, classes, task))
    run.write_results(records)
    return records


def _personal(options: Federate, model: Arrays) -> Any:
    """The JSON object ``artefacts/personal.json``."""
    task = make_task(task_options(options))
    clients = task.only(range(options.clients))
    new = task.only(range(options.clients, task.count))
    unit, samples = task.unit
    fit = settled(options.fit, options.task)
    rows = arrivals(clients, new, model, fit, options.rounds, samples)
    return {"unit": unit, "rows": rows}


def finish_blind(run: Run, options: Federate, model: Arrays) -> list[Record]:
    """As :func:`finish`, by a server that has no data: of the last round, what the sites say."""
    last = max((one for key, one in run.done.items() if key.startswith("round-")), key=_number)
    records = reported_records(last)
    _write_model(run, options, model)
    run.write_document("rounds.json", rounds_document(run.done))
    run.write_results(records)
    return records


def _number(record: Record) -> int:
    return int(record["round"])


def _write_model(run: Run, options: Federate, model: Arrays) -> None:
    # One entry: safetensors writes several in random order, and files could not be compared.
    said = {"federation": f"{options.task} after {options.rounds} rounds"}
    run.write_bytes(MODEL, save(model, said))


def _plain(scores: list[Score]) -> list[list[float | None]]:
    return [[score.samples, score.loss, score.accuracy] for score in scores]
