# SPDX-License-Identifier: Apache-2.0
"""What to do when a part of a training is lost, decided as a pure function."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from cluster.failures import MAX_ATTEMPTS


class Part(StrEnum):
    """What can be lost."""

    ACTOR = "an actor"
    LEARNER = "the learner"
    DATA = "data of a lost machine"
    """Rollouts or positions in its part of the object store."""


class Remedy(Enum):
    """What helps."""

    ASK_AGAIN = "ask again"
    """A fresh actor; others stand in for it meanwhile. Where groups stand travels with every
    question, so nothing else is needed, and the answers are the same."""
    REWIND = "rewind"
    """Learner and groups go back to the last checkpoint, where they stood together."""
    GIVE_UP = "give up"


class Lost(Exception):  # noqa: N818 (reads as what happened)
    """A part of the training is gone.

    Args:
        part: which.
        cause: what Ray says of it.
    """

    def __init__(self, part: Part, cause: str) -> None:
        super().__init__(f"{part} was lost: {cause}")
        self.part, self.cause = part, cause


@dataclass(frozen=True)
class Decision:
    """What to do, and why."""

    remedy: Remedy
    reason: str


def on_lost(part: Part, in_a_row: int, cause: str) -> Decision:
    """What to do, but not for ever: what is done again may be what kills.

    Args:
        part: what was lost.
        in_a_row: how often, this time included, since it last got anywhere: an actor to an
            answer, the others to a checkpoint.
        cause: what Ray says of it.
    """
    reason = f"{part} was lost ({cause}), {in_a_row} of at most {MAX_ATTEMPTS} times in a row"
    if in_a_row >= MAX_ATTEMPTS:
        return Decision(Remedy.GIVE_UP, reason)
    return Decision(Remedy.ASK_AGAIN if part is Part.ACTOR else Remedy.REWIND, reason)
