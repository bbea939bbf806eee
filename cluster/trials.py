# SPDX-License-Identifier: Apache-2.0
"""Trials: the independent units of an experiment, and what became of them.

A trial is pure: its result depends on its function, its arguments, and a random generator that is
seeded from the run's seed and the trial's key. So it can be done anywhere, in any order, and again.
"""

import hashlib
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Record = dict[str, Any]
"""One flat JSON object: names to texts, numbers, flags or None."""


@dataclass(frozen=True, eq=False)
class Result:
    """What a trial returns: a flat record, and arrays to keep beside it (name to array)."""

    record: Record
    arrays: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shared:
    """Stands in a trial's arguments for a large value that all workers are given once."""

    name: str


@dataclass(frozen=True, eq=False)
class Trial:
    """One unit of work: ``function(rng=..., **arguments)``, known by its key."""

    key: str
    function: Callable[..., Result]
    arguments: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Finished:
    """A trial that was done (``result``) or given up (``error`` says why, in full)."""

    key: str
    result: Result | None
    error: str | None = None


Runner = Callable[[Sequence[Trial], int], Iterator[Finished]]
"""Trials and the run's seed in, finished trials out, in the order in which they finish."""


def trial_rng(seed: int, key: str) -> np.random.Generator:
    """The generator of one trial, the same on every machine and for any number of workers."""
    digest = hashlib.sha256(key.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def attempt(
    key: str, function: Callable[..., Result], seed: int, arguments: Mapping[str, object]
) -> Finished:
    """Do a trial in this process; an exception is a result too, with its traceback."""
    try:
        return Finished(key, function(rng=trial_rng(seed, key), **arguments))
    except Exception:
        return Finished(key, None, traceback.format_exc())


def run_here(shared: Mapping[str, object]) -> Runner:
    """A runner that does the trials one after another in this process."""

    def run(trials: Sequence[Trial], seed: int) -> Iterator[Finished]:
        for trial in trials:
            yield attempt(trial.key, trial.function, seed, resolve(trial.arguments, shared))

    return run


def resolve(arguments: Mapping[str, object], shared: Mapping[str, object]) -> dict[str, object]:
    """The arguments with every :class:`Shared` replaced by its value."""
    return {k: shared[v.name] if isinstance(v, Shared) else v for k, v in arguments.items()}


def run_trials(
    trials: Sequence[Trial],
    seed: int,
    runner: Runner,
    done: Collection[str],
    on_finished: Callable[[Finished], None],
) -> list[Finished]:
    """Do every trial that is not done yet; report each as it finishes; return the failed ones.

    Raises:
        ValueError: two trials have the same key.
    """
    keys = [trial.key for trial in trials]
    if len(set(keys)) < len(keys):
        raise ValueError(f"trial keys repeat: {sorted(k for k in keys if keys.count(k) > 1)[0]}")
    failed = []
    for finished in runner([t for t in trials if t.key not in done], seed):
        on_finished(finished)
        if finished.result is None:
            failed.append(finished)
    return failed
