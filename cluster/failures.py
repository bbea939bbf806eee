# SPDX-License-Identifier: Apache-2.0
"""What to do when a worker is lost, decided as a pure function."""

from dataclasses import dataclass

MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Decision:
    """Whether to try again, and why."""

    retry: bool
    reason: str


def on_lost_worker(what: str, attempts: int, cause: str) -> Decision:
    """Try ``what`` again after its worker died, but not for ever: it may be what kills them.

    Args:
        what: a trial's key, or the start of a worker.
        attempts: how often it has been tried, at least 1.
        cause: what Ray says about the death.
    """
    lost = f"{what}: the worker died ({cause}) in attempt {attempts} of {MAX_ATTEMPTS}"
    return Decision(attempts < MAX_ATTEMPTS, lost)
