# SPDX-License-Identifier: Apache-2.0
"""What the best plan of one robot costs, by looking at all states step by step; for tests."""

from sim.distances import Neighbours
from sim.warehouse.control.fields import FieldArrays, distance

State = tuple[int, int]


def least_cost_reference(
    neighbours: Neighbours,
    fields: FieldArrays,
    row: int,
    begin: tuple[int, State],
    steps: int,
    others: list[list[int]],
) -> int | None:
    """Steps to the goal, or those of the window and the moves that remain; None: no way.

    Args:
        begin: the step, and the cell and heading (-1: does not turn) then.
        steps: of the window.
        others: the cells of each robot that has planned, after each step; -1 after the end.
    """
    first, state = begin
    states = {state}
    for step in range(first, steps + 1):
        away = [distance(fields, row, cell) for cell, _ in states]
        if not states or 0 in away:
            return step if states else None
        if step == steps:
            return steps + min(away)
        states = {
            (target, heading)
            for cell, before in states
            for target, heading in _next(neighbours, cell, before)
            if not any(_meet(path, step, cell, target) for path in others)
        }
    return None


def _meet(path: list[int], step: int, cell: int, target: int) -> bool:
    swaps = path[step] == target and path[step + 1] == cell and cell != target
    return path[step + 1] == target or swaps


def _next(neighbours: Neighbours, cell: int, heading: int) -> list[State]:
    if heading < 0:
        return [(cell, -1), *((int(n), -1) for n in neighbours[cell] if n >= 0)]
    turned = [(cell, (heading + turn) % 4) for turn in (0, 1, 3)]
    ahead = int(neighbours[cell, heading])
    return [*turned, (ahead, heading)] if ahead >= 0 else turned
