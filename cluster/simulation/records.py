# SPDX-License-Identifier: Apache-2.0
"""What became of worlds, as records and documents."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cluster.simulation.scene import Scene
from cluster.trials import Record, Result
from sim.layout import Layout
from sim.warehouse.book import GIVEN, LAST, NUM_DONE, NUM_ERRANDS, NUM_LATE, REVEALED, Book
from sim.warehouse.control.rolling import RollingController
from sim.warehouse.league.checker import check_output
from sim.warehouse.league.delays import LeagueDelays
from sim.warehouse.league.output import league_output
from sim.warehouse.tally import Counts

if TYPE_CHECKING:
    from cluster.simulation.trial import Life

STILL_TICKS = 1000
"""A world in which nobody does an errand for so long, though there are some, is deadlocked."""

MOST_BLOCKS = 40_000
"""Of the heat map; larger floors are shown in blocks of several cells."""

WORK = ".01"
"""How a film says that a robot has no order, is on the way to its first errand, has done it."""

_ROUND = 6


def block_result(
    controller: str, worlds: list[int], life: "Life", scene: Scene, seconds: float
) -> Result:
    """The records of some worlds, and arrays for the pictures."""
    simulation = life.simulation
    counts = simulation.tally.counts
    decision_ms = 1000 * simulation.decision_s / len(worlds)
    rows = [
        {
            "controller": controller,
            "world": number,
            **_world_record(counts, world, simulation.worlds.books[world], simulation.worlds.tick),
            "improved_share": _improved_share(simulation.controller, world),
            "decision_ms_mean": round(float(decision_ms.mean()), 4),
            "decision_ms_p99": round(float(np.quantile(decision_ms, 0.99)), 4),
            "decision_ms_max": round(float(decision_ms.max()), 4),
            "seconds": round(seconds / len(worlds), 3),
        }
        for world, number in enumerate(worlds)
    ]
    document: dict[str, Any] = {"rows": rows}
    arrays: dict[str, NDArray[Any]] = {
        "finished": counts.finished,
        "bin_ticks": np.array(simulation.tally.bin_ticks),
        "visits": counts.visits,
        "stopped": counts.stopped,
    }
    if life.film is not None:
        arrays |= {f"film_{name}": array for name, array in life.film.snapshot().items()}
    if life.recorder is not None and scene.problem is not None:
        assert isinstance(life.delays, LeagueDelays)
        record = life.recorder.record(simulation.worlds, life.delays, simulation.decision_s)
        output = league_output(record, scene.problem)
        text = json.dumps(output, separators=(",", ":"))  # in one line, as the league's program
        arrays["league"] = np.frombuffer(text.encode(), dtype=np.uint8)
        rows[0]["league_errors"] = len(check_output(output, scene.problem))
    return Result(document, arrays)


def _world_record(counts: Counts, world: int, book: Book, ticks: int) -> Record:
    robots = len(book.order_of)
    done = book.ticks[:, LAST] >= 0
    service = book.ticks[done, LAST] - book.ticks[done, GIVEN]
    queue = book.ticks[done, GIVEN] - book.ticks[done, REVEALED]
    shares = {
        f"{name}_share": round(float(getattr(counts, name)[world]) / (robots * ticks), _ROUND)
        for name in ("working", "waiting", "refused", "delayed", "idle")
    }
    still = int(counts.longest_still[world])
    return {
        "robots": robots,
        "ticks": ticks,
        "orders": int(book.counters[NUM_DONE]),
        "errands": int(book.counters[NUM_ERRANDS]),
        "late": int(book.counters[NUM_LATE]),
        "orders_per_tick": round(float(book.counters[NUM_DONE]) / ticks, _ROUND),
        "service_ticks_mean": round(float(service.mean()), 3) if done.any() else None,
        "service_ticks_p95": round(float(np.quantile(service, 0.95)), 3) if done.any() else None,
        "queue_ticks_mean": round(float(queue.mean()), 3) if done.any() else None,
        **shares,
        "longest_without_errand_ticks": int(counts.longest[world].max()),
        "longest_still_ticks": still,
        "deadlocked": still >= min(STILL_TICKS, ticks),
    }


def _improved_share(controller: object, world: int) -> float | None:
    if not isinstance(controller, RollingController) or not controller.is_coordinated:
        return None
    return round(float(controller.improved[world]) / max(1, int(controller.windows[world])), _ROUND)


def floor_document(layout: Layout) -> dict[str, Any]:
    """The floor as text: ``.`` free, ``@`` obstacle, ``E`` and ``S`` stations."""
    symbols = np.where(layout.free.ravel(), ".", "@")
    symbols[layout.emitters] = "E"
    symbols[layout.service_points] = "S"
    rows = ["".join(row) for row in symbols.reshape(layout.free.shape)]
    return {"name": layout.name, "height": layout.height, "width": layout.width, "rows": rows}


def traffic_row(
    controller: str, blocks: Sequence[Mapping[str, NDArray[Any]]], layout: Layout
) -> dict[str, Any]:
    """Throughput over time, and robot-ticks by place, of all worlds of one controller."""
    side = 1
    while -(-layout.height // side) * -(-layout.width // side) > MOST_BLOCKS:
        side += 1
    visits = sum(np.asarray(block["visits"]) for block in blocks)
    stopped = sum(np.asarray(block["stopped"]) for block in blocks)
    finished = np.concatenate([block["finished"] for block in blocks])
    shape = layout.free.shape
    return {
        "controller": controller,
        "bin_ticks": int(blocks[0]["bin_ticks"]),
        "finished": finished.tolist(),
        "block_cells": side,
        "height": -(-shape[0] // side),
        "width": -(-shape[1] // side),
        "visits": _by_block(np.asarray(visits).reshape(shape), side),
        "stopped": _by_block(np.asarray(stopped).reshape(shape), side),
    }


def _by_block(cells: NDArray[np.int64], side: int) -> list[list[int]]:
    padded = np.pad(cells, [(0, -length % side) for length in cells.shape])
    rows, columns = padded.shape[0] // side, padded.shape[1] // side
    blocks: list[list[int]] = padded.reshape(rows, side, columns, side).sum(axis=(1, 3)).tolist()
    return blocks


def film_row(
    controller: str, block: Mapping[str, NDArray[Any]], scene: Scene
) -> dict[str, Any] | None:
    """The film of a controller's first world, if there is one."""
    if "film_x" not in block:
        return None
    length = int(block["film_length"])
    heading = block["film_heading"][:length].tolist()
    work = block["film_work"][:length].tolist()
    return {
        "controller": controller,
        "world": 0,
        "ticks_per_action": scene.rules.ticks_per_action,
        "turning": scene.rules.num_actions == 4,
        "from_tick": 0,
        "x": block["film_x"][:length].tolist(),
        "y": block["film_y"][:length].tolist(),
        "heading": ["".join(map(str, row)) for row in heading],
        "begun": ["".join(WORK[state] for state in row) for row in work],
        "goals": None,
    }
