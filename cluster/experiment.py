# SPDX-License-Identifier: Apache-2.0
"""A set of trials, done on Ray or here, into a run folder: what every experiment has in common."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.logging import RichHandler

from cluster.progress import in_words, progress, waiting
from cluster.runs import Run
from cluster.trials import Finished, Record, Runner, Trial, run_here, run_trials


@dataclass(frozen=True)
class Workplace:
    """Where trials are done.

    Args:
        workers: actors on Ray, 0 for this process.
        ray_address: of a running cluster, None for ``RAY_ADDRESS`` or a local Ray.
        warm_up: called once in every process before its first trial; None if nothing is compiled.
    """

    workers: int
    ray_address: str | None
    warm_up: Callable[[], None] | None = None


def run_experiment(
    run: Run,
    trials: Sequence[Trial],
    seed: int,
    shared: Mapping[str, object],
    workplace: Workplace,
    console: Console,
    words: Callable[[Record], str],
) -> list[Finished]:
    """Do the trials that the run folder lacks, write each as it finishes, return the failed ones.

    While it works it says of each, in the given ``words``, what became of it.

    Raises:
        InputError: Ray does not start or answer, or the run folder cannot be written.
    """
    done = run.done
    if all(trial.key in done for trial in trials):
        return []
    # Before any worker does: on the first start this compiles, which is better done once.
    if workplace.warm_up is not None:
        with waiting(console, "loading compiled code (the first start takes minutes)"):
            workplace.warm_up()
    with (
        _runner(workplace, shared) as runner,
        warnings_on(console),
        progress(console, "trials", len(trials), sum(t.key in done for t in trials)) as advance,
    ):

        def keep(finished: Finished) -> None:
            run.append(finished)
            advance(in_words(finished, words))

        return run_trials(trials, seed, runner, done, keep)


@contextmanager
def warnings_on(console: Console) -> Iterator[None]:
    """Show our warnings above the live bar instead of through it."""
    log = logging.getLogger("cluster")
    handler = RichHandler(console=console, show_time=False, show_path=False)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextmanager
def _runner(workplace: Workplace, shared: Mapping[str, object]) -> Iterator[Runner]:
    if workplace.workers == 0:
        yield run_here(shared)
        return
    from cluster.runtime import ray_runtime  # Ray takes seconds to import
    from cluster.workers import run_on_ray

    with ray_runtime(workplace.ray_address, workplace.workers):
        yield run_on_ray(workplace.workers, shared, workplace.warm_up or _nothing)


def _nothing() -> None:
    """For who has nothing to compile."""
