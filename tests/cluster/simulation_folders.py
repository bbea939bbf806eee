# SPDX-License-Identifier: Apache-2.0
"""Run folders of ``simulate``, made up, so that the report can be tested without living worlds."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ROWS = ["......", ".@@.E.", ".@@.S.", "......"]
SHARES = {"working": 0.6, "waiting": 0.2, "refused": 0.05, "delayed": 0.1, "idle": 0.05}
TICKS, BIN_TICKS = 100, 40


def record(controller: str, world: int, orders: int, **more: Any) -> Json:
    """A world in which all went well."""
    return {
        "controller": controller,
        "world": world,
        "robots": 3,
        "ticks": TICKS,
        "orders": orders,
        "errands": 2 * orders,
        "late": 1,
        "orders_per_tick": orders / TICKS,
        "service_ticks_mean": 31.5,
        "service_ticks_p95": 62.0,
        "queue_ticks_mean": 4.25,
        **{f"{name}_share": value for name, value in SHARES.items()},
        "longest_without_errand_ticks": 17 + world,
        "longest_still_ticks": 5,
        "deadlocked": False,
        "improved_share": None,
        "decision_ms_mean": 0.75,
        "decision_ms_p99": 1.5,
        "decision_ms_max": 3.0,
        "seconds": 1.25,
        **more,
    }


def failed(controller: str, world: int) -> Json:
    """A world without a result."""
    return {name: None for name in record(controller, world, 0)} | {
        "controller": controller,
        "world": world,
    }


def records(orders: dict[str, list[int]]) -> list[Json]:
    """Worlds of several controllers by the orders that they did."""
    return [record(name, world, n) for name, own in orders.items() for world, n in enumerate(own)]


def floor(name: str = "tiny") -> Json:
    """Four rows of six cells."""
    return {"name": name, "height": 4, "width": 6, "rows": ROWS}


def traffic_row(controller: str, finished: list[list[int]]) -> Json:
    """Blocks of two cells; robots wait in the first."""
    return {
        "controller": controller,
        "bin_ticks": BIN_TICKS,
        "finished": finished,
        "block_cells": 2,
        "height": 2,
        "width": 3,
        "visits": [[300, 60, 0], [40, 0, 20]],
        "stopped": [[150, 0, 0], [10, 0, 0]],
    }


def film_row(controller: str) -> Json:
    """Two robots over three pictures: one goes east, one stands and turns."""
    return {
        "controller": controller,
        "world": 0,
        "ticks_per_action": 2,
        "turning": True,
        "from_tick": 10,
        "x": [[0, 50], [5, 50], [10, 50]],
        "y": [[0, 30], [0, 30], [0, 30]],
        "heading": ["10", "11", "12"],
        "begun": [".0", ".0", "01"],
        "goals": None,
    }


def artefacts(rows: list[Json]) -> dict[str, Json]:
    """What such a run leaves beside its records."""
    names = list(dict.fromkeys(row["controller"] for row in rows))
    worlds = {name: [r for r in rows if r["controller"] == name and r["orders"]] for name in names}
    finished = {
        name: [[max(r["orders"] - 6, 0), 4, 2] for r in own] for name, own in worlds.items()
    }
    return {
        "floor": floor(),
        "traffic": {"rows": [traffic_row(name, finished[name]) for name in names]},
        "film": {"rows": [film_row(name) for name in names]},
    }


def run_folder(folder: Path, rows: list[Json], documents: dict[str, Any] | None = None) -> Path:
    """A run folder with these records and artefacts."""
    manifest = {
        "command": "simulate",
        "created": "2026-03-01T12:00:00+00:00",
        "seed": 7,
        "config": {"map": "tiny.map", "robots": 3, "worlds": 3},
        "versions": {"python": "3.11.7"},
        "commit": None,
        "dirty": None,
    }
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(rows))
    for name, document in (artefacts(rows) if documents is None else documents).items():
        (folder / "artefacts" / f"{name}.json").write_text(json.dumps(document))
    return folder
