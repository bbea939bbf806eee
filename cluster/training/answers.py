# SPDX-License-Identifier: Apache-2.0
"""What comes back from a process on Ray: an answer, bad input, a bug, or that it is gone."""

from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayError, RayTaskError

from cluster.training.failures import Lost, Part
from sim.errors import InputError

Reference = Any
"""To what will be in the object store."""


def fetch(reference: Reference, part: Part) -> Any:
    """What a reference stands for, as soon as it is there.

    Args:
        reference: of a call.
        part: who was asked.

    Raises:
        InputError: it was raised there, such as by an environment that breaks every time.
        Lost: the part is gone, or data that it needed.
        RayTaskError: there is a bug, with its traceback.
    """
    try:
        return ray.get(reference)
    except RayError as error:
        raise _meaning(error, part) from error


def first_of(references: Sequence[Reference], limit_s: float | None = None) -> list[Reference]:
    """Wait for an answer, whatever it is; those that are there, without fetching them."""
    there, _ = ray.wait(list(references), num_returns=1, timeout=limit_s, fetch_local=False)
    return list(there)


def is_there(reference: Reference) -> bool:
    """Whether a call was answered."""
    return bool(ray.wait([reference], timeout=0, fetch_local=False)[0])


def _meaning(error: RayError, part: Part) -> Exception:
    cause = error.cause if isinstance(error, RayTaskError) else error
    if isinstance(cause, InputError):
        return InputError(str(cause))
    if isinstance(cause, ObjectLostError):
        return Lost(Part.DATA, _first_line(cause))
    if isinstance(error, RayTaskError):
        return error
    return Lost(part, _first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
