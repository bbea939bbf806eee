# SPDX-License-Identifier: Apache-2.0
"""A run folder that looks like a real one, for the tests of the report."""

import json
import random
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any

Json = dict[str, Any]
COORDINATORS = {  # cost against fcfs, seconds at ten robots
    "fcfs": (1.00, 0.004),
    "priority": (0.96, 0.006),
    "insertion": (0.82, 0.02),
    "milp": (0.78, 0.6),
    "cma": (0.80, 1.1),
    "local_search": (0.72, 0.35),
}
DURATION_S, HEADWAY_S = 1.0, 0.3


def warehouse(blocks: int = 6, aisles: int = 4, length: int = 7) -> list[str]:
    """Shelves two deep with one-cell aisles between, stations left and right."""
    width = 6 + blocks * (length + 1) + 1
    shelf = "..." + ("." + "@" * length) * blocks + "...."
    rows = ["." * width]
    for _ in range(aisles):
        rows += [shelf, shelf, "." * width]
    inner = [row[1:-1] for row in rows]
    return [("S" if y % 2 else ".") + row + ("E" if y % 2 else ".") for y, row in enumerate(inner)]


def shortest(rows: list[str], start: int, goal: int, rng: random.Random) -> list[int]:
    """Cells from start to goal by breadth-first search with random ties."""
    width, before, queue = len(rows[0]), {start: start}, deque([start])
    while queue:
        cell = queue.popleft()
        steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
        rng.shuffle(steps)
        for down, right in steps:
            y, x = cell // width + down, cell % width + right
            following = y * width + x
            inside = 0 <= y < len(rows) and 0 <= x < width
            if inside and rows[y][x] != "@" and following not in before:
                before[following] = cell
                queue.append(following)
    path = [goal]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def earliest(cells: list[int], taken: dict[int, list[tuple[float, float]]]) -> list[float]:
    """The earliest entry times along a path between the stays of robots that came before."""
    states: list[list[tuple[float, float, int]]] = []  # entry, end of the free gap, parent
    for k, cell in enumerate(cells):
        stays = sorted(taken.get(cell, []))
        starts = [0.0] + [end + HEADWAY_S for _, end in stays]
        ends = [start - HEADWAY_S for start, _ in stays] + [float("inf")]
        found = []
        for gap_start, gap_end in zip(starts, ends, strict=True):
            options = (
                [(0.0, float("inf"), -1)]
                if k == 0
                else [
                    (entry + DURATION_S, until, i) for i, (entry, until, _) in enumerate(states[-1])
                ]
            )
            for ready, until, parent in options:
                entry = max(ready, gap_start)
                if entry <= until and entry + DURATION_S <= gap_end:
                    found.append((entry, gap_end, parent))
                    break
        states.append(found)
    entry, _, parent = min(states[-1])
    times = [entry + DURATION_S, entry]
    for layer in reversed(states[:-1]):
        entry, _, parent = layer[parent]
        times.append(entry)
    return times[::-1]


def critical_path(robots: list[Json]) -> list[list[int]]:
    """Back from the last finish: along the robot, or to the one whose exit was awaited."""
    leaves = {
        (cell, round(robot["times_s"][k + 1], 6)): [r, k + 1]
        for r, robot in enumerate(robots)
        for k, cell in enumerate(robot["cells"])
    }
    last = max(range(len(robots)), key=lambda r: robots[r]["times_s"][-1])
    chain = [[last, len(robots[last]["cells"])]]
    while True:
        r, k = chain[-1]
        times, cells = robots[r]["times_s"], robots[r]["cells"]
        cell = cells[k] if k < len(cells) else -1
        awaited = leaves.get((cell, round(times[k] - HEADWAY_S, 6)))
        if k > 0 and times[k] - times[k - 1] <= DURATION_S + 1e-6:
            chain.append([r, k - 1])
        elif awaited:
            chain.append(awaited)
        elif k > 0:
            chain.append([r, k - 1])
        else:
            return chain[::-1]


