# SPDX-License-Identifier: Apache-2.0
"""Who was where when: an independent look at executed times, which knows no assignment."""

import numpy as np

from sim.graph import CoordinationGraph, Int32s
from sim.kernels.execution import NEVER, count_collisions

ALWAYS_MS, LATEST_MS = -1, int(np.iinfo(np.int32).max)


def collisions(graph: CoordinationGraph, time_ms: Int32s) -> Int32s:
    """How often two robots were in one cell at once, or exchanged cells.

    In an overlap two robots have not met when one of them left every shared cell before, or just
    when, the other entered it. Every overlap in which they met counts once.

    Args:
        time_ms: ``[E, S]`` executed times; a robot that is stuck stays where it is.

    Returns:
        ``[S]``.
    """
    enter_ms, leave_ms = stays_ms(graph, time_ms)
    return count_collisions(graph.arrays, enter_ms, leave_ms)


def stays_ms(graph: CoordinationGraph, time_ms: Int32s) -> tuple[Int32s, Int32s]:
    """``[E, S]`` when the robot enters and leaves the event's cell.

    Parked robots were always at their start and stay at their goal; a cell that a robot never
    reaches is left before it is entered.
    """
    enter_ms = np.where(time_ms == NEVER, LATEST_MS, time_ms).astype(np.int32, copy=False)
    leave_ms = np.roll(enter_ms, -1, axis=0)
    leave_ms[time_ms == NEVER] = ALWAYS_MS
    enter_ms[graph.offsets[:-1][graph.parked]] = ALWAYS_MS
    leave_ms[graph.offsets[1:][graph.parked] - 2] = LATEST_MS
    return enter_ms, leave_ms


def collisions_reference(graph: CoordinationGraph, time_ms: Int32s) -> int:
    """Slow and obvious twin of :func:`collisions` for one run ``[E]``: every two stays compared.

    Equal as long as driving takes time.
    """
    enter, leave = (column[:, 0].tolist() for column in stays_ms(graph, time_ms[:, None]))
    cell, robot = graph.cell.tolist(), graph.event_robot.tolist()
    entering = np.flatnonzero(graph.cell >= 0).tolist()
    met = set()
    for e in entering:
        for f in entering:
            if robot[e] >= robot[f]:
                continue
            together = cell[e] == cell[f] and enter[e] < leave[f] and enter[f] < leave[e]
            opposed = cell[e] == cell[f + 1] and cell[e + 1] == cell[f]
            if together:
                met.add((e, f))
            elif opposed and leave[e] == leave[f] < LATEST_MS:
                met |= {(e, f + 1), (e + 1, f)}
    return sum(not met.isdisjoint(visits) for visits in _visits_of_overlaps(graph))


def _visits_of_overlaps(graph: CoordinationGraph) -> list[set[tuple[int, int]]]:
    """The pairs of events that make up each overlap."""
    step = np.where(graph.overlap_direction < 0, -1, 1).tolist()
    lengths = graph.overlap_length.tolist()
    starts = zip(graph.overlap_u.tolist(), graph.overlap_v.tolist(), strict=True)
    return [
        {(u + place, v + step[r] * place) for place in range(lengths[r])}
        for r, (u, v) in enumerate(starts)
    ]
