# SPDX-License-Identifier: Apache-2.0
"""The document that a report draws one instance from: floor, routes, times, critical path."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cluster.trials import Record
from sim.coordinators.fcfs import plain_first_come_first_served
from sim.graph import CoordinationGraph
from sim.instances import Instance
from sim.layout import Layout
from sim.readers import format_map
from sim.schedule import Assignment, Objective, Schedule, cell_edges, evaluate, exclusive_edges


def choose(records: Sequence[Record]) -> Record | None:
    """The first instance of the largest fleet, under its best coordinator."""
    solved = [r for r in records if r["cost"] is not None]
    largest = max((r["robots"] for r in solved), default=0)
    first = next((r["instance"] for r in solved if r["robots"] == largest), None)
    candidates = [r for r in solved if r["instance"] == first]
    return min(candidates, key=lambda r: r["cost"], default=None)


def replay_document(
    record: Record, instance: Instance, assignment: Assignment, objective: Objective
) -> dict[str, Any]:
    """The JSON object ``artefacts/replay.json``; its fields are in docs/architecture.md."""
    schedule = evaluate(instance.graph, assignment)
    path = critical_path(instance.graph, assignment, schedule)
    return {
        "instance": record["instance"],
        "coordinator": record["coordinator"],
        "objective": str(objective),
        "cost_s": record["cost"],
        "headway_s": instance.graph.headway_ms / 1000,
        "layout": _layout(instance.layout),
        "robots": [_robot(instance, schedule, i) for i in range(instance.graph.num_robots)],
        "critical_path": [_place(instance.graph, event) for event in path],
        "plain_fcfs": asdict(plain_first_come_first_served(instance.graph)),
    }


def critical_path(
    graph: CoordinationGraph, assignment: Assignment, schedule: Schedule
) -> list[int]:
    """Events from a robot's start to the last finish, each the reason why the next is no earlier.

    Where a robot waited, the reason is the one that it waited for; else its own last event.
    """
    waits = [cell_edges(graph, assignment.order), exclusive_edges(graph, assignment)]
    before = np.concatenate([edges[0] for edges in waits])
    after = np.concatenate([edges[1] for edges in waits])
    time = schedule.time_ms
    tight = time[before] + graph.headway_ms == time[after]
    awaited = dict(zip(after[tight].tolist(), before[tight].tolist(), strict=True))
    first = set(graph.offsets[:-1].tolist())
    last = graph.offsets[1:] - 1
    chain = [int(last[np.argmax(time[last])])]
    while True:
        event = chain[-1]
        own = None if event in first else event - 1
        unhindered = own is not None and time[own] + graph.duration_ms[own] == time[event]
        reason = own if unhindered else awaited.get(event)
        if reason is None:
            return chain[::-1]
        chain.append(reason)


def _layout(layout: Layout) -> dict[str, Any]:
    rows = format_map(layout).splitlines()[4:]
    return {"name": layout.name, "height": layout.height, "width": layout.width, "rows": rows}


def _robot(instance: Instance, schedule: Schedule, robot: int) -> dict[str, Any]:
    graph = instance.graph
    events = slice(graph.offsets[robot], graph.offsets[robot + 1])
    times_s = np.round(schedule.time_ms[events] / 1000, 3)
    return {
        "cells": instance.routes.of(robot).tolist(),
        "times_s": times_s.tolist(),
        "free_s": float(graph.free_ms[robot]) / 1000,
    }


def _place(graph: CoordinationGraph, event: int) -> list[int]:
    """Robot, and the event's number on its route."""
    robot = int(graph.event_robot[event])
    return [robot, event - int(graph.offsets[robot])]