def replay(rows: list[str], count: int, seed: int = 0) -> Json:
    rng = random.Random(seed)
    free = [i for i, symbol in enumerate("".join(rows)) if symbol != "@"]
    taken: dict[int, list[tuple[float, float]]] = {}
    robots: list[Json] = []
    for _ in range(count):
        start, goal = rng.sample(free, 2)
        cells = shortest(rows, start, goal, rng)
        times = earliest(cells, taken)
        for k, cell in enumerate(cells):
            taken.setdefault(cell, []).append((times[k], times[k + 1]))
        robots.append({"cells": cells, "times_s": times, "free_s": len(cells) * DURATION_S})
    return {
        "instance": "i003-r100",
        "coordinator": "local_search",
        "objective": "mean_travel",
        "cost_s": sum(r["times_s"][-1] for r in robots) / count,
        "headway_s": HEADWAY_S,
        "layout": {"name": "warehouse", "height": len(rows), "width": len(rows[0]), "rows": rows},
        "robots": robots,
        "critical_path": critical_path(robots),
        "plain_fcfs": {"deadlocked": True, "at_s": 31.2, "robots_stuck": 17},
    }


def results(counts: tuple[int, ...] = (10, 50, 100), instances: int = 5) -> list[Json]:
    rng, records = random.Random(1), []
    for robots in counts:
        for index in range(instances):
            base = 38 + 0.7 * robots + rng.gauss(0, 4)
            costs = {
                name: base * (1 - (1 - share) * robots / 100 + rng.gauss(0, 0.008))
                for name, (share, _) in COORDINATORS.items()
            }
            for name, cost in costs.items():
                seconds = COORDINATORS[name][1] * (robots / 10) ** 1.6 * rng.uniform(0.8, 1.3)
                bound = 0.97 * cost if name == "milp" and robots <= 50 else None
                records.append(
                    {
                        "instance": f"i{index:03}-r{robots:03}",
                        "robots": robots,
                        "coordinator": name,
                        "cost": cost,
                        "best_known": min(costs.values()),
                        "ratio": min(costs.values()) / cost,
                        "bound": bound,
                        "gap": None if bound is None else 0.03,
                        "seconds": min(seconds, 10.0),
                        "certified": True,
                        "status": "deadline"
                        if seconds >= 10
                        else "optimal"
                        if bound
                        else "feasible",
                    }
                )
    return records


def execution(records: list[Json]) -> Json:
    rng = random.Random(2)
    rows = [
        {
            "coordinator": r["coordinator"],
            "instance": r["instance"],
            "robots": r["robots"],
            "travel_s_mean": 1.15 * r["cost"],
            "travel_s_p95": 1.3 * r["cost"],
            "wait_s_mean": 0.2 * r["cost"],
            "throughput_per_min": 6000 / r["cost"],
            "collisions": 0,
            "deadlocks": 0,
            "by_clock_collisions_mean": 0.4 * r["robots"] * rng.uniform(0.8, 1.2),
            "by_clock_collided_share": 1.0,
        }
        for r in records
        if r["cost"] is not None
    ]
    return {"samples": 1000, "delay_model": "stops: p 0.05, 2 to 5 s", "rows": rows}


def run_folder(folder: Path, records: list[Json], **artefacts: Json) -> Path:
    manifest = {
        "command": "coordinate",
        "created": "2026-03-01T12:00:00+00:00",
        "seed": 7,
        "config": {"robots": [10, 50, 100], "deadline_s": 10.0, "map": {"source": "generate"}},
        "versions": {"python": "3.11.7", "numpy": "2.4.0", "ray": "2.55.1", "fedfleet": "0.1.0"},
        "commit": "58cd6e8f0a1b2c3d4e5f",
        "dirty": True,
    }
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(records))
    for name, document in artefacts.items():
        (folder / "artefacts" / f"{name}.json").write_text(json.dumps(document))
    return folder


def test_the_generated_replay_never_has_two_robots_in_a_cell() -> None:
    stays: dict[int, list[tuple[float, float]]] = {}
    for robot in replay(warehouse(), 40)["robots"]:
        for k, cell in enumerate(robot["cells"]):
            stays.setdefault(cell, []).append(tuple(robot["times_s"][k : k + 2]))
    for in_cell in map(sorted, stays.values()):
        assert all(a[1] < b[0] for a, b in pairwise(in_cell))
