# SPDX-License-Identifier: Apache-2.0
"""What it costs when a host is killed, or a node of Ray is lost, in the middle of a round.

1,000 VQC clients. The kill is ``kill -9`` of a host's process from outside, at several moments of a
round; the loss is that of a node with all of its processes, two nodes of two cores being there. The
model after the last round must be that of an undisturbed run, bit for bit.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil
import ray
from ray.cluster_utils import Cluster

from benchmarks.federated.setting import Figure, distance, hosted, rounds_of, vqc_clients
from federated.rounds import Round
from federated.task import Arrays

CLIENTS = 1000
ROUNDS, DISTURBED = 12, 6
MOMENTS = (0.1, 0.3, 0.5, 0.7)
"""Shares of a round after which it happens; late ones hit a host that has answered already."""
QUICK_HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""Ray's own take 15 to 20 s to notice that a node is gone."""


@dataclass(frozen=True, eq=False)
class Course:
    """How a run went: seconds and good replies of its rounds, and its model."""

    seconds: list[float]
    good: list[int]
    arrays: Arrays

    @property
    def extra_s(self) -> float:
        """Of the slowest round from the fault on, above the median before it."""
        usual_s = median(self.seconds[1 : DISTURBED - 1])
        return max(self.seconds[DISTURBED - 1 :]) - usual_s

    @property
    def missing(self) -> int:
        """Replies that did not count, of all rounds."""
        return sum(CLIENTS - good for good in self.good)

    @property
    def incomplete(self) -> int:
        """Rounds with missing replies."""
        return sum(good < CLIENTS for good in self.good)


def measure() -> list[Figure]:
    quiet = _run(lambda: None, 0.0)
    killed = [_run(_kill_a_host, moment) for moment in MOMENTS]
    lost = [_on_nodes(moment) for moment in MOMENTS]
    return [
        *_figures("kill -9 of a host", killed, quiet, 2.0),
        *_figures("loss of a node", lost, quiet),
    ]


def _figures(
    title: str, courses: list[Course], quiet: Course, most_s: float | None = None
) -> list[Figure]:
    for course in courses:
        print(f"{title}: rounds [s] {' '.join(f'{s:.2f}' for s in course.seconds)}", flush=True)
    missing = tuple(float(course.missing) for course in courses)
    incomplete = tuple(float(course.incomplete) for course in courses)
    apart = tuple(distance(course.arrays, quiet.arrays) for course in courses)
    extra_s = tuple(course.extra_s for course in courses)
    return [
        Figure(f"{title}: extra time of the round", extra_s, "s", most_s, at_most=True),
        Figure(f"{title}: replies missing", missing, "", 0 if most_s else None, at_most=True),
        Figure(f"{title}: rounds with missing replies", incomplete, "", 1, at_most=True),
        Figure(f"{title}: distance of the final model", apart, "", 0, at_most=True),
    ]


def _run(disturb: Callable[[], object], moment: float) -> Course:
    """The rounds; in the middle of one of them something happens."""
    options = vqc_clients(CLIENTS)
    done: list[Round] = []
    with hosted(options) as (task, grid):
        for one in rounds_of(grid, task.initial(), ROUNDS, CLIENTS):
            done.append(one)
            if one.progress.round == DISTURBED - 1:
                usual_s = median(each.seconds for each in done)
                threading.Timer(moment * usual_s, disturb).start()
    return Course(
        [one.seconds for one in done], [len(one.good) for one in done], one.progress.arrays
    )


def _hosts(parent: psutil.Process) -> list[psutil.Process]:
    return [one for one in parent.children(recursive=True) if one.name().startswith("ray::Host")]


def _kill_a_host() -> None:
    _hosts(psutil.Process())[0].kill()


def _on_nodes(moment: float) -> Course:
    with _cluster() as nodes:
        return _run(lambda: _lose(nodes[0]), moment)


@contextmanager
def _cluster() -> Iterator[list[Any]]:
    """A head without cores and two nodes of two."""
    cluster: Any = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "_system_config": QUICK_HEALTH_CHECKS},
    )
    try:
        nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
        cluster.wait_for_nodes()
        ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def _lose(node: Any) -> None:
    """As if the machine had no power: Ray's daemon there and its workers, all at once."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    family = raylet.children(recursive=True)
    raylet.kill()
    for one in family:
        if one.is_running():
            one.kill()
