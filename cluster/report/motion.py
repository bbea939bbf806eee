# SPDX-License-Identifier: Apache-2.0
"""When a robot drives and when it waits, read off its entry times.

A robot needs about its pace for a cell. Where more time passes between two entries, it
stands in the first cell and moves in the last part of the gap.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from cluster.report.replay import Trip

Kind = Literal["bay", "wait", "drive"]
SLACK = 0.05


@dataclass(frozen=True)
class Stretch:
    """A robot does one thing from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    kind: Kind


def pace_s(trip: Trip) -> float:
    """Seconds per cell of this robot when nobody is in its way."""
    gaps = [b - a for a, b in pairwise(trip.times_s) if b > a]
    if trip.free_s:
        return trip.free_s / len(trip.cells)
    return median(gaps) if gaps else 1.0


def stretches(trip: Trip) -> list[Stretch]:
    """The whole trip from time zero, neighbours of one kind joined."""
    pace = pace_s(trip)
    found = [Stretch(0.0, trip.times_s[0], "bay")]
    for start, end in pairwise(trip.times_s):
        move = end - pace if end - start > pace * (1 + SLACK) else start
        found += [Stretch(start, move, "wait"), Stretch(move, end, "drive")]
    return _joined([stretch for stretch in found if stretch.end_s > stretch.start_s])


def _joined(found: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for stretch in found:
        same = bool(joined) and joined[-1].kind == stretch.kind
        start_s = joined.pop().start_s if same else stretch.start_s
        joined.append(Stretch(start_s, stretch.end_s, stretch.kind))
    return joined


def occupancy(trips: list[Trip], end_s: float, samples: int) -> dict[Kind, list[int]]:
    """How many robots drive, wait on the floor, or wait in their bay at evenly spaced times."""
    counts: dict[Kind, list[int]] = {"drive": [0] * samples, "wait": [0] * samples}
    counts["bay"] = [0] * samples
    step = end_s / max(samples - 1, 1) or 1.0
    for trip in trips:
        for stretch in stretches(trip):
            first, last = -(-stretch.start_s // step), -(-stretch.end_s // step)
            for index in range(int(first), min(int(last), samples)):
                counts[stretch.kind][index] += 1
    return counts
