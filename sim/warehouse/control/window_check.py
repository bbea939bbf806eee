# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a window, found slowly: the checker shares nothing with the planner."""

from sim.layout import Layout
from sim.warehouse.control.window import Window
from sim.warehouse.rules import Gait

_ROW_COLUMN = ((-1, 0), (0, 1), (1, 0), (0, -1))


def faults(
    layout: Layout,
    gait: Gait,
    starts: list[int],
    headings: list[int],
    window: Window,
    straight_only: bool,
) -> list[str]:
    """One line for each fault; none for a window that can be driven.

    Args:
        layout, gait: the floor and how robots move.
        starts, headings: ``[N]`` where they stand.
        window: to be checked.
        straight_only: whether a robot may follow another only in the same direction.
    """
    found = _motion_faults(layout, gait, starts, headings, window)
    robots, steps = window.actions.shape
    for step in range(steps):
        before = [int(window.cells[robot, step]) for robot in range(robots)]
        after = [int(window.cells[robot, step + 1]) for robot in range(robots)]
        found += _step_faults(step, before, after, straight_only)
    return found


def _motion_faults(
    layout: Layout, gait: Gait, starts: list[int], headings: list[int], window: Window
) -> list[str]:
    """Cells and headings that do not follow from the actions, and walls."""
    found = []
    for robot, cell in enumerate(starts):
        row, column = layout.row_column(cell)
        heading = headings[robot]
        for step in range(window.actions.shape[1] + 1):
            if step > 0:
                action = int(window.actions[robot, step - 1])
                row, column, heading = _after(gait, row, column, heading, action)
            on_floor = 0 <= row < layout.height and 0 <= column < layout.width
            if not on_floor or not layout.free[row, column]:
                found.append(f"robot {robot}, step {step}: no floor")
                break
            if row * layout.width + column != window.cells[robot, step]:
                found.append(f"robot {robot}, step {step}: another cell than its actions lead to")
            if heading != window.headings[robot, step]:
                found.append(f"robot {robot}, step {step}: another heading than its actions give")
    return found


def _after(gait: Gait, row: int, column: int, heading: int, action: int) -> tuple[int, int, int]:
    if action == 0:
        return row, column, heading
    if gait is Gait.TURNING and action in (2, 3):
        return row, column, (heading + (1 if action == 2 else -1)) % 4
    down, right = _ROW_COLUMN[heading if gait is Gait.TURNING else action - 1]
    return row + down, column + right, heading


def _step_faults(step: int, before: list[int], after: list[int], straight_only: bool) -> list[str]:
    """Meetings of one step."""
    found = []
    if len(set(after)) < len(after):
        found.append(f"step {step}: two robots in one cell")
    standing = {cell: robot for robot, cell in enumerate(before)}
    for robot, cell in enumerate(after):
        leaver = standing.get(cell, robot)
        if leaver == robot or after[leaver] == cell:
            continue
        if after[leaver] == before[robot]:
            found.append(f"step {step}: robots {robot} and {leaver} swap")
        if straight_only and after[leaver] - before[leaver] != cell - before[robot]:
            found.append(f"step {step}: robot {robot} follows {leaver} round a corner")
        chain = [robot]
        while leaver != robot and leaver not in chain:
            chain.append(leaver)
            leaver = standing.get(after[leaver], -1)
            if leaver < 0 or after[leaver] == before[leaver]:
                break
        if leaver == robot:
            found.append(f"step {step}: ring of robots {chain}")
    return found
