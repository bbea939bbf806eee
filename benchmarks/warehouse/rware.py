# SPDX-License-Identifier: Apache-2.0
"""Agent-steps per CPU second under RWARE's rules: ours over rware 2.0.0, in turns in one process.

Both take the same random actions on the same floors and show every robot its 71 numbers. rware
registers up to 19 robots; more stand on a larger floor of the same kind.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rware.warehouse import RewardType, Warehouse

from benchmarks.agents.measuring import Route, cpu_us_per_step
from sim.environments.rware.layout import make_rware_layout
from sim.environments.rware.options import Observation, RwareOptions
from sim.environments.rware.worlds import RwareWorlds
from sim.warehouse.chance import world_keys

Record = dict[str, Any]

BATCHED, ALONE = 1000.0, 100.0  # targets
ACTIONS = 5
TABLE = 64  # steps of actions that are drawn before, and taken again and again


@dataclass(frozen=True)
class Case:
    """So many robots on a floor of so many shelf columns and rows, in so many worlds of ours."""

    robots: int
    columns: int
    rows: int
    worlds: int
    observation: Observation = "flattened"
    target: float | None = None


CASES = (
    Case(2, 3, 1, 256, target=BATCHED),  # rware-tiny-2ag
    Case(16, 5, 3, 64, target=BATCHED),  # rware-large-16ag
    Case(50, 9, 6, 64, target=BATCHED),
    Case(50, 9, 6, 1, target=ALONE),
    Case(50, 9, 6, 64, "codes"),
    Case(50, 9, 6, 64, "none"),
)


def measure(cases: tuple[Case, ...] = CASES, rounds: int = 9, least_s: float = 0.3) -> list[Record]:
    """One record for each case; medians over the rounds."""
    return [_measure(case, rounds, least_s) for case in cases]


def targets(records: list[Record]) -> dict[str, bool]:
    """What was asked for, and whether the records show it."""
    return {
        f"{one['target']:g} times rware, {one['robots']} robots in {one['worlds']} worlds": (
            one["ratio"] >= one["target"]
        )
        for one in records
        if one["target"] is not None
    }


def _measure(case: Case, rounds: int, least_s: float) -> Record:
    us = cpu_us_per_step({"ours": _ours(case), "rware": _theirs(case)}, rounds, least_s)
    ratios = us["rware"] / us["ours"]
    record = {
        "robots": case.robots,
        "worlds": case.worlds,
        "observation": case.observation,
        "agent_steps_per_cpu_s": 1e6 / float(np.median(us["ours"])),
        "rware_agent_steps_per_cpu_s": 1e6 / float(np.median(us["rware"])),
        "ratio": float(np.median(ratios)),
        "ratio_least": float(ratios.min()),
        "ratio_most": float(ratios.max()),
        "target": case.target,
    }
    print(record, flush=True)
    return record


def _actions(case: Case, worlds: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, ACTIONS, (TABLE, worlds, case.robots))


def _ours(case: Case) -> Route:
    layout = make_rware_layout(case.columns, case.rows, 8)
    options = RwareOptions(case.robots, case.robots, max_steps=None, observation=case.observation)
    worlds = RwareWorlds(layout, options, world_keys(0, list(range(case.worlds))))
    worlds.reset()
    table = _actions(case, case.worlds)

    def route() -> int:
        for actions in table:
            worlds.step(actions)
        return int(table.size)

    return route


def _theirs(case: Case) -> Route:
    warehouse = Warehouse(
        case.columns, 8, case.rows, case.robots, 0, 1, case.robots, None, None,
        RewardType.INDIVIDUAL,
    )  # fmt: skip
    warehouse.reset(seed=0)
    table = _actions(case, 1)[:, 0].tolist()

    def route() -> int:
        for actions in table:
            warehouse.step(actions)
        return TABLE * case.robots

    return route
