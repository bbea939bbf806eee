# SPDX-License-Identifier: Apache-2.0
"""PIBT and prioritised planning: agent-steps per CPU second, and 10,000 robots in real time.

One core, CPU time, after compilation and after the distances to all stations are known. A tick is
the controller's answer, the motion of the robots, and new goals for those that arrived.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.generate import WarehouseOptions, generate_warehouse
from sim.layout import Layout
from sim.warehouse.chance import Keys, world_keys
from sim.warehouse.control.interface import View
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.prioritised import PrioritisedController
from sim.warehouse.fleet import fleet_at, random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.rules import GRID, Rules, league

Record = dict[str, Any]

TARGET_AGENT_STEPS_PER_S, TARGET_TICKS_PER_S = 2e6, 10.0
LARGE = WarehouseOptions(
    rack_columns=40, rack_rows=110, rack_length_cells=10, open_cells=10, num_stations=400,
    num_pick_points=2000, missing_rack_ratio=0.05,
)  # fmt: skip
"""333 x 461 cells."""


@dataclass(frozen=True)
class Crowd:
    """Robots on a floor that drive between stations for ever."""

    name: str
    layout: Layout
    stations: np.ndarray
    rules: Rules
    worlds: int
    robots: int
    controller: Callable[[Layout, Rules, Keys], PibtController | PrioritisedController] = (
        PibtController
    )


def measure(windows: int = 7, ticks: int = 100, large: bool = True) -> list[Record]:
    """Records of all crowds; medians over windows of so many ticks."""
    rng = np.random.default_rng(0)
    small = generate_warehouse(WarehouseOptions.movingai_10_20_10_2_1(), rng)
    stations = rng.choice(small.free_cells, 500, replace=False)
    crowds = [
        Crowd(name, small, stations, rules, 16, robots)
        for name, rules in (("grid", GRID), ("league, 3 ticks", league(3)))
        for robots in (50, 100, 250)
    ]
    crowds += [replace(crowd, controller=PrioritisedController) for crowd in crowds]
    if large:
        floor = generate_warehouse(LARGE, rng)
        places = np.concatenate([floor.emitters, floor.service_points])
        crowds += [
            Crowd("grid", floor, places, GRID, 1, 10_000),
            Crowd("league, 3 ticks", floor, places, league(3), 1, 10_000),
        ]
    return [_measure(crowd, windows, ticks if crowd.worlds > 1 else ticks // 5) for crowd in crowds]


def targets(records: list[Record]) -> dict[str, bool]:
    """What the issue asks for, and whether the records show it."""
    speed = [r["agent_steps_per_cpu_s"] for r in records
             if r["robots"] == 100 and r["controller"] == PibtController.__name__]  # fmt: skip
    ticks = [r["ticks_per_cpu_s"] for r in records if r["robots"] == 10_000]
    return {
        "2 million agent-steps per second, 100 robots": min(speed) >= TARGET_AGENT_STEPS_PER_S,
        "10 ticks per second, 10,000 robots": bool(ticks) and min(ticks) >= TARGET_TICKS_PER_S,
    }


def _measure(crowd: Crowd, windows: int, ticks: int) -> Record:
    rng = np.random.default_rng(1)
    fleet = fleet_at(random_starts(crowd.layout, crowd.robots, crowd.worlds, rng))
    keys = world_keys(0, list(range(crowd.worlds)))
    controller = crowd.controller(crowd.layout, crowd.rules, keys)
    fields = controller.fields
    motion = Motion(fields.neighbours, crowd.rules)
    goals = rng.choice(crowd.stations, (*fleet.cell.shape, 1)).astype(np.int32)
    start = time.process_time()
    fields.rows(crowd.stations.astype(np.int32))
    fields_s = time.process_time() - start
    spent, arrived = np.zeros((windows + 1, 2)), 0
    for window in range(windows + 1):
        for tick in range(window * ticks, (window + 1) * ticks):
            begin = time.process_time()
            actions = controller.act(View(tick, fleet, goals, None))
            acted = time.process_time()
            motion.step(fleet, actions)
            moved = time.process_time()
            there = fleet.cell == goals[:, :, 0]
            goals[there, 0] = rng.choice(crowd.stations, there.sum())
            arrived += int(there.sum())
            renewed = time.process_time() - moved
            spent[window] += acted - begin + renewed, moved - acted
    control_s, motion_s = np.median(spent[1:], axis=0) / ticks
    agents = crowd.worlds * crowd.robots
    return {
        "part": "pibt",
        "controller": type(controller).__name__,
        "rules": crowd.name,
        "layout": crowd.layout.name,
        "cells": crowd.layout.free.size,
        "worlds": crowd.worlds,
        "robots": crowd.robots,
        "agent_steps_per_cpu_s": float(agents / control_s),
        "with_motion_per_cpu_s": float(agents / (control_s + motion_s)),
        "ticks_per_cpu_s": float(1 / (control_s + motion_s)),
        "goals_per_robot_and_1000_ticks": 1000 * arrived / agents / ticks / (windows + 1),
        "fields_cpu_s": fields_s,
    }


if __name__ == "__main__":
    for record in measure():
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in record.items()})
