# SPDX-License-Identifier: Apache-2.0
"""Scores of one algorithm: checked, and on a scale that tasks share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.errors import InputError, require

Array = NDArray[np.float64]


def checked_scores(scores: ArrayLike, name: str = "scores", axes: int = 2) -> Array:
    """The scores as float64 [runs, tasks], or [runs, tasks, points] with three axes.

    Every task must have every run: where one is missing, take the runs that all tasks have. How
    to weigh tasks with unequal numbers of runs would be a choice that no reader expects.

    Raises:
        InputError: other axes, none of something, or a score that is not finite; names its place.
    """
    words = ("runs", "tasks", "points")[:axes]
    allowed = f"numbers [{', '.join(words)}], as many runs of every task"
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no such array ({error}); allowed: {allowed}") from error
    require(f"{name}.shape", array.shape, array.ndim == axes and array.size > 0, allowed)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = ", ".join(f"{word[:-1]} {i}" for word, i in zip(words, bad[0], strict=True))
        require(f"{name}[{place}]", float(array[tuple(bad[0])]), False, "finite numbers")
    return array


def normalised(scores: ArrayLike, zero: ArrayLike, one: ArrayLike) -> Array:
    """Scores [runs, tasks] on the scale of each task on which ``zero`` [tasks] is 0, ``one`` 1.

    Raises:
        InputError: as :func:`checked_scores`; or some ``one`` is not above its ``zero``.
    """
    array = checked_scores(scores)
    low, high = np.asarray(zero, dtype=np.float64), np.asarray(one, dtype=np.float64)
    for name, ends in (("zero", low), ("one", high)):
        require(f"{name}.shape", ends.shape, ends.shape == array.shape[1:], "one number a task")
    for task, (bottom, top) in enumerate(zip(low, high, strict=True)):
        above = bool(np.isfinite(bottom) and np.isfinite(top) and top > bottom)
        require(f"one[task {task}]", float(top), above, f"finite, above its zero, {bottom:g}")
    return np.asarray((array - low) / (high - low))
