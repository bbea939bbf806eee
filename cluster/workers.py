# SPDX-License-Identifier: Apache-2.0
"""Trials on Ray: a wait loop over worker actors that replaces the dead ones.

Ray could restart an actor in place, but calls that meet it while it restarts fail as well; a fresh
actor queues its calls until it is there, and may start on another node.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from cluster.failures import on_lost_worker
from cluster.trials import Finished, Result, Runner, Trial, attempt, resolve
from sim.errors import InputError

log = logging.getLogger(__name__)


class Worker:
    """The plain class behind the actors."""

    def ready(self, warm_up: Callable[[], None]) -> None:
        """Answer once this process runs and has warmed up."""
        warm_up()

    def work(
        self, key: str, function: Callable[..., Result], seed: int, /, **arguments: object
    ) -> Finished:
        """Do one trial."""
        return attempt(key, function, seed, arguments)


@dataclass(frozen=True, eq=False)
class Call:
    """A call in flight: a trial, or the start of a worker when there is none."""

    actor: Any
    trial: Trial | None
    attempts: int

    @property
    def what(self) -> str:
        """For messages."""
        return self.trial.key if self.trial else "start of a worker"


class Pool:
    """Workers that are given a trial when they answer, and let go when none is left."""

    def __init__(
        self, trials: Sequence[Trial], seed: int, shared: Mapping[str, object], warm_up: Any
    ) -> None:
        self.waiting = deque((trial, 1) for trial in trials)
        self.calls: dict[Any, Call] = {}
        self.seed = seed
        self.shared = shared
        self.warm_up = warm_up

    def start_worker(self, attempts: int = 1) -> None:
        """Ask for a worker; it starts when the cluster has a free core."""
        actor: Any = ray.remote(Worker).options(num_cpus=1, max_restarts=0).remote()
        reference = actor.ready.remote(self.warm_up)
        self.calls[reference] = Call(actor, None, attempts)

    def finished(self) -> Iterator[Finished]:
        """Every trial, as it is done or given up."""
        while self.calls:
            references, _ = ray.wait(list(self.calls), num_returns=1)
            finished = self._collect(references[0])
            if finished is not None:
                yield finished

    def close(self) -> None:
        """End the workers that are left, as after an interrupt."""
        for call in self.calls.values():
            ray.kill(call.actor)

    def _collect(self, reference: Any) -> Finished | None:
        call = self.calls.pop(reference)
        finished: Finished | None
        try:
            finished = ray.get(reference)
        except RayTaskError as error:
            finished = _not_runnable(call, error)
        except RayError as error:
            return self._replace(call, error)
        self._feed(call.actor)
        return finished

    def _feed(self, actor: Any) -> None:
        if not self.waiting:
            ray.kill(actor)  # gives its core back: a worker may be waiting for one
            return
        trial, attempts = self.waiting.popleft()
        arguments = resolve(trial.arguments, self.shared)
        reference = actor.work.remote(trial.key, trial.function, self.seed, **arguments)
        self.calls[reference] = Call(actor, trial, attempts)

    def _replace(self, call: Call, error: RayError) -> Finished | None:
        decision = on_lost_worker(call.what, call.attempts, _first_line(error))
        log.warning("%s; %s", decision.reason, "redone" if decision.retry else "given up")
        if call.trial is None and not decision.retry:
            raise InputError(f"Ray could not start a worker: {decision.reason}") from error
        if call.trial is None:
            self.start_worker(call.attempts + 1)
            return None
        if decision.retry:
            self.waiting.appendleft((call.trial, call.attempts + 1))
        if self.waiting:
            self.start_worker()
        return None if decision.retry else Finished(call.trial.key, None, decision.reason)


def run_on_ray(workers: int, shared: Mapping[str, object], warm_up: Callable[[], None]) -> Runner:
    """A runner on ``workers`` actors of one core each; Ray must be running.

    Args:
        workers: at most so many actors; fewer while the cluster has no free cores for them.
        shared: large values, put into the object store once.
        warm_up: called in every worker before its first trial, such as to load compiled code.
    """

    def run(trials: Sequence[Trial], seed: int) -> Iterator[Finished]:
        references = {name: ray.put(value) for name, value in shared.items()}
        pool = Pool(trials, seed, references, warm_up)
        try:
            for _ in range(min(workers, len(trials))):
                pool.start_worker()
            yield from pool.finished()
        finally:
            pool.close()

    return run


def _not_runnable(call: Call, error: RayTaskError) -> Finished:
    """The worker lives, but the call never reached our code: nothing to gain from a retry."""
    if call.trial is None:
        raise InputError(
            f"Ray workers cannot run this code ({_first_line(error.cause)}); install the same "
            "packages on every node, or submit a Ray job with --working-dir ."
        ) from error
    return Finished(call.trial.key, None, str(error))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
