# SPDX-License-Identifier: Apache-2.0
"""From the options of ``federate`` to a task, and to a Grid of sites that have it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from flwr.serverapp import Grid

from cluster.federation_options import Federate
from federated.arrivals import require_last_layer
from federated.client import task_answers
from federated.coordinator_task import CoordinatorOptions, CoordinatorTask
from federated.floors import FloorsOptions, draw_sites, read_sites
from federated.flower import identity
from federated.grid import Answers, LocalSites, SiteGrid
from federated.options import COORDINATOR, TaskName, acts, settled
from federated.partition import Partition
from federated.secure import SecureGrid
from federated.secure_site import secured_answers
from federated.task import Task
from federated.tasks import TaskOptions, make_any_task, make_task
from sim.errors import InputError

BLOCKS = 8
"""Parts that sites are dealt in, so that up to as many hosts share the work; fixed, or results
would depend on the number of hosts."""
LARGEST_BLOCK = 256


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
    if acts(options.task):
        return partial(make_any_task, task_options(options))
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
    fit = settled(options.fit, options.task)
    answers = task_answers(make, fit, options.privacy, options.rounds)
    return secured_answers(answers, options.secagg) if options.secure else answers


def _secured(grid: Grid, options: Federate) -> Grid:
    return SecureGrid(grid, options.secagg) if options.secure else grid
